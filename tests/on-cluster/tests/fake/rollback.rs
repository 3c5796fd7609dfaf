//! The way back: by policy and by hand, onto what was kept before the target could touch anything.

use anyhow::{Context, Result, ensure};
use on_cluster::{
    Stage, State, played,
    stage::{
        data::Data,
        upgrades::{UPGRADE, steered, steering, upgraded_by, ways},
    },
};
use serde_json::{Value, json};

/// Where a rollback ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// On the cold copy, with everything.
    Copy,
    /// On the store that the target never touched, with everything.
    Old,
    /// In a new store, into which the export is loaded; functions are deployed anew.
    New,
}

#[tokio::test]
async fn by_policy_it_ends_on_the_copy_and_the_refused_version_waits_for_a_new_token() -> Result<()>
{
    played("refused", async |stage| {
        let mut maintenance = ways::copy();
        maintenance["onFailure"] = "Rollback".into();
        maintenance["rolloutDeadlineSeconds"] = 12.into();
        stage.ready(&steered(maintenance, &[("CRASH", "v3")])).await?;
        let data = stage.fill("dev").await?;
        let users = stage.users("dev");
        stage.patch("dev", json!({"version": "v3"})).await?;
        let state = stage.stands("dev", "Ready", "ReleaseRefused").await?;
        ensure!(state.running == "v1", "{state}");
        ensure!(state.message.contains("convex.icod.de/retry"), "{state}");
        came_back(stage, &data, Home::Copy).await?;
        stage.kept("dev", users).await?;
        let refused = stage.status("dev").await?.lifecycle.and_then(|it| it.refused);
        ensure!(refused.context("nothing is refused")?.release.version == "v3");
        // The cause is gone, and still nobody tries by himself.
        let mended =
            json!({"backend": {"env": []}, "maintenance": {"rolloutDeadlineSeconds": 240}});
        stage.patch("dev", mended).await?;
        stage.stands("dev", "Ready", "ReleaseRefused").await?;
        stage.rest().await?;
        ensure!(stage.pinned("dev").await?.is_none(), "it is tried again");
        stage.retry("dev", "1").await?;
        stage.runs("dev", "v3").await?;
        stage.has_all("dev", &data).await?;
        stage.marker("dev").await?;
        stage.never_two_writers().await
    })
    .await
}

