//! Pods that do not come up: why is told and kept, nothing runs hot meanwhile, and a mended spec heals.

use std::time::Duration;

use anyhow::{Result, ensure};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{ConfigMap, Pod, ResourceQuota},
};
use kube::api::DeleteParams;
use on_cluster::{
    Instance, Stage, State, played,
    stage::{PATIENCE, condition, pod_name, records::lines, small},
};
use serde_json::{Value, json};

/// Passes that a pod in trouble may cause in these seconds; each asks for two Secrets, or three.
const HOT: usize = 60;
const WATCHED: Duration = Duration::from_secs(10);

fn hasty(name: &str) -> Instance {
    small(name).with("version", "v1").with("maintenance.provisionDeadlineSeconds", 2)
}

#[tokio::test]
async fn an_image_that_does_not_exist_is_named_and_a_good_version_heals() -> Result<()> {
    let bad = hasty("dev").with("version", "mistyped");
    trouble("noimage", bad, "ImagePullFailed", &["mistyped"], json!({"version": "v1"})).await
}

#[tokio::test]
async fn a_crash_is_told_with_its_last_line_and_a_good_version_heals() -> Result<()> {
    let bad = hasty("dev").with(
        "backend.env",
        json!([{"name": "STANDIN_CRASH_VERSIONS", "value": "v1"},
            {"name": "STANDIN_CRASH_MESSAGE", "value": "disk on fire at postgres://me:hush@db/x"}]),
    );
    let words = ["disk on fire", "postgres://<redacted>@db/x"];
    trouble("crash", bad, "BackendCrashing", &words, json!({"version": "v2"})).await
}

