//! What goes wrong while a way back is made: the old version serves on, the message says what to do, and another try gets
//! it going once the cause is gone.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use on_cluster::{
    Stage, played,
    stage::upgrades::{UPGRADE, steered, steering, upgraded_by, ways},
};
use serde_json::{Value, json};

/// With a deadline that is soon over, for what never ends by itself.
fn soon(mut maintenance: Value) -> Value {
    maintenance["exportDeadlineSeconds"] = 20.into();
    maintenance
}

#[tokio::test]
async fn an_export_that_is_never_taken_up_ends_at_its_deadline() -> Result<()> {
    fails("export-stalls", "EXPORT_STALLS", soon(ways::export()), "20s").await
}

#[tokio::test]
async fn an_export_that_hangs_ends_at_its_deadline() -> Result<()> {
    fails("export-hangs", "EXPORT_NEVER_COMPLETES", soon(ways::export()), "20s").await
}

/// The backend never says that an export failed; that somebody has canceled it, it does.
#[tokio::test]
async fn an_export_that_is_canceled_is_no_way_back() -> Result<()> {
    fails("export-canceled", "EXPORT_CANCELED", soon(ways::export()), "the export was canceled")
        .await
}

#[tokio::test]
async fn an_export_that_is_cut_off_is_no_way_back() -> Result<()> {
    fails("export-cut", "EXPORT_TRUNCATED", soon(ways::fresh_store()), "SnapshotTruncated").await
}

#[tokio::test]
async fn an_export_with_a_wrong_checksum_is_no_way_back() -> Result<()> {
    let maintenance = soon(ways::same_store());
    fails("export-damaged", "EXPORT_WRONG_CHECKSUM", maintenance, "SnapshotCorrupt").await
}

#[tokio::test]
async fn an_export_that_lies_about_its_size_is_no_way_back() -> Result<()> {
    fails("export-lies", "EXPORT_SIZE_LIES", soon(ways::export()), "SizeDiffers").await
}

/// An export is as large as the one before it, or larger: what there is no room for is not asked for again.
#[tokio::test]
async fn an_export_that_there_is_no_room_for_is_told_and_the_old_version_serves_on() -> Result<()> {
    played("export-huge", async |stage| {
        stage.ready(&steered(soon(ways::export()), &[("EXPORT_SIZE_HUGE", "v1")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.degrades("dev", "ExportFailed").await?;
        ensure!(state.message.contains("NoRoom"), "{state}");
        ensure!(state.message.contains("spec.maintenance.snapshots.size"), "what to do: {state}");
        stage.serves_on(&data).await?;
        stage.patch("dev", json!({"version": "v1"})).await?;
        stage.ends_well(&data, "v1").await
    })
    .await
}

#[tokio::test]
async fn an_export_whose_download_breaks_off_is_no_way_back() -> Result<()> {
    fails("export-broken", "EXPORT_LENGTH_LIES", soon(ways::export()), "BackendRefused").await
}

/// Fails for as long as the backend misbehaves; the old version serves, and the next try succeeds.
async fn fails(test: &str, fault: &str, maintenance: Value, words: &str) -> Result<()> {
    played(test, async |stage| {
        let fresh = maintenance["exportImport"]["into"] == "FreshStore";
        stage.ready(&steered(maintenance, &[(fault, "v1")])).await?;
        let data = stage.fill("dev").await?;
        let before = stage.marker("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = degraded(stage).await?;
        ensure!(state.message.contains(words), "{words} is not told: {state}");
        for advice in ["set spec.version to v1", "convex.icod.de/retry"] {
            ensure!(state.message.contains(advice), "{advice} is not told: {state}");
        }
        stage.serves_on(&data).await?;
        ensure!(stage.marker("dev").await?.starts == before.starts, "the backend was restarted");
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        stage.pod_when("dev", |pod| !misbehaves(pod)).await?;
        stage.retry("dev", "1").await?;
        if fresh {
            stage.lacks_functions("dev").await?;
            stage.deploy("dev").await?;
        }
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await?;
        stage.marker("dev").await?;
        stage.never_two_writers().await
    })
    .await
}

fn misbehaves(pod: &Pod) -> bool {
    serde_json::to_string(&pod.spec).is_ok_and(|spec| spec.contains("STANDIN_EXPORT"))
}

async fn degraded(stage: &Stage) -> Result<on_cluster::State> {
    let so = |state: &on_cluster::State| state.phase == "Degraded";
    stage.follow("dev").await?.until("Degraded", UPGRADE, so).await
}

#[tokio::test]
async fn an_image_that_does_not_exist_costs_no_downtime_and_another_version_heals_it() -> Result<()>
{
    played("no-image", async |stage| {
        stage.ready(&upgraded_by(soon(ways::copy()))).await?;
        let data = stage.fill("dev").await?;
        let (before, pod) = (stage.marker("dev").await?, stage.pod("dev").await?);
        stage.patch("dev", json!({"version": "mistyped"})).await?;
        let state = stage.degrades("dev", "ImagePullFailed").await?;
        ensure!(state.message.contains("mistyped") && state.running == "v1", "{state}");
        stage.serves_on(&data).await?;
        ensure!(stage.marker("dev").await?.starts == before.starts, "the backend was restarted");
        ensure!(stage.pod("dev").await?.uid() == pod.uid(), "the pod was replaced");
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await?;
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}
