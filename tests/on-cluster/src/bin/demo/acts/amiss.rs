//! The sample for production with everything amiss that somebody else has to mend: each is told, and goes by itself once it is.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cluster::{NodeKind, description::Description};
use on_cluster::{Beside, Follower, State, edge};
use serde_json::{Value, json};

use super::{hosts, production};
use crate::{
    scene::Scene,
    story::{Story, seconds},
};

/// The kubelet's pauses between two causes, one after the other, are among it.
const PATIENCE: Duration = Duration::from_mins(3);
/// What somebody forgot to make.
const BUCKET: &str = "orders-late";

/// How many parts there are.
pub const PARTS: usize = 4;

/// Plays all parts after the operator is there.
///
/// # Errors
/// A server does not start, or a fact did not come true in time.
pub async fn show(scene: &Scene, cluster: &Description, story: &mut Story) -> Result<()> {
    let beside = production::servers(scene, cluster, story).await?;
    let routed = hosts::prepare(scene, cluster).await?.is_some() && cluster.node == NodeKind::Real;
    beside.postgres.role(scene.name(), "another")?;
    let late = json!({"data": {"BUCKET_NAME": BUCKET}}).to_string();
    scene.kubectl(&["patch", "configmap", "orders-bucket", "--patch", &late]).await?;
    if routed {
        scene.kubectl.apply(&scene.namespace, &closed().to_string()).await?;
    }
    let mut follower = scene.follow().await?;
    let began = Instant::now();
    scene.kubectl.apply(&scene.namespace, &scene.sample).await?;

    story.part("password", "the server knows another password than the Secret says");
    told(scene, &mut follower, "DatabaseLoginFailed", began, story).await?;
    let began = Instant::now();
    beside.postgres.role(scene.name(), beside.canary())?;

    story.part("bucket", "the bucket was never made");
    told(scene, &mut follower, "BucketMissing", began, story).await?;
    let began = Instant::now();
    beside.s3.bucket(BUCKET, "orders-user")?;

    story.part("route", "the listeners of the shared Gateway let nobody of this namespace in");
    if routed {
        told(scene, &mut follower, "NotAllowedByListeners", began, story).await?;
        scene.kubectl.apply(&scene.namespace, &edge::shared().to_string()).await?;
    }
    let mended = Instant::now();
    follower.until("Ready", PATIENCE, State::is_settled).await?;
    story.fact(mended, "Ready: nothing was said to the operator, and nothing restarted by hand");
    story.fact(began, &searched(scene, &beside).await?);
    Ok(())
}

/// Listeners for namespaces that carry a label which none has.
fn closed() -> Value {
    let mut gateway = edge::shared();
    let nobody = json!({"namespaces": {"from": "Selector",
        "selector": {"matchLabels": {"nobody": "has-this"}}}});
    let listeners = gateway["spec"]["listeners"].as_array_mut();
    listeners.into_iter().flatten().for_each(|it| it["allowedRoutes"] = nobody.clone());
    gateway
}

/// Waits until that is why the instance is not Ready, and prints what its status says of it.
async fn told(
    scene: &Scene,
    follower: &mut Follower,
    reason: &str,
    began: Instant,
    story: &Story,
) -> Result<()> {
    follower.until(reason, PATIENCE, |state| state.reason == reason).await?;
    let took = seconds(began.elapsed());
    story
        .fact(began, &format!("kubectl get cvx {} -o yaml, {took} after the cause:", scene.name()));
    let yaml = scene.kubectl(&["get", "cvx", scene.name(), "--output", "yaml"]).await?;
    let status = yaml.lines().skip_while(|line| *line != "status:");
    status.for_each(|line| println!("          {line}"));
    Ok(())
}

/// The password of the database and the key of the bucket, looked for in everything but Secrets that the namespace holds, and in
/// every log.
async fn searched(scene: &Scene, beside: &Beside) -> Result<String> {
    let kinds = "configmaps,convexinstances,deployments,events,jobs,pods,services,statefulsets";
    let mut texts = vec![scene.kubectl(&["get", kinds, "--output", "json"]).await?];
    let pods = scene.kubectl(&["get", "pods", "--output", "name"]).await?;
    for pod in pods.lines() {
        texts.push(scene.kubectl(&["logs", pod, "--all-containers"]).await?);
    }
    let operator = ["logs", "--namespace", "convex-system", "deployment/convex-operator"];
    texts.push(scene.kubectl.run(&operator).await?);
    let found = texts.iter().filter(|it| it.contains(beside.canary())).count();
    let bytes: usize = texts.iter().map(String::len).sum();
    ensure!(found == 0, "a password is in {found} of {} answers", texts.len());
    Ok(format!("the passwords are in none of {bytes} bytes of objects, Events and logs"))
}
