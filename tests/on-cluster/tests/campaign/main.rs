//! The campaign: an operator is killed before, during and after every single write of upgrades and of rollbacks, and starts
//! again; two operators act at once; a leader is stopped and woken after another one has acted. Every run has to end
//! like the undisturbed one.

mod account;
mod births;
mod content;
mod flow;
mod kills;
mod kinds;
mod lane;
mod operator;
mod rivals;
mod step;
mod table;

use anyhow::{Context, Result};
use cluster::Cluster;
use tokio::sync::Mutex;

/// Lanes of several tests would fill the machine.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Plays a test while the usual operator, which looks after every namespace, is stopped.
async fn without_the_usual_operator(test: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let _alone = ALONE.lock().await;
    let cluster = Cluster::from_env().await?;
    cluster.stop_operator().await?;
    let outcome = test().await;
    let restored = cluster.start_operator().await.context("the operator after the campaign");
    outcome.and(restored)
}
