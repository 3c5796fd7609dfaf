//! Upgrades that buy a way back first: everything that was written before is there after, and nothing that was accepted
//! meanwhile is lost.

use anyhow::{Context, Result, ensure};
use convex_operator::api::{ConditionStatus, ConvexInstance};
use on_cluster::{
    Follower, Stage, State, played,
    stage::{
        condition,
        data::Data,
        records::lines,
        upgrades::{UPGRADE, upgraded_by, ways},
    },
};
use serde_json::{Value, json};

const ROLLED: [&str; 2] = ["Upgrading/Rolling", "Ready"];
const PREPARED: [&str; 3] = ["Upgrading/Exporting", "Upgrading/Rolling", "Ready"];
const IMPORTED: [&str; 4] =
    ["Upgrading/Exporting", "Upgrading/Rolling", "Upgrading/Importing", "Ready"];

/// What an upgrade may cost, and what it has to go through.
struct Bounds {
    writes: usize,
    events: usize,
    phases: &'static [&'static str],
}

const WITHOUT: Bounds = Bounds { writes: 6, events: 2, phases: &ROLLED };
const IN_PLACE: Bounds = Bounds { writes: 14, events: 3, phases: &PREPARED };
const BY_IMPORT: Bounds = Bounds { writes: 22, events: 6, phases: &IMPORTED };