#[tokio::test]
async fn by_policy_a_failed_import_ends_on_the_old_store() -> Result<()> {
    played("refused-import", async |stage| {
        let mut maintenance = ways::fresh_store();
        maintenance["onFailure"] = "Rollback".into();
        maintenance["importDeadlineSeconds"] = 12.into();
        stage.ready(&steered(maintenance, &[("IMPORT_FAILS", "v2")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.stands("dev", "Ready", "ReleaseRefused").await?;
        came_back(stage, &data, Home::Old).await
    })
    .await
}

#[tokio::test]
async fn by_hand_in_rolling_with_a_copy() -> Result<()> {
    by_hand("roll-copy", ways::copy(), "Rolling", Home::Copy).await
}

#[tokio::test]
async fn by_hand_in_rolling_with_an_export() -> Result<()> {
    by_hand("roll-export", ways::export(), "Rolling", Home::New).await
}

#[tokio::test]
async fn by_hand_in_rolling_into_the_same_store() -> Result<()> {
    by_hand("roll-same", ways::same_store(), "Rolling", Home::Copy).await
}

#[tokio::test]
async fn by_hand_in_rolling_into_a_fresh_store() -> Result<()> {
    by_hand("roll-fresh", ways::fresh_store(), "Rolling", Home::Old).await
}

#[tokio::test]
async fn by_hand_in_importing_into_the_same_store() -> Result<()> {
    by_hand("load-same", ways::same_store(), "Importing", Home::Copy).await
}

#[tokio::test]
async fn by_hand_in_importing_into_a_fresh_store() -> Result<()> {
    by_hand("load-fresh", ways::fresh_store(), "Importing", Home::Old).await
}

/// A target that stays in this stage for ever, and an owner who has seen enough.
async fn by_hand(test: &str, maintenance: Value, at: &str, home: Home) -> Result<()> {
    played(test, async |stage| {
        let fault = if at == "Rolling" { "UNREADY" } else { "IMPORT_STALLS" };
        stage.ready(&steered(maintenance, &[(fault, "v2")])).await?;
        let data = stage.fill("dev").await?;
        let users = stage.users("dev");
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.stage_of("dev", at).await?;
        if at == "Importing" {
            stage.job("import").await?;
        } else {
            answers(stage, "v2").await?;
        }
        stage.patch("dev", json!({"version": "v1"})).await?;
        came_back(stage, &data, home).await?;
        stage.kept("dev", users).await?;
        goes_on(stage, &data).await
    })
    .await
}

/// The old version serves what there was, and whatever the target has opened is kept and listed.
async fn came_back(stage: &Stage, data: &Data, home: Home) -> Result<()> {
    let so = |state: &State| {
        let ready = state.phase == "Ready" && state.running == "v1";
        ready || state.reason == "FunctionsMissing"
    };
    stage.follow("dev").await?.until("Ready with v1", UPGRADE, so).await?;
    if home == Home::New {
        stage.lacks_functions("dev").await?;
        stage.deploy("dev").await?;
        stage.runs("dev", "v1").await?;
    }
    stage
        .until("users who are let in", UPGRADE, || async {
            let paused = stage.door("dev").await?.is_paused().await?;
            Ok((!paused).then_some(()))
        })
        .await?;
    stage.has_all("dev", data).await?;
    ensure!(stage.door("dev").await?.version().await? == "v1");
    let (others, claims) = (stage.other_stores("dev").await?, stage.claims().await?);
    ensure!(others.iter().all(|it| claims.contains(it)), "{others:?} of {claims:?}");
    let listed = match home {
        Home::Old => others.iter().all(|it| it.starts_with("dev-data-")),
        Home::Copy | Home::New => others.contains(&"dev-data".to_owned()),
    };
    ensure!(listed, "of {claims:?} are listed as stores: {others:?}");
    stage.marker("dev").await?;
    stage.never_two_writers().await
}

/// The target has the store open, and is not served.
async fn answers(stage: &Stage, version: &str) -> Result<()> {
    stage
        .until(&format!("an answer of {version}"), UPGRADE, || async {
            let Ok(door) = stage.door("dev").await else { return Ok(None) };
            let answer = door.version().await.ok();
            Ok(answer.filter(|it| it == version).map(drop))
        })
        .await
}

/// Neither a copy nor a new store is a dead end.
async fn goes_on(stage: &Stage, data: &Data) -> Result<()> {
    let spec = json!({"backend": {"env": steering(&[])}, "version": "v3",
        "maintenance": {"upgradeStrategy": "inPlace", "preUpgradeSnapshot": "Copy"}});
    stage.patch("dev", spec).await?;
    stage.runs("dev", "v3").await?;
    stage.has_all("dev", data).await?;
    stage.marker("dev").await?;
    stage.never_two_writers().await
}

#[tokio::test]
async fn a_rollback_is_not_rolled_back_and_a_new_upgrade_begins_after_it() -> Result<()> {
    played("to-and-fro", async |stage| {
        stage.ready(&steered(ways::copy(), &[("UNREADY", "v2")])).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        answers(stage, "v2").await?;
        stage.patch("dev", json!({"version": "v1"})).await?;
        stage
            .until("turn", UPGRADE, || async {
                let told = stage.status("dev").await?.upgrade;
                Ok(told.filter(|it| it.direction == "Rollback"))
            })
            .await?;
        stage.patch("dev", json!({"backend": {"env": []}, "version": "v3"})).await?;
        stage.runs("dev", "v3").await?;
        stage.has_all("dev", &data).await?;
        let finished = stage.reasons().await?;
        ensure!(finished.iter().any(|it| it == "RollbackFinished"), "{finished:?}");
        stage.marker("dev").await?;
        stage.never_two_writers().await
    })
    .await
}

#[tokio::test]
async fn once_ready_the_older_version_is_refused_in_place_and_served_from_a_fresh_store()
-> Result<()> {
    played("outgrown", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.runs("dev", "v2").await?;
        stage.patch("dev", json!({"version": "v1"})).await?;
        stage.stands("dev", "Ready", "ReleaseOutgrown").await?;
        ensure!(stage.door("dev").await?.version().await? == "v2");
        stage.patch("dev", json!({"maintenance": ways::fresh_store()})).await?;
        stage.lacks_functions("dev").await?;
        stage.deploy("dev").await?;
        stage.runs("dev", "v1").await?;
        stage.has_all("dev", &data).await?;
        stage.marker("dev").await?;
        stage.never_two_writers().await
    })
    .await
}
