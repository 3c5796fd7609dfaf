//! One upgrade, with what it keeps, how long nobody is served, and what is left of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use on_cluster::State;
use serde_json::Value;

use super::{
    failing,
    instance::{self, prove, short},
    left,
};
use crate::{
    choice::Choice,
    client::{Borne, Clients, words},
    content::Content,
    scene::{Lines, Scene},
    showing::Showing,
    story::{Story, seconds},
};

/// A pod comes and goes several times.
const UPGRADED: Duration = Duration::from_mins(3);

/// Plays all parts after the operator is there.
///
/// # Errors
/// A fact did not come true in time, or something is not what it was.
pub async fn show(
    scene: &Scene,
    choice: &Choice,
    showing: Showing,
    story: &mut Story,
) -> Result<()> {
    instance::apply(scene, choice, story).await?;
    story.part("content", "what users have in it, written before and compared after");
    let began = Instant::now();
    let content = Content::written(&scene.door().await?).await?;
    story.fact(began, &format!("{} written, code deployed", content.words()));
    if showing == Showing::Failing {
        return failing::show(scene, choice, &content, story).await;
    }
    let own = replaced(scene, story).await?;
    let (since, borne) = through(scene, choice, showing, story).await?;
    prove(scene, choice.to()).await?;
    let door = scene.door().await?;
    let (same, code) = (content.compared(&door).await?, Content::code(&door).await?);
    story.fact(since, &format!("{same}; {code}"));
    let (silent, refused) = (words(&borne.silence), words(&borne.refusal));
    let own = seconds(own);
    story.fact(since, &format!("a client that asks /version every 50 ms had no answer {silent} (a replaced pod alone: {own})"));
    story.fact(
        since,
        &format!(
            "users were not served {refused}, held before the way back was made and until Ready"
        ),
    );
    left::tell(scene, story).await
}

/// What the replacement of a pod costs by itself: for what an upgrade costs besides.
async fn replaced(scene: &Scene, story: &mut Story) -> Result<Duration> {
    story.part("replacement", "the same pod replaced by itself, to compare with");
    let (old, clients, deleted) = (scene.pod().await?, Clients::of(scene), Instant::now());
    scene.kubectl(&["delete", &format!("pod/{}", scene.pod_name()), "--wait=false"]).await?;
    scene.another_pod(&old, UPGRADED).await?;
    scene.follow().await?.until("Ready again", UPGRADED, State::is_settled).await?;
    let borne = clients.stopped().await?;
    let silent = words(&borne.silence);
    story.fact(deleted, &format!("a client that asks /version every 50 ms had no answer {silent}"));
    Ok(borne.silence.total())
}

/// From the patch until the new version serves.
async fn through(
    scene: &Scene,
    choice: &Choice,
    showing: Showing,
    story: &mut Story,
) -> Result<(Instant, Borne)> {
    let (to, patch) = (choice.to(), showing.patch(choice.to()));
    let name = scene.name();
    story.part("upgrade", &format!("kubectl patch cvx {name}, then kubectl get cvx {name} -w"));
    let (clients, mut follower) = (Clients::of(scene), scene.follow().await?);
    let asked = Instant::now();
    patched(scene, &patch).await?;
    let mut lines = Lines::begin(story, asked);
    let waits = |state: &State| state.reason == "FunctionsMissing" || is_through(state, to);
    let state = follower.until("the new version", UPGRADED, |state| {
        lines.see(state);
        waits(state)
    });
    let state = state.await?;
    if state.reason == "FunctionsMissing" {
        Content::deploy(&scene.door().await?).await.context("npx convex deploy")?;
        story.fact(asked, "the store is new and holds no code: the owner deploys it again");
        let ready = follower.until("Ready with the new version", UPGRADED, |state| {
            lines.see(state);
            is_through(state, to)
        });
        ready.await?;
    }
    Ok((asked, clients.stopped().await?))
}

fn is_through(state: &State, to: &str) -> bool {
    state.is_settled() && state.running == to
}

/// `kubectl patch`, and the words that are patched.
///
/// # Errors
/// What kubectl says.
pub async fn patched(scene: &Scene, patch: &Value) -> Result<()> {
    let patch = patch.to_string();
    scene.kubectl(&["patch", "cvx", scene.name(), "--type", "merge", "--patch", &patch]).await?;
    println!("          {}", shortened(&patch));
    Ok(())
}

fn shortened(patch: &str) -> String {
    let words = patch.split('"').map(short).collect::<Vec<_>>();
    words.join("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_id_in_a_patch_is_shortened() {
        let patch = Showing::InPlace.patch("00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90");
        assert_eq!(shortened(&patch.to_string()), r#"{"spec":{"version":"00bd927"}}"#);
    }
}
