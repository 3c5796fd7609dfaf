//! What happens to the Jobs of an upgrade and to their pods: another one goes on, and what nobody reported counts for nothing.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{ResourceExt, api::ListParams};
use on_cluster::{
    Stage, State, played,
    stage::{
        data::Data,
        upgrades::{UPGRADE, steered, steering, upgraded_by, ways},
    },
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_job_that_is_deleted_while_it_runs_is_made_again() -> Result<()> {
    disturbed("job-gone", async |stage, _| {
        let job = stage.job("export").await?;
        stage.remove::<Job>(&job.name_any()).await?;
        stage
            .until("another Job", UPGRADE, || async {
                let now = stage.all::<Job>().get_opt(&job.name_any()).await?;
                Ok(now.filter(|it| it.uid() != job.uid()).map(drop))
            })
            .await
    })
    .await
}

#[tokio::test]
async fn a_worker_that_is_thrown_out_is_started_again_and_goes_on() -> Result<()> {
    disturbed("evicted", async |stage, pod| {
        replaced(stage, pod, json!({"fake-node/evict": "too much memory"})).await
    })
    .await
}

#[tokio::test]
async fn a_worker_that_is_killed_for_its_memory_is_started_again_and_goes_on() -> Result<()> {
    disturbed("oom", async |stage, pod| {
        replaced(stage, pod, json!({"fake-node/oom-kill": "true"})).await?;
        let ended = stage.get::<Pod>(pod).await?.status.context("a status")?;
        let ended = serde_json::to_string(&ended.container_statuses)?;
        ensure!(ended.contains("OOMKilled"), "{ended}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_copy_whose_worker_is_thrown_out_is_begun_again_by_another_one() -> Result<()> {
    thrown_out("evicted-copy", "copy", ways::copy()).await
}

#[tokio::test]
async fn an_import_whose_worker_is_thrown_out_is_begun_again_by_another_one() -> Result<()> {
    thrown_out("evicted-import", "import", ways::same_store()).await
}

/// The first worker of this errand is thrown out as soon as it is there; another one does it, in the same attempt.
async fn thrown_out(test: &str, errand: &str, way: Value) -> Result<()> {
    played(test, async |stage| {
        let first = format!("dev-{errand}-*-1-*");
        stage.meets(&first, "evict")?;
        stage.ready(&upgraded_by(way)).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let told = |state: &State| state.message.contains("it is begun again, by worker 2 of 5");
        stage.follow("dev").await?.until("a word of the next worker", UPGRADE, told).await?;
        stage.spares(&first)?;
        stage.ends_well(&data, "v2").await?;
        let last = stage.job(errand).await?.name_any();
        ensure!(last.contains("-1-"), "{last} is of another attempt");
        Ok(())
    })
    .await
}

/// What its worker would say of it counts for nothing, and the pod of a worker that has ended would keep it.
#[tokio::test]
async fn the_claim_of_a_copy_that_somebody_deletes_is_made_anew_with_its_job() -> Result<()> {
    played("copy-claim-gone", async |stage| {
        let data = lost_its_copier(stage, ways::copy()).await?;
        let all = stage.all::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
        let copy = all.items.into_iter().find(|it| it.name_any().starts_with("dev-copy-"));
        let copy = copy.context("the claim of the copy")?;
        stage.remove::<PersistentVolumeClaim>(&copy.name_any()).await?;
        stage
            .until("another claim", UPGRADE, || async {
                let claims = stage.all::<PersistentVolumeClaim>();
                let now = claims.get_opt(&copy.name_any()).await?;
                Ok(now.filter(|it| it.uid() != copy.uid()).map(drop))
            })
            .await?;
        stage.spares(COPIERS)?;
        stage.ends_well(&data, "v2").await?;
        ensure!(stage.job("copy").await?.name_any().contains("-1"), "another attempt was made");
        Ok(())
    })
    .await
}

/// Nothing but another attempt exports anew: whoever waited would be waited for in vain, with the backend stopped.
#[tokio::test]
async fn a_payload_that_somebody_deletes_while_a_copy_is_made_ends_the_attempt_at_once()
-> Result<()> {
    played("payload-gone", async |stage| {
        let data = lost_its_copier(stage, ways::same_store()).await?;
        stage.remove::<PersistentVolumeClaim>("dev-snapshots").await?;
        let state = stage.degrades("dev", "ExportGone").await?;
        ensure!(!state.message.contains("is kept"), "an export is promised: {state}");
        stage.serves_on(&data).await?;
        stage.spares(COPIERS)?;
        stage.retry("dev", "once-more").await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}

/// The pods of an attempt's first worker that copies.
const COPIERS: &str = "dev-copy-*-1-*";

/// An instance with data, on its way to v2 in this way, whose first worker that copies was thrown out: another one is awaited.
async fn lost_its_copier(stage: &Stage, way: Value) -> Result<Data> {
    stage.meets(COPIERS, "evict")?;
    stage.ready(&upgraded_by(way)).await?;
    let data = stage.fill("dev").await?;
    stage.patch("dev", json!({"version": "v2"})).await?;
    let told = |state: &State| state.message.contains("it is begun again, by worker 2 of 5");
    stage.follow("dev").await?.until("a word of the next worker", UPGRADE, told).await?;
    Ok(data)
}

/// Disturbs an export while it runs, given its pod, and lets it end: everything is there afterwards.
async fn disturbed(
    test: &str,
    disturb: impl AsyncFnOnce(&Stage, &str) -> Result<()>,
) -> Result<()> {
    played(test, async |stage| {
        stage.ready(&steered(ways::export(), &[("EXPORT_STALLS", "v1")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        disturb(stage, &worker(stage, "export").await?).await?;
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}

/// Something happens to a pod, and another one takes its place.
async fn replaced(stage: &Stage, pod: &str, what: Value) -> Result<()> {
    stage.merge::<Pod>(pod, json!({"metadata": {"annotations": what}})).await?;
    stage
        .until("another pod", UPGRADE, || async {
            Ok((worker(stage, "export").await? != pod).then_some(()))
        })
        .await?;
    let next = worker(stage, "export").await?;
    ensure!(next.contains("-1-2-"), "{next} is no second worker of the first attempt");
    Ok(())
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

#[tokio::test]
async fn an_export_whose_pod_left_no_report_counts_for_nothing_until_another_try() -> Result<()> {
    unreported("speechless-export", "export", "speechless", ways::export()).await
}

#[tokio::test]
async fn an_export_whose_pod_left_a_report_that_means_nothing_counts_for_nothing_until_another_try()
-> Result<()> {
    unreported("babbling-export", "export", "babbles", ways::export()).await
}

#[tokio::test]
async fn a_copy_whose_pod_left_no_report_counts_for_nothing_until_another_try() -> Result<()> {
    unreported("speechless-copy", "copy", "speechless", ways::copy()).await
}

#[tokio::test]
async fn an_import_whose_pod_left_no_report_counts_for_nothing_until_another_try() -> Result<()> {
    unreported("speechless-import", "import", "speechless", ways::same_store()).await
}

/// The Job of the first attempt is complete and its pod says nothing that can be read: nothing is built on it.
async fn unreported(test: &str, errand: &str, fault: &str, way: Value) -> Result<()> {
    played(test, async |stage| {
        stage.meets(&format!("dev-{errand}-*-1-*"), fault)?;
        stage.ready(&upgraded_by(way)).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.degrades("dev", "ReportMissing").await?;
        ensure!(state.message.contains("convex.icod.de/retry"), "what to do: {state}");
        stage.retry("dev", "1").await?;
        stage.ends_well(&data, "v2").await?;
        let again = stage.job(errand).await?.name_any();
        ensure!(again.ends_with("-2"), "{again} is the last Job");
        Ok(())
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
        let told = |state: &State| state.message.contains(&name);
        stage.follow("dev").await?.until("a word about the stranger", UPGRADE, told).await?;
        ensure!(!stage.claims().await?.is_empty() && stage.pinned("dev").await?.is_some());
        stage.remove::<Job>(&name).await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}