/// Neither is a backend made that could not start, nor is one forgotten that cannot start any more.
#[tokio::test]
async fn a_variable_whose_source_is_missing_is_told_and_heals_once_that_is_there() -> Result<()> {
    let from = json!({"configMapKeyRef": {"name": "nowhere", "key": "it"}});
    let bad = hasty("dev").with("backend.env", json!([{"name": "A", "valueFrom": from}]));
    let source = || json!({"metadata": {"name": "nowhere"}, "data": {"it": "here"}});
    played("nosource", async |stage| {
        stage.create(&bad).await?;
        let state = stage.because("dev", "ReferenceMissing").await?;
        says(&state, &["\"nowhere\"", "(A)"])?;
        is_kept_and_cool(stage, "ReferenceMissing").await?;
        ensure!(stage.all::<StatefulSet>().get_opt("dev-backend").await?.is_none(), "it is made");
        stage.make::<ConfigMap>(source()).await?;
        stage.because("dev", "Serving").await?;
        stage.all::<ConfigMap>().delete("nowhere", &DeleteParams::default()).await?;
        stage.all::<Pod>().delete(&pod_name("dev"), &DeleteParams::default()).await?;
        says(&stage.because("dev", "ReferenceMissing").await?, &["\"nowhere\"", "(A)"])?;
        stage.make::<ConfigMap>(source()).await?;
        stage.because("dev", "Serving").await?;
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_backend_that_never_gets_ready_is_told_and_a_good_version_heals() -> Result<()> {
    let bad = hasty("dev")
        .with("backend.env", json!([{"name": "STANDIN_UNREADY_VERSIONS", "value": "v1"}]));
    trouble("unready", bad, "BackendSilent", &["does not answer"], json!({"version": "v2"})).await
}

#[tokio::test]
async fn a_backend_that_refuses_the_key_is_never_ready_and_a_good_version_heals() -> Result<()> {
    let bad = hasty("dev")
        .with("backend.env", json!([{"name": "STANDIN_REJECT_KEY_VERSIONS", "value": "v1"}]));
    trouble("deaf", bad, "AdminKeyRejected", &["INSTANCE_SECRET"], json!({"version": "v2"})).await
}

#[tokio::test]
async fn a_pod_that_fits_on_no_node_is_told_and_smaller_requests_heal() -> Result<()> {
    let bad = hasty("dev").with("backend.resources", json!({"requests": {"cpu": "9999"}}));
    let mended = json!({"backend": {"resources": {"requests": {"cpu": "10m"}}}});
    trouble("nofit", bad, "Unschedulable", &["Insufficient cpu"], mended).await
}

/// The class of a claim cannot change: what heals is a class of that name, or a new instance.
#[tokio::test]
async fn a_claim_of_an_unknown_class_names_the_classes_that_there_are() -> Result<()> {
    played("noclass", async |stage| {
        let bad = hasty("dev").with("backend.storage.pvc.storageClassName", "fst");
        stage.create(&bad).await?;
        let state = degraded(stage, "VolumePending").await?;
        says(&state, &["\"fst\"", "standard"])?;
        stage.deleted("dev").await
    })
    .await
}

async fn trouble(
    test: &str,
    bad: Instance,
    reason: &str,
    words: &[&str],
    mended: Value,
) -> Result<()> {
    played(test, async |stage| {
        stage.create(&bad).await?;
        let state = degraded(stage, reason).await?;
        says(&state, words)?;
        is_kept_and_cool(stage, reason).await?;
        stage.patch("dev", mended).await?;
        let state = stage.settled("dev").await?;
        ensure!(state.phase == "Ready", "{state}");
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}

async fn degraded(stage: &Stage, reason: &str) -> Result<State> {
    let so = |state: &State| state.phase == "Degraded" && state.reason == reason;
    let what = format!("Degraded with {reason}");
    stage.follow("dev").await?.until(&what, PATIENCE, so).await
}

/// A pod that is tried again and again says its cause and unsays it; the status says it all the time.
async fn is_kept_and_cool(stage: &Stage, reason: &str) -> Result<()> {
    let mark = stage.mark()?;
    let otherwise = |state: &State| state.reason != reason;
    let lost = stage.follow("dev").await?.until("another cause", WATCHED, otherwise).await;
    ensure!(lost.is_err(), "the cause was not kept: {lost:?}");
    let asked = stage.requests_since(mark)?;
    let tried = stage.all::<Pod>().get(&pod_name("dev")).await.is_ok();
    println!("{reason}: {} requests in {WATCHED:?}, pod there: {tried}", asked.len());
    ensure!(asked.len() <= HOT, "{} requests:\n{}", asked.len(), lines(&asked));
    let writes = asked.iter().filter(|it| it.is_write()).count();
    ensure!(writes <= 10, "{writes} writes:\n{}", lines(&asked));
    Ok(())
}

fn says(state: &State, words: &[&str]) -> Result<()> {
    let silent: Vec<_> = words.iter().filter(|word| !state.message.contains(**word)).collect();
    ensure!(silent.is_empty(), "nothing of {silent:?} in: {state}");
    Ok(())
}

/// Nobody tells it on the instance's own objects: the StatefulSet has no condition for it, the Deployment has.
#[tokio::test]
async fn pods_that_may_not_be_made_are_told_and_come_once_they_may() -> Result<()> {
    played("quota", async |stage| {
        let quota = json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
        stage.make::<ResourceQuota>(quota).await?;
        stage
            .until("quota in force", PATIENCE, || async {
                let quota = stage.get::<ResourceQuota>("none").await?;
                Ok(quota.status.and_then(|it| it.hard).map(|_| ()))
            })
            .await?;
        stage.create(&Instance::dev("dev")).await?;
        let state = stage.because("dev", "PodNotMade").await?;
        says(&state, &["kubectl describe statefulset dev-backend", "quota"])?;
        let instance = stage.instance("dev").await?;
        let dashboard = condition(&instance, "DashboardReady")?;
        ensure!(dashboard.reason == "PodRefused", "{dashboard:?}");
        ensure!(dashboard.message.contains("exceeded quota"), "{dashboard:?}");
        let more = json!({"spec": {"hard": {"pods": "10"}}});
        stage.merge::<ResourceQuota>("none", more).await?;
        // Both controllers of Kubernetes wait longer and longer before they try again; a touch is a reason to.
        let touch = json!({"metadata": {"annotations": {"example.org/again": "1"}}});
        stage.merge::<StatefulSet>("dev-backend", touch.clone()).await?;
        stage.merge::<Deployment>("dev-dashboard", touch).await?;
        stage.settled("dev").await?;
        Ok(())
    })
    .await
}
