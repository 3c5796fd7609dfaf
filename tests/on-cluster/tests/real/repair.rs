//! What was taken away comes back, with the data, and never twice.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cluster::wait;
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use kube::{ResourceExt, api::DeleteParams};
use on_cluster::{Stage, container, reach::Marker};

use crate::stage::{PATIENCE, played, small};

/// A backend that heeds SIGINT ends at once, one that does not is killed after 60 s.
const GRACEFUL: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_deleted_pod_ends_gracefully_and_comes_back_with_its_data() -> Result<()> {
    played("deleted", async |stage| {
        stage.ready(&small("dev")).await?;
        let (before, old) = (stage.marker("dev").await?, stage.pod("dev").await?);
        let asked = Instant::now();
        stage.all::<Pod>().delete(&old.name_any(), &DeleteParams::default()).await?;
        wait::until("end of the old pod", PATIENCE, &[], || async {
            let now = stage.all::<Pod>().get_opt(&old.name_any()).await?;
            Ok((now.and_then(|pod| pod.uid()) != old.uid()).then_some(()))
        })
        .await?;
        let took = asked.elapsed();
        ensure!(took < GRACEFUL, "it took {took:?}: was it told to stop?");
        stage.pod_when("dev", |pod| pod.uid() != old.uid()).await?;
        is_the_same_data(stage, &before).await?;
        let events = stage.journal("dev-data").await?;
        ensure!(events == ["start", "stop", "start"], "{events:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_killed_backend_is_started_again_and_is_no_second_writer() -> Result<()> {
    played("killed", async |stage| {
        stage.ready(&small("dev")).await?;
        let (before, pod) = (stage.marker("dev").await?, stage.pod("dev").await?);
        container::kill(&pod, "backend")?;
        let restarted = |pod: &Pod| {
            container::status(pod, "backend").is_ok_and(|status| status.restart_count == 1)
        };
        let again = stage.pod_when("dev", restarted).await?;
        ensure!(again.uid() == pod.uid(), "the pod itself was replaced");
        is_the_same_data(stage, &before).await?;
        let events = stage.journal("dev-data").await?;
        ensure!(events == ["start", "start"], "it was not killed: {events:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deleted_stateful_set_is_made_again_and_its_pod_is_never_two() -> Result<()> {
    played("unset", async |stage| {
        stage.ready(&small("dev")).await?;
        let (before, old) = (stage.marker("dev").await?, stage.pod("dev").await?);
        let sets = stage.all::<StatefulSet>();
        sets.delete("dev-backend", &DeleteParams::background()).await?;
        stage.pod_when("dev", |pod| pod.uid() != old.uid()).await?;
        is_the_same_data(stage, &before).await
    })
    .await
}

async fn is_the_same_data(stage: &Stage, before: &Marker) -> Result<()> {
    stage.settled("dev").await?;
    let after = stage.marker("dev").await?;
    ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
    ensure!(after.starts == before.starts + 1, "{before:?} became {after:?}");
    Ok(())
}
