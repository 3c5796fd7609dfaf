//! A status that was lost, that a newer operator wrote, or that nobody can read.

use anyhow::{Context, Result, bail, ensure};
use convex_operator::api::{ConditionStatus, ConvexInstance};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use on_cluster::{
    Stage, State, played,
    stage::{PATIENCE, condition, records::lines, small},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_lost_status_is_rebuilt_to_ready_without_touching_the_pod() -> Result<()> {
    played("forgotten", async |stage| {
        stage.ready(&small("dev")).await?;
        let (pod, before) = (stage.pod("dev").await?, stage.marker("dev").await?);
        let mut follower = stage.follow("dev").await?;
        stage.forgets().await?;
        let lost = |state: &State| state.phase != "Ready";
        follower.until("a lost status", PATIENCE, lost).await?;
        follower.until("Ready", PATIENCE, State::is_settled).await?;
        ensure!(stage.pod("dev").await?.uid() == pod.uid(), "the backend was rolled");
        ensure!(stage.marker("dev").await? == before);
        let status = stage.instance("dev").await?.status.context("a status")?;
        ensure!(status.lifecycle.is_some_and(|it| it.served), "it forgot that it has served");
        Ok(())
    })
    .await
}

/// The data is at the version that opened it last, whatever the spec has come to say meanwhile.
#[tokio::test]
async fn a_status_that_is_lost_together_with_a_bumped_version_is_an_upgrade_and_no_new_start()
-> Result<()> {
    played("bumpless", async |stage| {
        stage.ready(&small("dev").with("version", "v1")).await?;
        let before = stage.marker("dev").await?;
        let mut follower = stage.follow("dev").await?;
        stage.forgets().await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let upgraded = |state: &State| state.is_settled() && state.running == "v2";
        follower.until("Ready with v2", PATIENCE, upgraded).await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        let history = stage.instance("dev").await?.status.context("a status")?.history;
        let edges: Vec<_> = history.iter().map(|it| it.reason.as_str()).collect();
        ensure!(edges.contains(&"UpgradeFinished"), "{edges:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_phase_that_a_newer_operator_wrote_is_left_alone_but_for_one_condition() -> Result<()> {
    played("newer", async |stage| {
        stage.ready(&small("dev")).await?;
        hibernate(stage).await?;
        let unknown = |state: &State| state.reason == "UnknownPhase";
        stage.follow("dev").await?.until("UnknownPhase", PATIENCE, unknown).await?;
        let instance = stage.instance("dev").await?;
        let ready = condition(&instance, "Ready")?;
        ensure!(ready.status == ConditionStatus::Unknown, "{ready:?}");
        let status = instance.status.context("a status")?;
        ensure!(status.phase.as_deref() == Some("Hibernating"), "{:?}", status.phase);
        ensure!(status.message.as_deref() == Some("asleep"), "{:?}", status.message);
        let pod = stage.pod("dev").await?;
        let mark = stage.mark()?;
        stage
            .patch(
                "dev",
                json!({"version": "v2", "backend": {"env": [{"name": "A", "value": "b"}]}}),
            )
            .await?;
        let looked = |state: &State| state.current || state.reason == "UnknownPhase";
        stage.follow("dev").await?.until("a look", PATIENCE, looked).await?;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let mut written = stage.writes_since(mark)?;
        written.retain(|it| it.subresource != "status");
        ensure!(written.is_empty(), "written:\n{}", lines(&written));
        ensure!(stage.pod("dev").await?.uid() == pod.uid(), "the backend was rolled");
        // The newer operator is not coming back: its owner forgets what it wrote, and this one rebuilds.
        stage.forgets().await?;
        stage.settled("dev").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pins_that_a_newer_operator_wrote_are_left_alone() -> Result<()> {
    played("pins", async |stage| {
        stage.ready(&small("dev")).await?;
        let theirs = json!({"status": {"lifecycle": {"home": {"store": "Tape/7"}}}});
        status(stage, &theirs).await?;
        let unknown = |state: &State| state.reason == "UnknownPins";
        stage.follow("dev").await?.until("UnknownPins", PATIENCE, unknown).await?;
        let found = stage.stored("dev").await?;
        ensure!(found["status"]["lifecycle"]["home"]["store"] == "Tape/7", "{found}");
        stage.forgets().await?;
        stage.settled("dev").await?;
        Ok(())
    })
    .await
}

/// The schema knows a date by its form, and ninety-nine hours east of Greenwich are in it.
#[tokio::test]
async fn an_instance_that_cannot_be_read_is_left_alone_and_the_others_go_on() -> Result<()> {
    played("unreadable", async |stage| {
        stage.ready(&small("bad")).await?;
        let history = json!([{"time": "2026-01-01T00:00:00+99:99", "from": "Pending",
            "to": "Provisioning", "reason": "Odd", "message": ""}]);
        let patch = json!({"status": {"history": history}});
        let params = PatchParams::default();
        let raw = stage.instances();
        raw.patch_status("bad", &params, &Patch::Merge(&patch)).await?;
        let unreadable = stage.all::<ConvexInstance>().get("bad").await;
        ensure!(unreadable.is_err(), "it can be read: {unreadable:?}");
        let revision = stage.stored("bad").await?["metadata"]["resourceVersion"].clone();
        stage.ready(&small("good")).await?;
        stage.patch("good", json!({"backend": {"env": [{"name": "A", "value": "b"}]}})).await?;
        stage.settled("good").await?;
        stage.deleted("good").await?;
        let now = stage.stored("bad").await?["metadata"]["resourceVersion"].clone();
        ensure!(now == revision, "it was touched");
        let mended = json!({"status": {"history": null}});
        raw.patch_status("bad", &params, &Patch::Merge(&mended)).await?;
        stage.settled("bad").await?;
        Ok(())
    })
    .await
}

async fn status(stage: &Stage, patch: &Value) -> Result<()> {
    let instances = stage.all::<ConvexInstance>();
    instances.patch_status("dev", &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}

/// No rule lets a known phase become an unknown one, so the status is lost first; the operator may be quicker.
async fn hibernate(stage: &Stage) -> Result<()> {
    for _ in 0..20 {
        status(stage, &json!({"status": {"phase": null, "stage": null}})).await?;
        let theirs = json!({"status": {"phase": "Hibernating", "message": "asleep"}});
        if status(stage, &theirs).await.is_ok() {
            return Ok(());
        }
        stage.settled("dev").await?;
    }
    bail!("the operator was quicker twenty times")
}
