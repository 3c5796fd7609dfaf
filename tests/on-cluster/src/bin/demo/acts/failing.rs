//! Two upgrades that fail: one that nobody feels, and one that finds its way back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use on_cluster::{Follower, State};
use serde_json::json;

use super::{
    instance::{prove, short},
    left,
    upgrades::patched,
};
use crate::{
    choice::Choice,
    client::Clients,
    content::Content,
    scene::{Lines, Scene},
    showing::{MISTYPED, Showing},
    story::{Story, seconds},
};

const FAILED: Duration = Duration::from_mins(3);

/// Shows both.
///
/// # Errors
/// Users felt what they must not feel, or something is not what it was.
pub async fn show(
    scene: &Scene,
    choice: &Choice,
    content: &Content,
    story: &mut Story,
) -> Result<()> {
    mistyped(scene, choice, content, story).await?;
    silent(scene, choice, content, story).await?;
    left::tell(scene, story).await
}

/// An image that does not exist is found out while everybody is served.
async fn mistyped(
    scene: &Scene,
    choice: &Choice,
    content: &Content,
    story: &mut Story,
) -> Result<()> {
    story.part("no image", "a version that nobody has published, and the version put back");
    let (clients, mut follower) = (Clients::of(scene), scene.follow().await?);
    let asked = Instant::now();
    patched(scene, &json!({ "spec": { "version": MISTYPED } })).await?;
    let mut lines = Lines::begin(story, asked);
    let state = seen(&mut follower, &mut lines, |state| state.phase == "Degraded").await?;
    println!("          {}", state.message);
    patched(scene, &json!({ "spec": { "version": choice.from() } })).await?;
    seen(&mut follower, &mut lines, State::is_settled).await?;
    let borne = clients.stopped().await?;
    ensure!(
        borne.silence.count() + borne.refusal.count() == 0,
        "users felt it: silence {:?}, turned away {:?}",
        borne.silence,
        borne.refusal
    );
    let same = content.compared(&scene.door().await?).await?;
    story.fact(asked, &format!("no question of any client was without its answer; {same}"));
    Ok(())
}

/// A target that never gets ready is left for the copy.
async fn silent(
    scene: &Scene,
    choice: &Choice,
    content: &Content,
    story: &mut Story,
) -> Result<()> {
    story.part("rollback", &format!("{} never gets ready", short(choice.to())));
    let (clients, mut follower) = (Clients::of(scene), scene.follow().await?);
    let asked = Instant::now();
    patched(scene, &Showing::Failing.patch(choice.to())).await?;
    let mut lines = Lines::begin(story, asked);
    let refused = |state: &State| state.phase == "Ready" && state.reason == "ReleaseRefused";
    let state = seen(&mut follower, &mut lines, refused).await?;
    println!("          {}", state.message);
    let borne = clients.stopped().await?;
    prove(scene, choice.from()).await?;
    let door = scene.door().await?;
    let (same, code) = (content.compared(&door).await?, Content::code(&door).await?);
    story.fact(asked, &format!("{same}; {code}"));
    let silent = seconds(borne.silence.total());
    let claim = store(scene).await?;
    story.fact(asked, &format!("the backend runs on claim {claim}; clients had no answer for {silent}, the target's time included"));
    Ok(())
}

async fn seen(
    follower: &mut Follower,
    lines: &mut Lines<'_>,
    fact: impl Fn(&State) -> bool,
) -> Result<State> {
    let see = |state: &State| {
        lines.see(state);
        fact(state)
    };
    follower.until("what a failed upgrade ends in", FAILED, see).await
}

/// The claim that the backend's pod has open.
async fn store(scene: &Scene) -> Result<String> {
    let volumes = scene.pod().await?.spec.and_then(|spec| spec.volumes).unwrap_or_default();
    let claims = volumes.into_iter().filter_map(|it| it.persistent_volume_claim);
    claims.map(|it| it.claim_name).next().context("the backend has no claim")
}
