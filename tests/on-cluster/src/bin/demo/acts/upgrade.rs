//! A newer version is asked for, and runs on the same data.

use std::time::{Duration, Instant};

use anyhow::Result;
use on_cluster::State;
use serde_json::json;

use super::instance::{prove, short};
use crate::{
    choice::Choice,
    evidence::Trace,
    scene::{Phases, Scene},
    story::Story,
};

const UPGRADED: Duration = Duration::from_mins(5);

/// Changes `spec.version` and waits until the new version serves the old data.
///
/// # Errors
/// It does not in time.
pub async fn upgrade(scene: &Scene, choice: &Choice, story: &mut Story) -> Result<()> {
    let (from, to) = (choice.from(), choice.to());
    story.part("upgrade", &format!("spec.version {} -> {}", short(from), short(to)));
    let trace = Trace::left(scene, &scene.door().await?).await?;
    let mut follower = scene.follow().await?;
    let asked = Instant::now();
    let patch = json!({ "spec": { "version": to } }).to_string();
    let mut phases = Phases::after("Ready", story, asked);
    let upgraded = |state: &State| {
        phases.see(state);
        state.is_settled() && state.running == to
    };
    let command = ["patch", "cvx", scene.name(), "--type", "merge", "--patch", &patch];
    let (sent, reached) = tokio::join!(
        scene.kubectl(&command),
        follower.until("Ready with the new version", UPGRADED, upgraded)
    );
    sent?;
    reached?;
    prove(scene, to).await?;
    let found = trace.found(scene, &scene.door().await?).await?;
    story.fact(asked, &format!("{:<18} /version answers {}, {found}", "Ready", short(to)));
    Ok(())
}
