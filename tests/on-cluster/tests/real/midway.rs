//! The middle of an upgrade, with the gate in a container of its own: a hand on the StatefulSet, the end of the instance, an
//! export that hangs.

use anyhow::{Result, ensure};
use on_cluster::stage::{
    midway::Hand,
    places::{Place, STAGES},
    upgrades::{steered, ways},
};
use serde_json::{Value, json};

use crate::stage::played;

#[tokio::test]
async fn a_hand_on_the_image_does_not_get_past_the_gate_in_any_stage() -> Result<()> {
    for place in STAGES {
        let test = format!("edited-{}", place.word());
        played(&test, async |stage| stage.withstands(place, Hand::SetsImage).await).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_rollout_that_is_undone_does_not_get_past_the_gate_in_any_stage() -> Result<()> {
    for place in [Place::Rolling, Place::Importing] {
        let test = format!("undone-{}", place.word());
        played(&test, async |stage| stage.withstands(place, Hand::UndoesRollout).await).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_instance_that_keeps_its_data_goes_from_every_stage_and_leaves_all_claims() -> Result<()>
{
    goes("Retain", ways::same_store).await
}

#[tokio::test]
async fn an_instance_that_is_to_leave_nothing_goes_from_every_stage_with_all_claims() -> Result<()>
{
    goes("Delete", ways::fresh_store).await
}

async fn goes(policy: &str, way: impl Fn() -> Value) -> Result<()> {
    for place in STAGES {
        let test = format!("{policy}-{}", place.word()).to_lowercase();
        played(&test, async |stage| stage.goes_from(place, policy, way()).await).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_export_that_hangs_ends_at_its_deadline_and_the_old_version_serves_on() -> Result<()> {
    played("hanging", async |stage| {
        let mut asked = ways::export();
        asked["exportDeadlineSeconds"] = 20.into();
        stage.ready(&steered(asked, &[("EXPORT_NEVER_COMPLETES", "v1")])).await?;
        let data = stage.fill("dev").await?;
        let starts = stage.marker("dev").await?.starts;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.phase("dev", "Degraded").await?;
        ensure!(state.message.contains("20s") && state.running == "v1", "{state}");
        stage.serves_on(&data).await?;
        stage.patch("dev", json!({"version": "v1"})).await?;
        stage.ends_well(&data, "v1").await?;
        ensure!(stage.marker("dev").await?.starts == starts, "it was restarted for nothing");
        Ok(())
    })
    .await
}
