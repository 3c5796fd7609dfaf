//! The line between the node and the API server, which a test can cut.
//!
//! A node that is *lost* sends no heartbeat, sees no change and reports nothing, while its containers go on running: what a
//! broken network does. When the line is back, it looks at everything anew.

use tokio::sync::watch;

/// Whether the line is up; clones tell the same.
#[derive(Clone)]
pub struct Link(watch::Receiver<bool>);

impl Link {
    /// A line that is up where `lost` is false.
    #[must_use]
    pub const fn new(lost: watch::Receiver<bool>) -> Self {
        Self(lost)
    }

    /// Waits until the line is up.
    pub async fn up(&self) {
        self.is(false).await;
    }

    /// Waits until the line is down.
    pub async fn down(&self) {
        self.is(true).await;
    }

    async fn is(&self, lost: bool) {
        if self.0.clone().wait_for(|now| *now == lost).await.is_err() {
            // Nobody can change it any more.
            std::future::pending::<()>().await;
        }
    }
}
