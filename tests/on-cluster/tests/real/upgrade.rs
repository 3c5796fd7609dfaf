//! Another version on the same data, or none that exists.

use std::time::Duration;

use anyhow::{Result, ensure};
use on_cluster::State;
use serde_json::json;

use crate::stage::{PATIENCE, played, small};

const NEWER: &str = "00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90";
/// Long enough for a pull to be tried again, and for its cause to be said and unsaid in between.
const LOOKED_AT: Duration = Duration::from_secs(12);

#[tokio::test]
async fn a_bumped_version_rolls_and_serves_the_same_data() -> Result<()> {
    played("bumped", async |stage| {
        stage.ready(&small("dev")).await?;
        let before = stage.marker("dev").await?;
        let mut follower = stage.follow("dev").await?;
        stage.patch("dev", json!({ "version": NEWER })).await?;
        let rolling = |state: &State| state.phase == "Upgrading/Rolling";
        follower.until("Upgrading/Rolling", PATIENCE, rolling).await?;
        let upgraded = |state: &State| state.is_settled() && state.running == NEWER;
        let state = follower.until("Ready with the newer version", PATIENCE, upgraded).await?;
        ensure!(state.phase == "Ready", "{state}");
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        ensure!(after.version == NEWER && after.starts == before.starts + 1, "{after:?}");
        let key = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        stage.door("dev").await?.accepts(&key).await?;
        let events = stage.journal("dev-data").await?;
        ensure!(events == ["start", "stop", "start"], "{events:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_image_that_does_not_exist_degrades_and_its_cause_is_kept_until_a_good_one_comes()
-> Result<()> {
    played("mistyped", async |stage| {
        let instance = small("dev").with("maintenance.rolloutDeadlineSeconds", 15);
        stage.ready(&instance).await?;
        let before = stage.marker("dev").await?;
        let mut follower = stage.follow("dev").await?;
        stage.patch("dev", json!({ "version": "mistyped" })).await?;
        // On a crowded machine the deadline may come before the first refusal of the registry.
        let degraded = |state: &State| is_about_the_image(state).is_ok();
        follower.until("Degraded for its image", PATIENCE, degraded).await?;
        let otherwise = |state: &State| is_about_the_image(state).is_err();
        let lost = follower.until("another cause", LOOKED_AT, otherwise).await;
        ensure!(lost.is_err(), "the cause was not kept: {lost:?}");
        stage.patch("dev", json!({ "version": NEWER })).await?;
        let upgraded = |state: &State| state.is_settled() && state.running == NEWER;
        follower.until("Ready with a version that exists", PATIENCE, upgraded).await?;
        ensure!(stage.marker("dev").await?.first_start == before.first_start);
        Ok(())
    })
    .await
}

fn is_about_the_image(state: &State) -> Result<()> {
    ensure!(state.phase == "Degraded" && state.reason == "ImagePullFailed", "{state}");
    ensure!(state.message.contains("mistyped"), "the message does not name the image: {state}");
    Ok(())
}
