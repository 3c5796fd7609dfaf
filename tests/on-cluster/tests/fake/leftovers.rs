//! What an upgrade leaves: copies and old stores go when the spec or their owner says so, and nothing else goes with them.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use on_cluster::{
    Stage, played,
    stage::{
        data::Data,
        upgrades::{UPGRADE, upgraded_by, ways},
    },
};
use serde_json::json;

#[tokio::test]
async fn a_copy_goes_once_the_time_is_over_that_the_spec_gives_it() -> Result<()> {
    played("retention", async |stage| {
        let (data, copy) = upgraded(stage).await?;
        stage.patch("dev", json!({"maintenance": {"oldStoreRetention": "1s"}})).await?;
        is_gone(stage, &copy, &data).await
    })
    .await
}

/// The pod of the Job that made it has ended, and would keep it for as long as the Job is there.
#[tokio::test]
async fn a_copy_that_its_owner_deletes_goes_at_once() -> Result<()> {
    played("copy-deleted", async |stage| {
        let (data, copy) = upgraded(stage).await?;
        stage.remove::<PersistentVolumeClaim>(&copy).await?;
        is_gone(stage, &copy, &data).await
    })
    .await
}

/// The owner deletes the instance, which leaves all, and makes another one of the same name on the same data.
#[tokio::test]
async fn exports_of_an_instance_that_is_gone_stay_and_are_added_to() -> Result<()> {
    played("exports-kept", async |stage| {
        stage.ready(&upgraded_by(ways::export())).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.runs("dev", "v2").await?;
        let first = stage.status("dev").await?.snapshots.remove(0);
        stage.deleted("dev").await?;
        let again = upgraded_by(ways::export())
            .with("version", "v2")
            .with("backend.storage.pvc.existingClaim", "dev-data");
        stage.ready(&again).await?;
        stage.patch("dev", json!({"version": "v3"})).await?;
        stage.ends_well(&data, "v3").await?;
        let second = stage.status("dev").await?.snapshots.remove(0);
        ensure!((first.version.as_str(), second.version.as_str()) == ("v1", "v2"), "{second:?}");
        for id in [&first.id, &second.id] {
            let archive = stage.volume("dev-snapshots").await?.join(id).join("snapshot.zip");
            ensure!(archive.exists(), "{} is gone", archive.display());
        }
        Ok(())
    })
    .await
}

/// Its pods have ended, and would keep it for as long as their Jobs are there; a label is nothing that it hangs on.
#[tokio::test]
async fn exports_are_listed_until_their_owner_deletes_their_claim() -> Result<()> {
    played("exports-deleted", async |stage| {
        stage.ready(&upgraded_by(ways::export())).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.runs("dev", "v2").await?;
        let ours = |by: &str| json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": by}}});
        stage.merge::<PersistentVolumeClaim>("dev-snapshots", ours("somebody")).await?;
        let off = json!({"version": "v3", "maintenance": {"preUpgradeSnapshot": "Off"}});
        stage.patch("dev", off).await?;
        stage.ends_well(&data, "v3").await?;
        ensure!(stage.status("dev").await?.snapshots.len() == 1, "it is there, and not listed");
        stage.merge::<PersistentVolumeClaim>("dev-snapshots", ours("convex-operator")).await?;
        stage.remove::<PersistentVolumeClaim>("dev-snapshots").await?;
        stage
            .until("a status without exports", UPGRADE, || async {
                Ok(stage.status("dev").await?.snapshots.is_empty().then_some(()))
            })
            .await?;
        ensure!(stage.claims().await? == ["dev-data"], "{:?}", stage.claims().await?);
        stage.ends_well(&data, "v3").await
    })
    .await
}

/// An instance with data that was upgraded, and the claim of the copy that was made.
async fn upgraded(stage: &Stage) -> Result<(Data, String)> {
    stage.ready(&upgraded_by(ways::copy())).await?;
    let data = stage.fill("dev").await?;
    stage.patch("dev", json!({"version": "v2"})).await?;
    stage.runs("dev", "v2").await?;
    let mut others = stage.other_stores("dev").await?;
    ensure!(others.len() == 1, "{others:?}");
    Ok((data, others.remove(0)))
}

async fn is_gone(stage: &Stage, copy: &str, data: &Data) -> Result<()> {
    let pod = stage.pod("dev").await?.uid();
    stage
        .until("the end of the copy", UPGRADE, || async {
            let claims = stage.claims().await?;
            Ok((!claims.iter().any(|it| it == copy)).then_some(()))
        })
        .await?;
    stage
        .until("a status without it", UPGRADE, || async {
            Ok(stage.other_stores("dev").await?.is_empty().then_some(()))
        })
        .await?;
    ensure!(stage.claims().await? == ["dev-data"], "{:?}", stage.claims().await?);
    ensure!(stage.pod("dev").await?.uid() == pod, "the backend was replaced");
    stage.ends_well(data, "v2").await
}
