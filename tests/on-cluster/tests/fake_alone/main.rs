//! What is done to the operator itself: stopped, started, doubled, and left without its definition. One test at a time,
//! for all of them share it.

mod definition;
mod gate;
mod gateway_api;
mod image;
mod process;
mod protection;
mod rest;
mod rivals;
mod role;
mod scope;
mod signals;
mod start;

use anyhow::{Context, Result};
use on_cluster::{Stage, played};
use tokio::sync::Mutex;

/// How long an operator may take to end after SIGTERM.
const END: std::time::Duration = std::time::Duration::from_secs(10);

static ALONE: Mutex<()> = Mutex::const_new(());

/// Plays a test while no other one plays, and leaves the operator running whatever became of it.
async fn alone(name: &str, test: impl AsyncFnOnce(&Stage) -> Result<()>) -> Result<()> {
    let _alone = ALONE.lock().await;
    let outcome = played(name, async |stage| {
        let outcome = test(stage).await;
        let restored = running(stage).await.context("the operator after the test");
        outcome.and(restored)
    });
    outcome.await
}

async fn running(stage: &Stage) -> Result<()> {
    match stage.cluster.start_operator().await {
        Err(error) if error.to_string().contains("runs already") => Ok(()),
        started => started,
    }
}
