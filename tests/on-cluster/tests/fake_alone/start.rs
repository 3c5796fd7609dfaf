//! How much the operator adds to a pod's own start, measured where nothing else runs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use on_cluster::{
    Stage, State,
    stage::{PATIENCE, is_ready, small},
};

use crate::alone;

/// What the operator may add to a pod's own start.
const ADDED: Duration = Duration::from_secs(1);

/// The best of three, so that what is measured is the operator and not the crowd on the machine.
#[tokio::test]
async fn ready_comes_at_most_a_second_after_the_pods_own() -> Result<()> {
    alone("added", async |stage| {
        let mut added = Vec::new();
        for name in ["one", "two", "three"] {
            added.push(self::added(stage, name).await?);
        }
        println!("added to the pods' own start: {added:?}");
        let least = added.iter().min().context("three")?;
        ensure!(*least <= ADDED, "{added:?}");
        Ok(())
    })
    .await
}

async fn added(stage: &Stage, name: &str) -> Result<Duration> {
    let mut follower = stage.follow(name).await?;
    stage.create(&small(name).with("dashboard.enabled", true)).await?;
    let pods = async {
        stage.pod_when(name, is_ready).await?;
        let backend = Instant::now();
        stage
            .until("dashboard", PATIENCE, || async {
                let found: Deployment = stage.get(&format!("{name}-dashboard")).await?;
                Ok(found.status.and_then(|it| it.available_replicas).filter(|it| *it == 1))
            })
            .await?;
        anyhow::Ok(Instant::now().max(backend))
    };
    let ready = async {
        follower.until("Ready", PATIENCE, State::is_settled).await?;
        anyhow::Ok(Instant::now())
    };
    let (pods, ready) = tokio::try_join!(pods, ready)?;
    Ok(ready.saturating_duration_since(pods))
}
