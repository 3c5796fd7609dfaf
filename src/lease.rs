//! One operator acts at a time: the others wait for the lease, and one that loses it ends.

use kube::Client;
use kube_lease_manager::{DurationSeconds, LeaseManagerBuilder};
use tokio::{sync::watch, task::JoinHandle};

use crate::plan::labels::MANAGER;

/// How long a lease holds after its last renewal, in seconds.
const DURATION: DurationSeconds = 15;
/// How long before its end a lease is renewed, in seconds.
const GRACE: DurationSeconds = 5;

/// The lease of the operator, taken and renewed in the background.
pub struct Lease {
    held: watch::Receiver<bool>,
    _renewal: JoinHandle<kube_lease_manager::Result<kube_lease_manager::LeaseManager>>,
}

impl Lease {
    /// Asks for the lease of this name in the operator's own namespace.
    ///
    /// # Errors
    /// When the lease can be neither read nor made.
    pub async fn ask(client: Client, namespace: &str, identity: &str) -> kube_lease_manager::Result<Self> {
        let manager = LeaseManagerBuilder::new(client, MANAGER)
            .with_namespace(namespace)
            .with_identity(identity)
            .with_duration(DURATION)
            .with_grace(GRACE)
            .build()
            .await?;
        let (held, renewal) = manager.watch().await;
        Ok(Self { held, _renewal: renewal })
    }

    /// Waits until this operator holds the lease.
    pub async fn held(&mut self) {
        let _ = self.held.wait_for(|held| *held).await;
    }

    /// Waits until this operator has lost the lease.
    pub async fn lost(mut self) {
        let _ = self.held.wait_for(|held| !*held).await;
    }
}
