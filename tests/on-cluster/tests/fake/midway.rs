//! Another version or another strategy that people ask for in the middle of an upgrade. There is never a second version on the
//! data.

use anyhow::{Context, Result, ensure};
use on_cluster::{
    played,
    stage::{
        places::Place::{self, Exporting, Importing, Rolling},
        upgrades::{UPGRADE, steering, ways},
    },
};
use serde_json::json;

#[tokio::test]
async fn back_to_the_old_version_while_exporting_drops_the_upgrade() -> Result<()> {
    played("aba-exporting", async |stage| {
        let data = stage.stopped_in(Exporting, "Retain", ways::same_store()).await?;
        let before = stage.marker("dev").await?;
        stage.patch("dev", json!({"version": "v1"})).await?;
        stage.ends_well(&data, "v1").await?;
        ensure!(stage.marker("dev").await?.starts == before.starts, "it was restarted for nothing");
        ensure!(stage.reasons().await?.iter().any(|it| it == "UpgradeAbandoned"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_third_version_while_exporting_begins_anew_under_another_id() -> Result<()> {
    begins_anew("abc-exporting", &["v3"]).await
}

/// A to B to A to C, before anything was moved: whichever of them a pass has seen, the last one is served.
#[tokio::test]
async fn back_and_on_to_a_third_version_while_exporting_ends_at_the_third() -> Result<()> {
    begins_anew("abac-exporting", &["v1", "v3"]).await
}

/// These versions are asked for while it exports on its way from v1 to v2; the last one is v3.
async fn begins_anew(test: &str, versions: &[&str]) -> Result<()> {
    played(test, async |stage| {
        let data = stage.stopped_in(Exporting, "Retain", ways::same_store()).await?;
        let first = stage.pinned("dev").await?.context("an upgrade")?.id;
        for version in versions {
            stage.patch("dev", json!({"version": version})).await?;
        }
        let second = stage
            .until("another upgrade", UPGRADE, || async {
                Ok(stage.pinned("dev").await?.filter(|it| it.id != first))
            })
            .await?;
        ensure!(second.to.release.version == "v3" && second.from.release.version == "v1");
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        stage.ends_well(&data, "v3").await
    })
    .await
}

#[tokio::test]
async fn a_third_version_while_rolling_is_gone_to_once_the_second_has_failed() -> Result<()> {
    abc("abc-rolling", Rolling).await
}

#[tokio::test]
async fn a_third_version_while_importing_is_gone_to_once_the_second_has_failed() -> Result<()> {
    abc("abc-importing", Importing).await
}

/// Past the point of no return the second version comes to its end, well or badly, before the third begins.
async fn abc(test: &str, place: Place) -> Result<()> {
    played(test, async |stage| {
        let mut way = ways::same_store();
        way["rolloutDeadlineSeconds"] = 25.into();
        way["importDeadlineSeconds"] = 25.into();
        let data = stage.stopped_in(place, "Retain", way).await?;
        stage.patch("dev", json!({"version": "v3"})).await?;
        stage.ends_well(&data, "v3").await
    })
    .await
}

#[tokio::test]
async fn another_strategy_while_exporting_begins_anew() -> Result<()> {
    played("switched", async |stage| {
        let data = stage.stopped_in(Exporting, "Retain", ways::same_store()).await?;
        let first = stage.pinned("dev").await?.context("an upgrade")?.id;
        let by_copy = json!({"upgradeStrategy": "inPlace", "preUpgradeSnapshot": "Copy"});
        stage.patch("dev", json!({"maintenance": by_copy})).await?;
        stage
            .until("another upgrade", UPGRADE, || async {
                let upgrade = stage.pinned("dev").await?;
                Ok(upgrade.is_none_or(|it| it.id != first).then_some(()))
            })
            .await?;
        stage.ends_well(&data, "v2").await?;
        ensure!(stage.status("dev").await?.snapshots.is_empty(), "an export was made");
        Ok(())
    })
    .await
}

/// What an upgrade does is pinned before anything is moved: another strategy is one for the next.
#[tokio::test]
async fn another_strategy_once_the_target_was_let_in_is_for_the_next_upgrade() -> Result<()> {
    for place in [Rolling, Importing] {
        let test = format!("switched-{}", place.word());
        played(&test, async |stage| {
            let data = stage.stopped_in(place, "Retain", ways::same_store()).await?;
            let pinned = stage.pinned("dev").await?.context("an upgrade")?;
            stage.patch("dev", json!({"maintenance": {"upgradeStrategy": "inPlace"}})).await?;
            stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
            stage.ends_well(&data, "v2").await?;
            let export = format!("{}-1", pinned.id.0);
            let kept = stage.status("dev").await?.snapshots;
            ensure!(kept.len() == 1 && kept[0].id == export, "{kept:?} instead of {export}");
            let told = stage.reasons().await?;
            ensure!(told.iter().any(|it| it == "ImportStarted"), "nothing was imported: {told:?}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}
