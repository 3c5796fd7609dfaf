//! What people do in the middle of an upgrade: another version, another strategy, a hand on the StatefulSet, the end. There
//! is never a second version on the data.

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::PersistentVolumeClaim};
use kube::api::{DeleteParams, ListParams};
use on_cluster::{
    Stage, played,
    stage::{
        data::Data,
        upgrades::{UPGRADE, steered, steering, ways},
    },
};
use serde_json::{Value, json};

/// The stages of an upgrade, and what keeps one in each for as long as a test likes.
const STAGES: [(&str, (&str, &str)); 3] = [
    ("Exporting", ("EXPORT_STALLS", "v1")),
    ("Rolling", ("UNREADY", "v2")),
    ("Importing", ("IMPORT_STALLS", "v2")),
];

/// An instance with data, stopped in this stage on its way from v1 to v2.
async fn stopped_in(stage: &Stage, at: usize, policy: &str, way: Value) -> Result<Data> {
    stage.ready(&steered(way, &[STAGES[at].1]).with("deletionPolicy", policy)).await?;
    brought_to(stage, at).await
}

/// Gives a ready instance data and sends it on its way, as far as this stage.
async fn brought_to(stage: &Stage, at: usize) -> Result<Data> {
    let word = STAGES[at].0;
    let data = stage.fill("dev").await?;
    stage.patch("dev", json!({"version": "v2"})).await?;
    stage.stage_of("dev", word).await?;
    match word {
        "Exporting" => drop(stage.job("export").await?),
        "Importing" => drop(stage.job("import").await?),
        _ => answers(stage, "v2").await?,
    }
    Ok(data)
}

async fn answers(stage: &Stage, version: &str) -> Result<()> {
    stage
        .until(&format!("an answer of {version}"), UPGRADE, || async {
            let Ok(door) = stage.door("dev").await else { return Ok(None) };
            let answer = door.version().await.ok();
            Ok(answer.filter(|it| it == version).map(drop))
        })
        .await
}

async fn ends_well(stage: &Stage, data: &Data, version: &str) -> Result<()> {
    stage.runs("dev", version).await?;
    stage.has_all("dev", data).await?;
    stage.marker("dev").await?;
    stage.never_two_writers().await
}

