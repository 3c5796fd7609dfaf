//! Upgrades with a way back, by Jobs that containerd really runs: what was written before is there after, to the last byte.

use anyhow::{Result, ensure};
use convex_operator::api::ConvexInstance;
use kube::ResourceExt;
use on_cluster::{
    Instance,
    stage::upgrades::{steered, steering, upgraded_by, ways},
};
use serde_json::{Value, json};

use crate::stage::played;

#[tokio::test]
async fn a_copy_is_made_first_and_the_new_version_serves_the_same_documents() -> Result<()> {
    played("copied", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({ "version": "v2" })).await?;
        let rolls = |it: &ConvexInstance| it.status.as_ref()?.upgrade.as_ref()?.digest.clone();
        let rolling = stage.phase("dev", "Upgrading/Rolling").await?;
        let pinned = rolls(&stage.instance("dev").await?);
        ensure!(pinned.is_some_and(|it| it.starts_with("sha256:")), "no digest: {rolling}");
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await?;
        let stores = stage.other_stores("dev").await?;
        ensure!(stores.len() == 1 && stores[0].starts_with("dev-copy-"), "{stores:?}");
        let events = stage.journal("dev-data").await?;
        ensure!(events == ["start", "stop", "start"], "{events:?}");
        Ok(())
    })
    .await
}

/// Root without a capability may do less than it seems: the namespace has to allow root.
#[tokio::test]
async fn a_copy_is_made_where_the_image_runs_as_it_is_too() -> Result<()> {
    on_cluster::played("rooted", async |stage| {
        let image = upgraded_by(ways::copy()).with("backend.security.profile", "Image");
        stage.ready(&image).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({ "version": "v2" })).await?;
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await
    })
    .await
}

#[tokio::test]
async fn documents_files_and_code_go_through_export_and_import() -> Result<()> {
    played("imported", async |stage| {
        stage.ready(&upgraded_by(ways::same_store())).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({ "version": "v2" })).await?;
        stage.runs("dev", "v2").await?;
        stage.has_all("dev", &data).await?;
        let kept = stage.status("dev").await?.snapshots;
        ensure!(kept.len() == 1 && kept[0].verified && kept[0].files == 1, "{kept:?}");
        stage.never_two_writers().await
    })
    .await
}

/// With a copy first there is nothing that users could feel.
#[tokio::test]
async fn an_image_that_does_not_exist_stops_nobody_where_a_way_back_is_made() -> Result<()> {
    played("unpublished", async |stage| {
        let asked = with(ways::copy(), "exportDeadlineSeconds", json!(15));
        stage.ready(&upgraded_by(asked)).await?;
        let before = stage.pod("dev").await?;
        stage.patch("dev", json!({ "version": "unpublished" })).await?;
        let state = stage.degrades("dev", "ImagePullFailed").await?;
        ensure!(state.message.contains("stopped in Exporting"), "{state}");
        stage.patch("dev", json!({ "version": "v1" })).await?;
        stage.runs("dev", "v1").await?;
        ensure!(stage.pod("dev").await?.uid() == before.uid(), "the backend was replaced");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_target_that_crashes_is_left_for_the_copy_by_policy() -> Result<()> {
    played("crashing", async |stage| {
        let asked = with(ways::copy(), "onFailure", json!("Rollback"));
        let asked = with(asked, "rolloutDeadlineSeconds", json!(20));
        stage.ready(&steered(asked, &[("CRASH", "v2")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({ "version": "v2" })).await?;
        let state = stage.stands("dev", "Ready", "ReleaseRefused").await?;
        ensure!(state.running == "v1", "{state}");
        stage.has_all("dev", &data).await?;
        ensure!(stage.other_stores("dev").await? == ["dev-data"]);
        stage.never_two_writers().await
    })
    .await
}

#[tokio::test]
async fn a_migration_that_fails_is_told_and_the_way_back_is_one_edit_away() -> Result<()> {
    played("unmigrated", async |stage| {
        let asked = with(ways::copy(), "rolloutDeadlineSeconds", json!(20));
        stage.ready(&unmigrated(asked)).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({ "version": "v2" })).await?;
        let state = stage.degrades("dev", "MigrationFailed").await?;
        ensure!(state.message.contains("set spec.version to v1"), "how it goes back: {state}");
        stage.patch("dev", json!({ "version": "v1" })).await?;
        stage.runs("dev", "v1").await?;
        stage.has_all("dev", &data).await
    })
    .await
}

/// The newer version has a step to make, and cannot.
fn unmigrated(maintenance: Value) -> Instance {
    let mut env = steering(&[("MIGRATION_FAILS", "v2")]);
    let formats = json!({ "name": "STANDIN_METADATA_VERSION", "value": "v1=128,v2=129" });
    if let Some(all) = env.as_array_mut() {
        all.push(formats);
    }
    upgraded_by(maintenance).with("backend.env", env)
}

fn with(mut maintenance: Value, field: &str, value: Value) -> Value {
    maintenance[field] = value;
    maintenance
}
