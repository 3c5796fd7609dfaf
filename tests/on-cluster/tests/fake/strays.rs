//! Backends that nobody counts any more still write: one that lost its labels, one whose instance was deleted by
//! force. No second one is started, and no instance goes before them.

use anyhow::{Result, ensure};
use convex_operator::api::{ConditionStatus, ConvexInstance};
use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::DeleteParams};
use on_cluster::{
    Stage, State, played,
    stage::{PATIENCE, condition, small},
};
use serde_json::{Value, json};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Its processes run on after the pod was told to end.
async fn hang(stage: &Stage, pod: &str, hangs: bool) -> Result<()> {
    let value = if hangs { json!("true") } else { Value::Null };
    let fault = json!({"metadata": {"annotations": {"fake-node/hang-on-termination": value}}});
    stage.merge::<Pod>(pod, fault).await?;
    Ok(())
}

async fn unlabelled(stage: &Stage, pod: &str, label: &str) -> Result<()> {
    stage.merge::<Pod>(pod, json!({"metadata": {"labels": {(label): null}}})).await?;
    Ok(())
}

#[tokio::test]
async fn a_pod_that_lost_our_label_serves_and_is_waited_for_at_the_end() -> Result<()> {
    played("unlabelled", async |stage| {
        stage.ready(&small("dev")).await?;
        let pod = stage.pod("dev").await?.name_any();
        unlabelled(stage, &pod, MANAGED_BY).await?;
        hang(stage, &pod, true).await?;
        looked_at_twice(stage, &pod).await?;
        let instance = stage.instance("dev").await?;
        let available = condition(&instance, "Available")?.status;
        ensure!(available == ConditionStatus::True, "it is held to be away");
        stage.all::<ConvexInstance>().delete("dev", &DeleteParams::default()).await?;
        let state = stage.because("dev", "ChildrenLeaving").await?;
        ensure!(state.phase == "Deleting", "{state}");
        let names = [format!("waiting for pod/{pod},"), "statefulset/".to_owned()];
        let gone = |state: &State| {
            state.message.starts_with(&names[0]) && !state.message.contains(&names[1])
        };
        stage.follow("dev").await?.until("end of the StatefulSet", PATIENCE, gone).await?;
        looked_at_twice(stage, &pod).await?;
        ensure!(!stage.instance("dev").await?.finalizers().is_empty(), "it went before its pod");
        hang(stage, &pod, false).await?;
        stage.follow("dev").await?.gone(PATIENCE, |_| {}).await
    })
    .await
}

/// Without its selector's labels nobody owns the pod any more: neither the `StatefulSet` nor the garbage collector
/// ends it.
#[tokio::test]
async fn a_pod_that_nobody_owns_any_more_is_named_and_waited_for() -> Result<()> {
    played("orphan", async |stage| {
        stage.ready(&small("dev")).await?;
        let pod = stage.pod("dev").await?.name_any();
        unlabelled(stage, &pod, "app.kubernetes.io/component").await?;
        stage
            .until("release by the controller", PATIENCE, || async {
                let owners = stage.pod("dev").await?.owner_references().len();
                Ok((owners == 0).then_some(()))
            })
            .await?;
        stage.all::<ConvexInstance>().delete("dev", &DeleteParams::default()).await?;
        let told = |state: &State| {
            state.message.contains(&format!("pod/{pod} (kept by nobody: delete it)"))
        };
        let mut follower = stage.follow("dev").await?;
        follower.until("the pod named", PATIENCE, told).await?;
        stage.all::<Pod>().delete(&pod, &DeleteParams::default()).await?;
        follower.gone(PATIENCE, |_| {}).await
    })
    .await
}

#[tokio::test]
async fn a_claim_that_a_pod_of_an_earlier_instance_still_writes_to_is_not_opened() -> Result<()> {
    played("stillopen", async |stage| {
        stage.ready(&small("old")).await?;
        let pod = stage.pod("old").await?.name_any();
        hang(stage, &pod, true).await?;
        stage.all::<ConvexInstance>().delete("old", &DeleteParams::default()).await?;
        stage.because("old", "ChildrenLeaving").await?;
        let forced = json!({"metadata": {"finalizers": null}});
        stage.merge::<ConvexInstance>("old", forced).await?;
        let heir = small("heir")
            .with("backend.storage.pvc.existingClaim", "old-data")
            .with("backend.instance", json!({"secretRef": "old-instance"}));
        stage.create(&heir).await?;
        let state = stage.because("heir", "ClaimInUse").await?;
        ensure!(state.phase == "Pending" && state.message.contains(&pod), "{state}");
        ensure!(stage.pod("heir").await.is_err(), "a second backend");
        hang(stage, &pod, false).await?;
        stage.settled("heir").await?;
        let journal = stage.journal("old-data").await?;
        ensure!(!journal.contains(&"second_writer".to_owned()), "{journal:?}");
        stage.marker("heir").await?;
        Ok(())
    })
    .await
}

/// The operator asks for the pod by name, since the watch does not know it any more. One instance is never looked
/// at twice at a time: with the second question the first look has come to its end.
async fn looked_at_twice(stage: &Stage, pod: &str) -> Result<()> {
    for time in ["first", "second"] {
        let mark = stage.mark()?;
        let touch = json!({"metadata": {"annotations": {"example.org/look": time}}});
        stage.merge::<ConvexInstance>("dev", touch).await?;
        stage
            .until("a look at the pod", PATIENCE, || async {
                let asked = stage.requests_since(mark)?;
                let found = asked
                    .iter()
                    .any(|it| it.verb == "get" && it.resource == "pods" && it.name == pod);
                Ok(found.then_some(()))
            })
            .await?;
    }
    Ok(())
}
