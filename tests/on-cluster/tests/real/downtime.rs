//! How long nobody is answered while a version is bumped, beside what the replacement of the pod takes by itself.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use futures::{TryStreamExt, future};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{
    Api, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use on_cluster::{
    Stage,
    patron::Patron,
    stage::upgrades::{UPGRADE, upgraded_by, ways},
};
use serde_json::json;
use tokio::time::timeout;

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

/// A copy is made while nobody has the store open, so its Job's own time is felt as well; the operator adds nothing to it.
#[tokio::test]
async fn a_copy_stops_the_backend_hardly_longer_than_its_job_takes_besides() -> Result<()> {
    played("copied", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let (mut replaced, mut upgraded) = (Vec::new(), Vec::new());
        for version in VERSIONS {
            replaced.push(silence(stage, async || replacement(stage).await).await?);
            let copied = tokio::spawn(copied(stage.all::<Job>()));
            let silent = silence(stage, async || upgrade(stage, version).await).await?;
            upgraded.push((silent, copied.await??));
        }
        println!("replaced {replaced:?}, upgraded and of that copied {upgraded:?}");
        let besides = upgraded.iter().map(|(silent, copied)| silent.saturating_sub(*copied)).min();
        let replaced = replaced.iter().min();
        let most = replaced.copied().unwrap_or_default() + ABOVE;
        ensure!(besides.is_some_and(|it| it <= most), "{upgraded:?} beside {replaced:?}");
        Ok(())
    })
    .await
}

/// How long the next copy takes: from the making of its Job to its end.
async fn copied(jobs: Api<Job>) -> Result<Duration> {
    let is_done = |job: &Job| job.status.as_ref().is_some_and(|it| it.completion_time.is_some());
    let copies = watcher(jobs, watcher::Config::default())
        .applied_objects()
        .try_filter(|job| future::ready(job.name_any().contains("-copy-")));
    let mut copies = pin!(copies);
    let ended = async {
        let mut began: Option<(String, Instant)> = None;
        while let Some(job) = copies.try_next().await? {
            match &began {
                None if !is_done(&job) => began = Some((job.name_any(), Instant::now())),
                Some((name, at)) if is_done(&job) && *name == job.name_any() => {
                    return Ok(at.elapsed());
                }
                _ => {}
            }
        }
        bail!("the watch ended")
    };
    timeout(UPGRADE, ended).await.context("a copy's end")?
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
