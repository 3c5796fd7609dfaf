//! How long nobody is answered while a version is bumped, beside what the replacement of the pod takes by itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use on_cluster::{Stage, patron::Patron, stage::upgrades::upgraded_by};
use serde_json::json;

use crate::stage::played;

/// A crowded machine makes one of them slow now and then; the better one tells what it takes.
const VERSIONS: [&str; 2] = ["v2", "v3"];
const ABOVE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_upgrade_in_place_stops_the_backend_hardly_longer_than_the_replacement_of_its_pod()
-> Result<()> {
    played("downtime", async |stage| {
        let off = upgraded_by(json!({"preUpgradeSnapshot": "Off"}));
        stage.ready(&off).await?;
        let (mut replaced, mut upgraded) = (Vec::new(), Vec::new());
        for version in VERSIONS {
            replaced.push(silence(stage, async || replacement(stage).await).await?);
            upgraded.push(silence(stage, async || upgrade(stage, version).await).await?);
        }
        println!("replaced {replaced:?}, upgraded {upgraded:?}");
        let (replaced, upgraded) = (replaced.iter().min(), upgraded.iter().min());
        let most = replaced.copied().unwrap_or_default() + ABOVE;
        ensure!(upgraded.is_some_and(|it| *it <= most), "{upgraded:?} beside {replaced:?}");
        Ok(())
    })
    .await
}

/// For how long `/version` has no answer while this is done.
async fn silence(stage: &Stage, act: impl AsyncFnOnce() -> Result<()>) -> Result<Duration> {
    let patron = Patron::of(stage.client(), stage.namespace(), "dev", "/version");
    act().await?;
    let gaps = patron.stopped().await?;
    ensure!(gaps.count() > 0, "it was never silent");
    Ok(gaps.total())
}

async fn replacement(stage: &Stage) -> Result<()> {
    let before = stage.pod("dev").await?;
    stage.remove::<Pod>(&before.name_any()).await?;
    stage.pod_when("dev", |pod| pod.uid() != before.uid()).await?;
    stage.settled("dev").await.map(drop)
}

async fn upgrade(stage: &Stage, version: &str) -> Result<()> {
    stage.patch("dev", json!({ "version": version })).await?;
    stage.runs("dev", version).await.map(drop)
}