#[tokio::test]
async fn in_place_without_a_way_back_everything_is_carried_over_in_six_writes() -> Result<()> {
    played("bare", async |stage| {
        carried(stage, json!({"preUpgradeSnapshot": "Off"}), WITHOUT).await?;
        ensure!(stage.other_stores("dev").await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn in_place_with_the_copy_of_auto_everything_is_carried_over_and_the_copy_is_kept()
-> Result<()> {
    played("copied", async |stage| {
        carried(stage, ways::copy(), IN_PLACE).await?;
        let kept = stage.other_stores("dev").await?;
        ensure!(matches!(&kept[..], [copy] if copy.starts_with("dev-copy-")), "{kept:?}");
        ensure!(stage.journal("dev-data").await? == ["start", "stop", "start"]);
        let copy = stage.status("dev").await?.stores.remove(0);
        ensure!(copy.version.as_deref() == Some("v1"), "{copy:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn in_place_with_an_export_everything_is_carried_over_and_the_export_is_kept() -> Result<()> {
    played("exported", async |stage| {
        carried(stage, ways::export(), IN_PLACE).await?;
        snapshot_is_listed(stage).await?;
        ensure!(stage.journal("dev-data").await? == ["start", "stop", "start"]);
        ensure!(stage.other_stores("dev").await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn by_export_and_import_into_the_same_store_everything_is_carried_over() -> Result<()> {
    played("same", async |stage| {
        carried(stage, ways::same_store(), BY_IMPORT).await?;
        snapshot_is_listed(stage).await?;
        imported(stage).await
    })
    .await
}

#[tokio::test]
async fn into_a_fresh_store_users_stay_out_until_functions_are_deployed_and_the_old_store_is_kept()
-> Result<()> {
    played("fresh", async |stage| {
        carried(stage, ways::fresh_store(), BY_IMPORT).await?;
        snapshot_is_listed(stage).await?;
        imported(stage).await?;
        ensure!(stage.other_stores("dev").await? == ["dev-data"]);
        ensure!(stage.journal("dev-data").await? == ["start", "stop"], "the old store was opened");
        let deployed = condition(&stage.instance("dev").await?, "FunctionsDeployed")?;
        ensure!(deployed.status == ConditionStatus::True, "{deployed:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn after_an_upgrade_with_a_copy_another_one_finds_its_own_way_back() -> Result<()> {
    played("twice", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        for version in ["v2", "v3"] {
            stage.patch("dev", json!({ "version": version })).await?;
            stage.runs("dev", version).await?;
            stage.has_all("dev", &data).await?;
        }
        ensure!(stage.other_stores("dev").await?.len() == 2);
        stage.marker("dev").await?;
        stage.never_two_writers().await
    })
    .await
}

/// Upgrades under the eyes of users who never stop writing, and counts what the operator has written for it.
async fn carried(stage: &Stage, maintenance: Value, bounds: Bounds) -> Result<()> {
    stage.served(&upgraded_by(maintenance)).await?;
    let data = stage.fill("dev").await?;
    let told = stage.reasons().await?.len();
    let (users, mark) = (stage.users("dev"), stage.mark()?);
    let follower = stage.follow("dev").await?;
    stage.patch("dev", json!({"version": "v2"})).await?;
    let phases = followed(stage, follower, &data).await?;
    ensure!(phases == bounds.phases, "phases: {phases:?}");
    stage.runs("dev", "v2").await?;
    stage.has_all("dev", &data).await?;
    stage.kept("dev", users).await?;
    stage.rest().await?;
    let writes = stage.writes_since(mark)?;
    println!("{}: {} writes:\n{}", stage.namespace(), writes.len(), lines(&writes));
    ensure!(writes.len() <= bounds.writes, "{} writes:\n{}", writes.len(), lines(&writes));
    ensure!(writes.iter().all(|it| it.code < 300), "one was refused:\n{}", lines(&writes));
    let reasons = stage.reasons().await?.split_off(told);
    println!("{}: {} events: {reasons:?}", stage.namespace(), reasons.len());
    ensure!(reasons.len() <= bounds.events, "events: {reasons:?}");
    stage.marker("dev").await?;
    stage.never_two_writers().await
}

/// Every phase until Ready at v2. Where code is missing, users are out and it is said, until it is deployed.
async fn followed(stage: &Stage, mut follower: Follower, data: &Data) -> Result<Vec<String>> {
    let mut phases = Vec::new();
    let mut upgraded = |state: &State| {
        let new = phases.last() != Some(&state.phase);
        if new && (state.phase != "Ready" || !phases.is_empty()) {
            phases.push(state.phase.clone());
        }
        let missing = state.reason == "FunctionsMissing" && state.phase == "Upgrading/Importing";
        state.is_settled() && state.running == "v2" || missing
    };
    if follower.until("Ready with v2", UPGRADE, &mut upgraded).await?.is_settled() {
        return Ok(phases);
    }
    functions_are_missed(stage, data).await?;
    let ready = |state: &State| {
        upgraded(state);
        state.is_settled()
    };
    follower.until("Ready with v2", UPGRADE, ready).await?;
    Ok(phases)
}

async fn functions_are_missed(stage: &Stage, data: &Data) -> Result<()> {
    let instance = stage.instance("dev").await?;
    let deployed = condition(&instance, "FunctionsDeployed")?;
    ensure!(deployed.status == ConditionStatus::False, "{deployed:?}");
    ensure!(deployed.message.contains("npx convex deploy"), "{deployed:?}");
    let door = stage.door("dev").await?;
    ensure!(door.is_paused().await?, "users are in before there is code");
    let refused = door.write("notes", json!({"text": "too early"})).await;
    let refused = refused.err().context("a user wrote into a store without code")?;
    ensure!(refused.to_string().contains("DeploymentPaused"), "{refused}");
    ensure!(stage.has_data("dev", data).await.is_err(), "users can read before there is code");
    stage.deploy("dev").await
}

async fn snapshot_is_listed(stage: &Stage) -> Result<()> {
    let all = stage.status("dev").await?.snapshots;
    let [snapshot] = &all[..] else { anyhow::bail!("snapshots: {all:?}") };
    let whole = snapshot.verified && snapshot.version == "v1" && snapshot.sha256.len() == 64;
    ensure!(whole && snapshot.documents >= 25 && snapshot.files == 1, "{snapshot:?}");
    ensure!(snapshot.location.contains("dev-snapshots"), "{snapshot:?}");
    Ok(())
}

async fn imported(stage: &Stage) -> Result<()> {
    let instance: ConvexInstance = stage.instance("dev").await?;
    for type_ in ["ExportCompleted", "ImportCompleted"] {
        let told = condition(&instance, type_)?;
        ensure!(told.status == ConditionStatus::True, "{told:?}");
    }
    Ok(())
}
