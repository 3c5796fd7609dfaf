//! The sample for production on real servers: what users write is there and nowhere else.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cluster::description::Description;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::{Api, api::ListParams};
use on_cluster::{Beside, Follower, Instance, State};

use super::{hosts, instance};
use crate::{
    choice::Choice,
    content::Content,
    scene::Scene,
    story::{Story, seconds},
};

const PATIENCE: Duration = Duration::from_mins(2);
const SECOND: &str = "second";

/// Plays all parts after the operator is there.
///
/// # Errors
/// A server does not start, a fact did not come true in time, or something is not what it was.
pub async fn show(
    scene: &Scene,
    cluster: &Description,
    choice: &Choice,
    story: &mut Story,
) -> Result<()> {
    let beside = servers(scene, cluster, story).await?;
    let outside = hosts::prepare(scene, cluster).await?;
    instance::apply(scene, choice, story).await?;
    hosts::show(scene, outside.as_ref(), story).await?;
    let content = written(scene, &beside, story).await?;
    restart(scene, &content, story).await?;
    second(scene, story).await?;
    delete(scene, &beside, story).await
}

pub(super) async fn servers(
    scene: &Scene,
    cluster: &Description,
    story: &mut Story,
) -> Result<Beside> {
    story.part(
        "servers",
        "PostgreSQL with TLS under a private authority, and S3, in the cluster's network",
    );
    let began = Instant::now();
    let beside = Beside::start(cluster).await?;
    beside.hand_over(&scene.kubectl, &scene.namespace).await?;
    let (database, storage) = (beside.postgres.address(), beside.s3.address());
    story.fact(began, &format!("PostgreSQL at {database}: Secrets orders-db-app and orders-db-ca, as CloudNativePG hands them over"));
    story.fact(began, &format!("S3 at {storage}: ConfigMap and Secret orders-bucket, as an ObjectBucketClaim hands them over"));
    Ok(beside)
}

async fn written(scene: &Scene, beside: &Beside, story: &mut Story) -> Result<Content> {
    story.part("content", "what users have in it, and where it is");
    let began = Instant::now();
    let content = Content::written(&scene.door().await?).await?;
    let (rows, keys) = (beside.documents()?, beside.keys()?);
    let prefix = keys.first().and_then(|key| key.split('/').next()).context("an object")?;
    ensure!(keys.iter().all(|key| key.starts_with("orders-")), "a key of another: {keys:?}");
    story.fact(began, &format!("{} written, code deployed", content.words()));
    story.fact(
        began,
        &format!(
            "database orders has {rows} documents, bucket orders {} objects below {prefix}/",
            keys.len()
        ),
    );
    let claims = Api::<PersistentVolumeClaim>::namespaced(scene.client.clone(), &scene.namespace);
    ensure!(claims.list(&ListParams::default()).await?.items.is_empty(), "a volume was made");
    story.fact(began, "no volume in the namespace");
    Ok(content)
}

async fn restart(scene: &Scene, content: &Content, story: &mut Story) -> Result<()> {
    let pod = format!("pod/{}", scene.pod_name());
    story.part("restart", &format!("kubectl delete {pod}"));
    let (old, deleted) = (scene.pod().await?, Instant::now());
    scene.kubectl(&["delete", &pod, "--wait=false"]).await?;
    scene.another_pod(&old, PATIENCE).await?;
    scene.follow().await?.until("Ready again", PATIENCE, State::is_settled).await?;
    let took = seconds(deleted.elapsed());
    let same = content.compared(&scene.door().await?).await?;
    story.fact(deleted, &format!("back and Ready after {took}: {same}"));
    Ok(())
}

/// Another instance that asks for the same database.
async fn second(scene: &Scene, story: &mut Story) -> Result<()> {
    story.part("in use", "a second instance asks for the same database");
    let began = Instant::now();
    let second = Instance::from_yaml(&scene.sample)?.named(SECOND);
    // Its hosts would be refused, too.
    let second = second.without("networking").with("backend.instance.name", scene.name());
    scene.kubectl.apply(&scene.namespace, &second.manifest().to_string()).await?;
    let mut follower = Follower::begin(&scene.client, &scene.namespace, SECOND).await?;
    let refused = |state: &State| state.reason == "DatabaseInUse";
    let state = follower.until("DatabaseInUse", PATIENCE, refused).await?;
    story.fact(began, &format!("{} {}: {}", state.phase, state.reason, state.message));
    scene.kubectl(&["delete", "cvx", SECOND]).await?;
    follower.gone(PATIENCE, |_| {}).await
}

async fn delete(scene: &Scene, beside: &Beside, story: &mut Story) -> Result<()> {
    let name = scene.name();
    story.part("delete", &format!("kubectl delete cvx {name}"));
    let (mut follower, asked) = (scene.follow().await?, Instant::now());
    scene.kubectl(&["delete", "cvx", name, "--wait=false"]).await?;
    follower.gone(PATIENCE, |_| {}).await?;
    let writers = ListParams::default().labels("app.kubernetes.io/component=backend");
    let pods =
        Api::<Pod>::namespaced(scene.client.clone(), &scene.namespace).list(&writers).await?;
    ensure!(pods.items.is_empty(), "the instance is gone and its backend is not");
    let (rows, keys) = (beside.documents()?, beside.keys()?.len());
    ensure!(rows > 0 && keys > 0, "{rows} documents and {keys} objects are left");
    story.fact(
        asked,
        &format!("instance gone; {rows} documents and {keys} objects stay on the servers"),
    );
    Ok(())
}
