//! Upgrades whose target migrates the data, as its log tells: slowly, in vain, or not at all because it is older than
//! the data.

use std::time::Duration;

use anyhow::{Result, ensure};
use on_cluster::{
    Instance, Stage, State, played,
    stage::{PATIENCE, small},
};
use serde_json::{Value, json};

/// Formats of the data that versions bring, and what else the stand-in is told.
fn migrating(formats: &str, steering: (&str, &str)) -> Instance {
    small("dev").with("version", "v1").with("backend.env", env(formats, steering))
}

fn env(formats: &str, (name, value): (&str, &str)) -> Value {
    json!([{"name": "STANDIN_METADATA_VERSION", "value": formats}, {"name": name, "value": value}])
}

#[tokio::test]
async fn a_target_that_migrates_slowly_says_how_far_it_is_and_is_ready_once_it_is_done()
-> Result<()> {
    played("slowly", async |stage| {
        let slow = ("STANDIN_MIGRATION_DELAY_MS", "8000");
        stage.ready(&migrating("v1=128,v2=130", slow)).await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.because("dev", "MigrationsRunning").await?;
        ensure!(state.phase == "Upgrading/Rolling" && !state.ready, "{state}");
        ensure!(state.running == "v2" && state.message.contains("of 130"), "{state}");
        let state = runs(stage, "v2").await?;
        ensure!(state.phase == "Ready", "{state}");
        let wanted = ["Ready", "UpgradeStarted", "UpgradeFinished"];
        let told = async || Ok((stage.reasons().await? == wanted).then_some(()));
        stage.until("its three events and no other one", PATIENCE, told).await
    })
    .await
}

/// A minute passes until the backend has tried again, and the deadline is a quarter of an hour away.
#[tokio::test]
async fn a_migration_that_fails_degrades_before_the_deadline_and_one_that_succeeds_ends_it()
-> Result<()> {
    played("in-vain", async |stage| {
        let formats = "v1=128,v2=130";
        let fails = ("STANDIN_MIGRATION_FAILS_VERSIONS", "v2");
        stage.ready(&migrating(formats, fails)).await?;
        let before = stage.marker("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.because("dev", "MigrationFailed").await?;
        ensure!(state.phase == "Upgrading/Rolling", "it is yet to try again: {state}");
        let state = stopped(stage, "MigrationFailed").await?;
        for words in ["migration 129 failed", "kubectl delete pod dev-backend-0", "no way back"] {
            ensure!(state.message.contains(words), "{words} is not told: {state}");
        }
        stage.patch("dev", json!({"backend": {"env": env(formats, ("UNUSED", ""))}})).await?;
        runs(stage, "v2").await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_target_that_is_older_than_the_data_degrades_at_once_and_a_newer_one_goes_on()
-> Result<()> {
    played("ahead", async |stage| {
        stage.ready(&migrating("v1=130,v2=128,v3=131", ("UNUSED", ""))).await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stopped(stage, "MetadataAhead").await?;
        let words = "persisted db metadata version is ahead at 130, this binary is at 128";
        ensure!(state.message.contains(words), "{state}");
        stage.patch("dev", json!({"version": "v3"})).await?;
        runs(stage, "v3").await?;
        Ok(())
    })
    .await
}

async fn stopped(stage: &Stage, reason: &str) -> Result<State> {
    let so = |state: &State| state.phase == "Degraded" && state.reason == reason;
    let patience = PATIENCE + Duration::from_mins(1);
    stage.follow("dev").await?.until(&format!("Degraded with {reason}"), patience, so).await
}

async fn runs(stage: &Stage, version: &str) -> Result<State> {
    let so = |state: &State| state.is_settled() && state.running == version;
    stage.follow("dev").await?.until(&format!("Ready with {version}"), PATIENCE, so).await
}
