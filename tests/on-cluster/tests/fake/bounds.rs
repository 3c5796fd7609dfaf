//! What an upgrade does not do: hold a backend that cannot be held, go where a store has come from, promise what is gone.

use anyhow::{Result, ensure};
use k8s_openapi::api::{batch::v1::Job, core::v1::PersistentVolumeClaim};
use kube::ResourceExt;
use on_cluster::{
    played,
    stage::upgrades::{steered, steering, upgraded_by, ways},
};
use serde_json::json;

#[tokio::test]
async fn a_backend_that_knows_no_pause_is_exported_only_where_that_is_accepted() -> Result<()> {
    played("no-pause", async |stage| {
        stage.ready(&steered(ways::export(), &[("NO_PAUSE", "v1")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.stands("dev", "Ready", "HoldUnsupported").await?;
        ensure!(state.running == "v1" && state.message.contains("acceptUnheldExport"), "{state}");
        stage.patch("dev", json!({"maintenance": {"acceptUnheldExport": true}})).await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}

#[tokio::test]
async fn a_backend_that_knows_no_pause_is_stopped_for_a_copy_all_the_same() -> Result<()> {
    played("no-pause-copied", async |stage| {
        stage.ready(&steered(ways::copy(), &[("NO_PAUSE", "v1")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.ends_well(&data, "v2").await?;
        let stores = stage.status("dev").await?.stores;
        ensure!(stores.len() == 1 && stores[0].verified == Some(true), "{stores:?}");
        Ok(())
    })
    .await
}

/// A copy was opened by whoever opened the original, and so was whatever becomes of it.
#[tokio::test]
async fn a_version_that_the_data_has_left_behind_is_not_let_in_after_a_rollback_onto_a_copy()
-> Result<()> {
    played("outgrown-copy", async |stage| {
        let mut maintenance = ways::copy();
        maintenance["onFailure"] = "Rollback".into();
        stage.ready(&steered(maintenance, &[("CRASH", "v3")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.runs("dev", "v2").await?;
        stage
            .patch("dev", json!({"version": "v3", "maintenance": {"rolloutDeadlineSeconds": 12}}))
            .await?;
        stage.stands("dev", "Ready", "ReleaseRefused").await?;
        let history = stage.status("dev").await?.history;
        let back = history.iter().find(|it| it.reason == "RollbackStarted");
        ensure!(back.is_some_and(|it| it.message.contains("exits with code")), "{history:#?}");
        stage.patch("dev", json!({"version": "v1"})).await?;
        let state = stage.stands("dev", "Ready", "ReleaseOutgrown").await?;
        ensure!(state.running == "v2", "{state}");
        stage.has_all("dev", &data).await
    })
    .await
}

#[tokio::test]
async fn an_image_that_the_data_has_left_behind_is_not_let_in_whatever_its_version_is_called()
-> Result<()> {
    played("outgrown-image", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        let image = |tag: &str| {
            json!({"backend": {"image": format!("stand-in.test/convex-backend:{tag}")}})
        };
        stage.patch("dev", image("v2")).await?;
        stage.pod_when("dev", |pod| pod.spec.as_ref().is_some_and(|spec| {
            spec.containers[0].image.as_deref().is_some_and(|it| it.ends_with(":v2"))
        })).await?;
        stage.runs("dev", "v1").await?;
        stage.patch("dev", image("v1")).await?;
        stage.stands("dev", "Ready", "ReleaseOutgrown").await?;
        stage.has_all("dev", &data).await
    })
    .await
}

#[tokio::test]
async fn a_way_back_that_somebody_took_away_is_not_promised_and_not_gone() -> Result<()> {
    played("copy-gone", async |stage| {
        let mut maintenance = ways::copy();
        maintenance["rolloutDeadlineSeconds"] = 8.into();
        stage.ready(&steered(maintenance, &[("CRASH", "v2")])).await?;
        stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.phase("dev", "Degraded").await?;
        let copy = stage.job("copy").await?.name_any();
        stage.remove::<Job>(&copy).await?;
        stage.remove::<PersistentVolumeClaim>(&copy).await?;
        stage.patch("dev", json!({"version": "v1"})).await?;
        let state = stage.stands("dev", "Degraded", "NoWayBack").await?;
        ensure!(state.message.contains("is gone"), "{state}");
        let mended = json!({"version": "v3", "backend": {"env": steering(&[])},
            "maintenance": {"rolloutDeadlineSeconds": 240}});
        stage.patch("dev", mended).await?;
        stage.runs("dev", "v3").await.map(drop)
    })
    .await
}
