//! What keeps the instance up is taken away, and comes back with the data.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cluster::{NodeKind, wait};
use k8s_openapi::api::core::v1::Pod;
use on_cluster::{State, container};

use crate::{
    evidence::Trace,
    scene::{Scene, is_ready},
    story::Story,
};

const BACK: Duration = Duration::from_mins(2);

/// Deletes the `StatefulSet`, deletes the pod and, where the node is ours, kills the backend's process.
///
/// # Errors
/// The instance is not back in time, or its data is not what it was.
pub async fn break_and_wait(scene: &Scene, story: &mut Story) -> Result<()> {
    story.part("repair", "what runs is taken away, and comes back");
    for object in ["statefulset/dev-backend", "pod/dev-backend-0"] {
        let (pod, trace) = before(scene).await?;
        let deleted = Instant::now();
        scene.kubectl(&["delete", object, "--wait=false"]).await?;
        scene.another_pod(&pod, BACK).await?;
        tell(scene, story, deleted, &format!("deleted {object}"), &trace).await?;
    }
    match scene.node {
        Some(NodeKind::Real) => kill(scene, story).await,
        _ => Ok(()),
    }
}

async fn kill(scene: &Scene, story: &Story) -> Result<()> {
    let (pod, trace) = before(scene).await?;
    let restarts = container::status(&pod, "backend")?.restart_count;
    let killed = Instant::now();
    container::kill(&pod, "backend")?;
    wait::until("restarted container", BACK, &[], || async {
        let pod = scene.pod().await?;
        let again = container::status(&pod, "backend")?.restart_count > restarts;
        Ok((again && is_ready(&pod)).then_some(()))
    })
    .await?;
    tell(
        scene,
        story,
        killed,
        &format!("killed the process of {} (SIGKILL)", scene.pod_name()),
        &trace,
    )
    .await
}

async fn before(scene: &Scene) -> Result<(Pod, Trace)> {
    let pod = scene.pod().await?;
    let trace = Trace::left(scene, &scene.door().await?).await?;
    Ok((pod, trace))
}

async fn tell(
    scene: &Scene,
    story: &Story,
    since: Instant,
    deed: &str,
    trace: &Trace,
) -> Result<()> {
    let mut follower = scene.follow().await?;
    follower.until("Ready again", BACK, State::is_settled).await?;
    let took = since.elapsed();
    let found = trace.found(scene, &scene.door().await?).await.context(deed.to_owned())?;
    let took = crate::story::seconds(took);
    story.fact(since, &format!("{deed}: back and Ready after {took}, {found}"));
    Ok(())
}