#[tokio::test]
async fn back_to_the_old_version_while_exporting_drops_the_upgrade() -> Result<()> {
    played("aba-exporting", async |stage| {
        let data = stopped_in(stage, 0, "Retain", ways::same_store()).await?;
        let before = stage.marker("dev").await?;
        stage.patch("dev", json!({"version": "v1"})).await?;
        ends_well(stage, &data, "v1").await?;
        ensure!(stage.marker("dev").await?.starts == before.starts, "it was restarted for nothing");
        ensure!(stage.reasons().await?.iter().any(|it| it == "UpgradeAbandoned"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_third_version_while_exporting_begins_anew_under_another_id() -> Result<()> {
    played("abc-exporting", async |stage| {
        let data = stopped_in(stage, 0, "Retain", ways::same_store()).await?;
        let first = stage.pinned("dev").await?.context("an upgrade")?.id;
        stage.patch("dev", json!({"version": "v3"})).await?;
        let second = stage
            .until("another upgrade", UPGRADE, || async {
                Ok(stage.pinned("dev").await?.filter(|it| it.id != first))
            })
            .await?;
        ensure!(second.to.release.version == "v3" && second.from.release.version == "v1");
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        ends_well(stage, &data, "v3").await
    })
    .await
}

#[tokio::test]
async fn a_third_version_while_rolling_is_gone_to_once_the_second_has_failed() -> Result<()> {
    abc("abc-rolling", 1).await
}

#[tokio::test]
async fn a_third_version_while_importing_is_gone_to_once_the_second_has_failed() -> Result<()> {
    abc("abc-importing", 2).await
}

/// Past the point of no return the second version comes to its end, well or badly, before the third begins.
async fn abc(test: &str, at: usize) -> Result<()> {
    played(test, async |stage| {
        let mut way = ways::same_store();
        way["rolloutDeadlineSeconds"] = 25.into();
        way["importDeadlineSeconds"] = 25.into();
        let data = stopped_in(stage, at, "Retain", way).await?;
        stage.patch("dev", json!({"version": "v3"})).await?;
        ends_well(stage, &data, "v3").await
    })
    .await
}

#[tokio::test]
async fn another_strategy_while_exporting_begins_anew() -> Result<()> {
    played("switched", async |stage| {
        let data = stopped_in(stage, 0, "Retain", ways::same_store()).await?;
        let first = stage.pinned("dev").await?.context("an upgrade")?.id;
        let by_copy = json!({"upgradeStrategy": "inPlace", "preUpgradeSnapshot": "Copy"});
        stage.patch("dev", json!({"maintenance": by_copy})).await?;
        stage
            .until("another upgrade", UPGRADE, || async {
                let upgrade = stage.pinned("dev").await?;
                Ok(upgrade.is_none_or(|it| it.id != first).then_some(()))
            })
            .await?;
        ends_well(stage, &data, "v2").await?;
        ensure!(stage.status("dev").await?.snapshots.is_empty(), "an export was made");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_instance_that_keeps_its_data_goes_from_every_stage_and_leaves_all_claims() -> Result<()>
{
    for at in 0..STAGES.len() {
        goes(&format!("retain-{at}"), at, "Retain", ways::same_store()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_instance_that_is_to_leave_nothing_goes_from_every_stage_with_all_claims() -> Result<()>
{
    for at in 0..STAGES.len() {
        goes(&format!("delete-{at}"), at, "Delete", ways::fresh_store()).await?;
    }
    Ok(())
}

async fn goes(test: &str, at: usize, policy: &str, way: Value) -> Result<()> {
    played(test, async |stage| {
        stopped_in(stage, at, policy, way).await?;
        let claims = stage.claims().await?;
        let mut follower = stage.follow("dev").await?;
        stage.all::<ConvexInstance>().delete("dev", &DeleteParams::default()).await?;
        follower.gone(UPGRADE, |_| {}).await?;
        if policy == "Retain" {
            let left = stage.claims().await?;
            ensure!(left == claims, "of {claims:?} are left {left:?}");
            return stage.never_two_writers().await;
        }
        stage
            .until("the end of all claims", UPGRADE, || async {
                let all = stage.all::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
                Ok(all.items.is_empty().then_some(()))
            })
            .await
    })
    .await
}

#[tokio::test]
async fn a_hand_on_the_image_does_not_get_past_the_gate_in_any_stage() -> Result<()> {
    for at in 0..STAGES.len() {
        meddled(&format!("edited-{at}"), at, async |stage, _| {
            let container = "/spec/template/spec/containers/0/image";
            let other = format!("stand-in.test/convex-backend:v{}", if at == 0 { 2 } else { 1 });
            let edit = json!([{"op": "replace", "path": container, "value": other}]);
            stage.edit::<StatefulSet>("dev-backend", edit).await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_rollout_that_is_undone_does_not_get_past_the_gate_in_any_stage() -> Result<()> {
    for at in 1..STAGES.len() {
        meddled(&format!("undone-{at}"), at, async |stage, before| {
            let template = json!([{"op": "replace", "path": "/spec/template",
                "value": before["spec"]["template"]}]);
            stage.edit::<StatefulSet>("dev-backend", template).await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Meddles with the StatefulSet in a stage, is given the one of before the upgrade for it, and lets the upgrade end.
async fn meddled(
    test: &str,
    at: usize,
    meddle: impl AsyncFnOnce(&Stage, Value) -> Result<()>,
) -> Result<()> {
    played(test, async |stage| {
        stage.ready(&steered(ways::same_store(), &[STAGES[at].1])).await?;
        let before = serde_json::to_value(stage.get::<StatefulSet>("dev-backend").await?)?;
        let data = brought_to(stage, at).await?;
        let word = STAGES[at].0;
        let wanted = template(stage).await?;
        meddle(stage, before).await?;
        stage
            .until("its own template", UPGRADE, || async {
                let now = template(stage).await?;
                Ok((now == wanted || moved_on(stage, word).await?).then_some(()))
            })
            .await?;
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        ends_well(stage, &data, "v2").await
    })
    .await
}

async fn template(stage: &Stage) -> Result<Value> {
    let set = serde_json::to_value(stage.get::<StatefulSet>("dev-backend").await?)?;
    Ok(set["spec"]["template"].clone())
}

/// The stage is over already, and so is its template.
async fn moved_on(stage: &Stage, word: &str) -> Result<bool> {
    Ok(stage.status("dev").await?.stage.as_deref() != Some(word))
}
