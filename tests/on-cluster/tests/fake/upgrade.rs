//! The simplest upgrade: in place, with no way back bought.

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConvexInstance;
use on_cluster::{
    Instance, Stage, State, played,
    reach::Marker,
    stage::{PATIENCE, small},
};
use serde_json::{Value, json};

fn first(name: &str) -> Instance {
    small(name).with("version", "v1")
}

/// Long enough for a good version to be ready on a crowded machine.
fn hasty(name: &str) -> Instance {
    first(name).with("maintenance.rolloutDeadlineSeconds", 8)
}

fn misbehaving(variable: &str) -> Instance {
    let env = json!([{"name": format!("STANDIN_{variable}_VERSIONS"), "value": "v2"}]);
    hasty("dev").with("backend.env", env)
}

#[tokio::test]
async fn a_bumped_version_rolls_and_the_new_one_is_seen_to_answer_and_to_take_the_key() -> Result<()>
{
    played("bumped", async |stage| {
        stage.ready(&first("dev").with("dashboard.enabled", true)).await?;
        let (before, key) = (stage.marker("dev").await?, key(stage).await?);
        let mut follower = stage.follow("dev").await?;
        let mut seen = Vec::new();
        stage.patch("dev", json!({"version": "v2"})).await?;
        let upgraded = |state: &State| {
            if seen.last() != Some(&state.phase) {
                seen.push(state.phase.clone());
            }
            state.is_settled() && state.running == "v2"
        };
        follower.until("Ready with v2", PATIENCE, upgraded).await?;
        ensure!(seen == ["Ready", "Upgrading/Rolling", "Ready"], "phases: {seen:?}");
        let door = stage.door("dev").await?;
        ensure!(door.version().await? == "v2");
        door.accepts(&key).await?;
        carried_over(stage, &before, "v2", 1).await?;
        ensure!(self::key(stage).await? == key, "the key is another");
        let journal = stage.journal("dev-data").await?;
        ensure!(journal == ["start", "stop", "start"], "{journal:?}");
        let reasons = stage.reasons().await?;
        let wanted = ["Ready", "UpgradeStarted", "UpgradeFinished"];
        ensure!(reasons == wanted, "events: {reasons:?}");
        let status = stage.instance("dev").await?.status.context("a status")?;
        let page = status.components.and_then(|it| it.dashboard?.image).unwrap_or_default();
        ensure!(page.ends_with(":v2"), "the dashboard stays behind: {page}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_target_that_crashes_degrades_past_its_deadline_and_a_third_version_goes_on() -> Result<()>
{
    failing("crashing", misbehaving("CRASH"), "BackendCrashing", "already contains db name").await
}

#[tokio::test]
async fn a_target_that_never_gets_ready_degrades_past_its_deadline_and_a_third_version_goes_on()
-> Result<()> {
    failing("unready", misbehaving("UNREADY"), "BackendSilent", "does not answer").await
}

#[tokio::test]
async fn a_target_that_refuses_the_key_degrades_past_its_deadline_and_a_third_version_goes_on()
-> Result<()> {
    failing("deaf", misbehaving("REJECT_KEY"), "AdminKeyRejected", "INSTANCE_SECRET").await
}

async fn failing(test: &str, instance: Instance, reason: &str, words: &str) -> Result<()> {
    played(test, async |stage| {
        stage.ready(&instance).await?;
        let before = stage.marker("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stopped(stage, reason).await?;
        ensure!(state.message.contains(words), "the cause is not told: {state}");
        ensure!(state.message.contains("no way back"), "how it goes on is not told: {state}");
        // Putting the version back is no way out: none was bought, and the target has opened the store.
        stage.patch("dev", json!({"version": "v1"})).await?;
        stopped(stage, "NoWayBack").await?;
        stage.patch("dev", json!({"version": "v3"})).await?;
        runs(stage, "v3").await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_image_that_does_not_exist_degrades_and_keeps_its_cause_and_another_version_goes_on()
-> Result<()> {
    played("mistyped", async |stage| {
        stage.ready(&hasty("dev")).await?;
        let before = stage.marker("dev").await?;
        stage.patch("dev", json!({"version": "mistyped"})).await?;
        let state = stopped(stage, "ImagePullFailed").await?;
        ensure!(state.message.contains("mistyped"), "{state}");
        stage.patch("dev", json!({"version": "v2"})).await?;
        runs(stage, "v2").await?;
        carried_over(stage, &before, "v2", 1).await
    })
    .await
}

#[tokio::test]
async fn another_try_is_asked_for_by_annotation_and_goes_on_once_the_target_can() -> Result<()> {
    played("again", async |stage| {
        stage.ready(&misbehaving("CRASH")).await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stopped(stage, "BackendCrashing").await?;
        let retry = json!({"metadata": {"annotations": {"convex.icod.de/retry": "1"}}});
        stage.merge::<ConvexInstance>("dev", retry).await?;
        stage.phase("dev", "Upgrading/Rolling").await?;
        stopped(stage, "BackendCrashing").await?;
        stage.patch("dev", json!({"backend": {"env": []}})).await?;
        runs(stage, "v2").await?;
        let reasons = stage.reasons().await?;
        ensure!(reasons.iter().any(|it| it == "UpgradeRetried"), "{reasons:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_version_that_is_changed_while_provisioning_is_simply_taken() -> Result<()> {
    played("sooner", async |stage| {
        let slow = json!([{"name": "STANDIN_SILENT_VERSIONS", "value": "v1"}]);
        stage.create(&first("dev").with("backend.env", slow)).await?;
        stage.phase("dev", "Provisioning").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        runs(stage, "v2").await?;
        stage.marker("dev").await?;
        Ok(())
    })
    .await
}

async fn stopped(stage: &Stage, reason: &str) -> Result<State> {
    let so = |state: &State| state.phase == "Degraded" && state.reason == reason;
    let what = format!("Degraded with {reason}");
    stage.follow("dev").await?.until(&what, PATIENCE, so).await
}

async fn runs(stage: &Stage, version: &str) -> Result<()> {
    let so = |state: &State| state.is_settled() && state.running == version;
    stage.follow("dev").await?.until(&format!("Ready with {version}"), PATIENCE, so).await?;
    ensure!(stage.door("dev").await?.version().await? == version);
    Ok(())
}

async fn carried_over(stage: &Stage, before: &Marker, version: &str, starts: u64) -> Result<()> {
    let after = stage.marker("dev").await?;
    let same = after.first_start == before.first_start && after.starts == before.starts + starts;
    ensure!(same && after.version == version, "{before:?} became {after:?}");
    Ok(())
}

async fn key(stage: &Stage) -> Result<String> {
    stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await
}

#[tokio::test]
async fn a_way_back_is_never_promised_that_was_not_bought() -> Result<()> {
    played("promised", async |stage| {
        stage.ready(&misbehaving("SILENT")).await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.phase("dev", "Degraded").await?;
        ensure!(state.message.contains("There is no way back to v1"), "{state}");
        let lifecycle = serde_json::to_value(stage.instance("dev").await?.status)?;
        ensure!(lifecycle["lifecycle"]["upgrade"]["copy"] == Value::Null, "{lifecycle}");
        Ok(())
    })
    .await
}
