//! Upgrades that need what this version of the operator does not make: not begun, said so, and nothing touched.

use anyhow::{Result, ensure};
use kube::ResourceExt;
use on_cluster::{
    Instance, State, played,
    stage::{PATIENCE, records::lines, small},
};
use serde_json::{Value, json};

#[tokio::test]
async fn the_default_of_auto_is_not_begun_without_a_copy() -> Result<()> {
    waits("auto", json!({"preUpgradeSnapshot": "Auto"})).await
}

#[tokio::test]
async fn an_upgrade_with_a_copy_is_not_begun() -> Result<()> {
    waits("copy", json!({"preUpgradeSnapshot": "Copy"})).await
}

#[tokio::test]
async fn an_upgrade_with_an_export_is_not_begun() -> Result<()> {
    waits("export", json!({"preUpgradeSnapshot": "Export"})).await
}

#[tokio::test]
async fn an_upgrade_by_export_and_import_is_not_begun() -> Result<()> {
    let spec = json!({"upgradeStrategy": "exportImport", "preUpgradeSnapshot": "Off"});
    waits("reimport", spec).await
}

#[tokio::test]
async fn an_upgrade_into_a_fresh_store_is_not_begun() -> Result<()> {
    let into = json!({"upgradeStrategy": "exportImport", "exportImport": {"into": "FreshStore"}});
    waits("fresh", into).await
}

async fn waits(test: &str, maintenance: Value) -> Result<()> {
    played(test, async |stage| {
        let instance = Instance::dev("dev").with("version", "v1").with("maintenance", maintenance);
        stage.served(&instance).await?;
        let pod = stage.pod("dev").await?;
        let mark = stage.mark()?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.because("dev", "WayBackUnobtainable").await?;
        ensure!(state.phase == "Ready" && !state.ready, "{state}");
        ensure!(state.message.contains("preUpgradeSnapshot to \"Off\""), "how it goes on: {state}");
        let mut written = stage.writes_since(mark)?;
        written.retain(|it| it.subresource != "status" && it.resource != "events");
        ensure!(written.is_empty(), "written:\n{}", lines(&written));
        let still = stage.pod("dev").await?;
        ensure!(still.uid() == pod.uid(), "the backend was rolled");
        ensure!(stage.door("dev").await?.version().await? == "v1");
        stage.patch("dev", json!({"version": "v1"})).await?;
        stage.settled("dev").await?;
        ensure!(stage.reasons().await? == ["Provisioning", "Ready", "WayBackUnobtainable"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn going_on_without_a_way_back_is_a_word_away() -> Result<()> {
    played("word", async |stage| {
        let auto = small("dev").with("version", "v1").without("maintenance.preUpgradeSnapshot");
        stage.served(&auto).await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.because("dev", "WayBackUnobtainable").await?;
        stage.patch("dev", json!({"maintenance": {"preUpgradeSnapshot": "Off"}})).await?;
        let upgraded = |state: &State| state.is_settled() && state.running == "v2";
        stage.follow("dev").await?.until("Ready with v2", PATIENCE, upgraded).await?;
        Ok(())
    })
    .await
}
