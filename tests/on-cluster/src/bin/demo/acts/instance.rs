//! An instance is applied and becomes Ready, which is then proved.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use on_cluster::State;

use crate::{
    choice::Choice,
    scene::{Phases, Scene},
    showing::Showing,
    story::Story,
};

/// A pull of real images may take its time.
const READY: Duration = Duration::from_mins(5);

/// Applies the sample, and proves what its status says.
///
/// # Errors
/// It does not become Ready, or does not answer as a Ready one must.
pub async fn apply(scene: &Scene, choice: &Choice, story: &mut Story) -> Result<()> {
    let namespace = &scene.namespace;
    story.part("instance", &format!("kubectl apply -n {namespace} -f {}", scene.shown.path()));
    let mut follower = scene.follow().await?;
    let applied = Instant::now();
    let mut phases = Phases::after("", story, applied);
    let ready = |state: &State| {
        phases.see(state);
        state.is_settled()
    };
    let sample = manifest(&scene.sample, choice.from());
    let manifest = match choice.upgrade {
        Some(showing) => showing.manifest(&sample, choice.to())?,
        None => sample,
    };
    if let Some(besides) = choice.upgrade.and_then(Showing::besides) {
        println!("          {besides}");
    }
    let (sent, reached) = tokio::join!(
        scene.kubectl.apply(namespace, &manifest),
        follower.until("Ready", READY, ready)
    );
    sent?;
    reached?;
    let proof = prove(scene, choice.from()).await?;
    story.fact(applied, &format!("{:<18} {proof}", "Ready"));
    let shown = scene.kubectl(&["get", "cvx"]).await?;
    shown.lines().for_each(|line| println!("          {line}"));
    Ok(())
}

/// The sample names a version of the stand-in; a cluster of the user's own needs one that Convex has published.
fn manifest(sample: &str, version: &str) -> String {
    sample.replace(on_cluster::instance::VERSION, version)
}

/// What the backend itself answers, with the key that applications are given.
///
/// # Errors
/// Another version answers, or the key is not taken.
pub async fn prove(scene: &Scene, version: &str) -> Result<String> {
    let url = scene.for_applications("CONVEX_SELF_HOSTED_URL").await?;
    let key = scene.for_applications("CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
    let door = scene.door().await?;
    let answered = door.version().await?;
    ensure!(answered == version, "/version answers {answered}, and not {version}");
    door.accepts(&key).await?;
    Ok(format!(
        "{url} answers /version {}, admin key of Secret {}-admin accepted",
        short(version),
        scene.name()
    ))
}

/// A version as the columns show it.
#[must_use]
pub fn short(version: &str) -> &str {
    version.get(..7).filter(|_| version.len() == 40).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_names_the_version_that_is_exchanged() {
        let sample = include_str!("../../../../../../docs/samples/dev.yaml");
        assert!(manifest(sample, "other").contains("version: other\n"));
    }

    #[test]
    fn a_commit_id_is_shortened_and_nothing_else() {
        assert_eq!(short("6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912"), "6efab6f");
        assert_eq!(short("version-one"), "version-one");
    }
}
