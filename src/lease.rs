//! One operator acts at a time: the others wait for the lease, and one that loses it ends.

use std::time::{Duration, Instant};

use kube::Client;
use kube_lease_manager::{DurationSeconds, LeaseManager, LeaseManagerBuilder};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::plan::labels::MANAGER;

/// How long a lease holds after its last renewal, in seconds.
const DURATION: DurationSeconds = 15;
/// How long before its end a lease is renewed, in seconds.
const GRACE: DurationSeconds = 5;
/// How long the API server may be out of reach before the lease is held to be lost.
const OUT_OF_REACH: Duration = Duration::from_secs(DURATION);
/// How long to wait after a renewal that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// How long giving the lease back may take at the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// The lease of the operator, taken and renewed in the background.
pub struct Lease {
    held: watch::Receiver<bool>,
    leave: oneshot::Sender<()>,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Asks for the lease of this name in the operator's own namespace.
    ///
    /// # Errors
    /// When the lease can be neither read nor made.
    pub async fn ask(
        client: Client,
        namespace: &str,
        identity: &str,
    ) -> kube_lease_manager::Result<Self> {
        let manager = LeaseManagerBuilder::new(client, MANAGER)
            .with_namespace(namespace)
            .with_identity(identity)
            .with_duration(DURATION)
            .with_grace(GRACE)
            .build()
            .await?;
        let (tell, held) = watch::channel(false);
        let (leave, left) = oneshot::channel();
        let renewal = tokio::spawn(async move {
            tokio::select! {
                () = renew(&manager, &tell) => {}
                _ = left => {}
            }
            if let Err(error) = manager.release().await {
                tracing::warn!(%error, "the lease was not given back; it ends by itself");
            }
        });
        Ok(Self { held, leave, renewal })
    }

    /// Waits until this operator holds the lease.
    pub async fn held(&mut self) {
        let _ = self.held.wait_for(|held| *held).await;
    }

    /// Waits until this operator has lost the lease.
    pub async fn lost(&mut self) {
        let _ = self.held.wait_for(|held| !*held).await;
    }

    /// Gives the lease back, so that another operator need not wait for its end.
    pub async fn release(self) {
        drop(self.leave);
        let _ = tokio::time::timeout(FAREWELL, self.renewal).await;
    }
}

/// Renews until the lease is lost: to another operator, or because the API server was out of reach for
/// as long as a lease holds.
async fn renew(manager: &LeaseManager, tell: &watch::Sender<bool>) {
    let mut failing: Option<Instant> = None;
    loop {
        let asked = Instant::now();
        match manager.changed().await {
            Ok(held) => {
                failing = None;
                let was = tell.send_replace(held);
                if was && !held {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the lease could not be renewed");
                // A call that went well for a while has renewed before it failed.
                let long = asked.elapsed() >= OUT_OF_REACH;
                let since = *failing.get_or_insert(asked);
                if since.elapsed() >= OUT_OF_REACH && !long {
                    tell.send_replace(false);
                    return;
                }
                failing = failing.filter(|_| !long);
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
