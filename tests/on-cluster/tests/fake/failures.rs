//! What goes wrong while a way back is made: the old version serves on, the message says what to do, and another try gets
//! it going once the cause is gone.

use anyhow::{Result, ensure};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{ResourceExt, api::ListParams};
use on_cluster::{
    Stage, played,
    stage::{
        data::Data,
        upgrades::{UPGRADE, steered, steering, upgraded_by, ways},
    },
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
        serves_on(stage, &data).await?;
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

/// Users are in, on the old version, with everything there was.
async fn serves_on(stage: &Stage, data: &Data) -> Result<()> {
    stage
        .until("users who are let in", UPGRADE, || async {
            Ok((!stage.door("dev").await?.is_paused().await?).then_some(()))
        })
        .await?;
    let door = stage.door("dev").await?;
    ensure!(door.version().await? == "v1");
    door.write("meanwhile", json!({"text": "while it is degraded"})).await?;
    stage.has_all("dev", data).await
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
        serves_on(stage, &data).await?;
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

#[tokio::test]
async fn a_job_that_is_deleted_while_it_runs_is_made_again() -> Result<()> {
    played("job-gone", async |stage| {
        stage.ready(&steered(ways::export(), &[("EXPORT_STALLS", "v1")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let job = stage.job("export").await?;
        worker(stage, "export").await?;
        stage.remove::<Job>(&job.name_any()).await?;
        stage
            .until("another Job", UPGRADE, || async {
                let now = stage.all::<Job>().get_opt(&job.name_any()).await?;
                Ok(now.filter(|it| it.uid() != job.uid()))
            })
            .await?;
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await?;
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_worker_that_is_thrown_out_is_started_again_and_goes_on() -> Result<()> {
    played("evicted", async |stage| {
        stage.ready(&steered(ways::export(), &[("EXPORT_STALLS", "v1")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let pod = worker(stage, "export").await?;
        let out = json!({"metadata": {"annotations": {"fake-node/evict": "too much memory"}}});
        stage.merge::<Pod>(&pod, out).await?;
        stage
            .until("another pod", UPGRADE, || async {
                Ok(worker(stage, "export").await.ok().filter(|it| *it != pod))
            })
            .await?;
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await?;
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}

/// The pod that works on this errand now.
async fn worker(stage: &Stage, errand: &str) -> Result<String> {
    stage
        .until(&format!("a pod that carries out {errand}"), UPGRADE, || async {
            let all = stage.all::<Pod>().list(&ListParams::default()).await?;
            let runs = |it: &&Pod| {
                let phase = it.status.as_ref().and_then(|status| status.phase.as_deref());
                let named = it.name_any().contains(&format!("-{errand}-"));
                named && phase == Some("Running") && it.metadata.deletion_timestamp.is_none()
            };
            Ok(all.items.iter().find(runs).map(ResourceExt::name_any))
        })
        .await
}

/// Whoever guesses the name of a Job has it taken for nothing: it is neither believed nor touched.
#[tokio::test]
async fn a_job_of_somebody_else_that_is_complete_counts_for_nothing() -> Result<()> {
    played("stranger", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let upgrade =
            stage.until("an upgrade", UPGRADE, || async { stage.pinned("dev").await }).await?;
        let name = format!("dev-copy-{}-1", upgrade.id.0);
        let pod = json!({"restartPolicy": "Never", "containers": [{"name": "copy",
            "image": "stand-in.test/convex-backend:v1", "command": ["/bin/sh", "-c", "exit 0"]}]});
        let job = json!({"metadata": {"name": name}, "spec": {"template": {"spec": pod}}});
        stage.make::<Job>(job).await?;
        let told = |state: &on_cluster::State| state.message.contains(&name);
        stage.follow("dev").await?.until("a word about the stranger", UPGRADE, told).await?;
        ensure!(!stage.claims().await?.is_empty() && stage.pinned("dev").await?.is_some());
        stage.remove::<Job>(&name).await?;
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await?;
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}
