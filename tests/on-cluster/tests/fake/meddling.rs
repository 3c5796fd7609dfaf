//! What people do beside the spec while an upgrade is under way, failed, or on its way back: a hand on the StatefulSet, a
//! rotated Secret, the end. What was done by hand is put right, and nothing is lost.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use on_cluster::{
    played,
    stage::{
        midway::Hand,
        places::{
            ASIDE,
            Place::{self, Degraded, Importing, Rolling, RollingBack},
            STAGES,
        },
        upgrades::ways,
    },
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_hand_on_the_image_is_put_right_in_every_stage() -> Result<()> {
    withstands("edited", Hand::SetsImage, &STAGES).await
}

#[tokio::test]
async fn a_hand_on_the_image_is_put_right_while_copying_degraded_or_rolling_back() -> Result<()> {
    withstands("edited", Hand::SetsImage, &ASIDE).await
}

/// While it exports or copies there is nothing to undo yet.
#[tokio::test]
async fn a_rollout_that_is_undone_does_not_get_past_the_gate_in_any_stage() -> Result<()> {
    withstands("undone", Hand::UndoesRollout, &[Rolling, Importing]).await
}

#[tokio::test]
async fn a_rollout_that_is_undone_does_not_get_past_the_gate_while_degraded_or_rolling_back()
-> Result<()> {
    withstands("undone", Hand::UndoesRollout, &[Degraded, RollingBack]).await
}

async fn withstands(test: &str, hand: Hand, places: &[Place]) -> Result<()> {
    for &place in places {
        let test = format!("{test}-{}", place.word());
        played(&test, async |stage| stage.withstands(place, hand).await).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_instance_that_keeps_its_data_goes_from_every_stage_and_leaves_all_claims() -> Result<()>
{
    goes("Retain", &STAGES, |_| ways::same_store()).await
}

#[tokio::test]
async fn an_instance_that_is_to_leave_nothing_goes_from_every_stage_with_all_claims() -> Result<()>
{
    goes("Delete", &STAGES, |_| ways::fresh_store()).await
}

#[tokio::test]
async fn an_instance_that_keeps_its_data_goes_while_copying_degraded_or_rolling_back_and_leaves_all_claims()
-> Result<()> {
    goes("Retain", &ASIDE, Place::way).await
}

#[tokio::test]
async fn an_instance_that_is_to_leave_nothing_goes_while_copying_degraded_or_rolling_back_with_all_claims()
-> Result<()> {
    goes("Delete", &ASIDE, Place::way).await
}

async fn goes(policy: &str, places: &[Place], way: impl Fn(Place) -> Value) -> Result<()> {
    for &place in places {
        let test = format!("{policy}-{}", place.word()).to_lowercase();
        played(&test, async |stage| stage.goes_from(place, policy, way(place)).await).await?;
    }
    Ok(())
}

/// Another 64 hexadecimal digits.
const ROTATED: &str = "5eac0de5facade0feedbacc0ab1eca5cadecafe0ba5eba11decade0100c0ffee";

#[tokio::test]
async fn a_secret_that_is_rotated_in_any_stage_is_taken_and_the_upgrade_ends_well() -> Result<()> {
    rotated(&STAGES).await
}

#[tokio::test]
async fn a_secret_that_is_rotated_while_copying_degraded_or_rolling_back_is_taken_and_it_ends_well()
-> Result<()> {
    rotated(&ASIDE).await
}

/// The owner rotates the secret of the instance, and has the admin key of before taken away.
async fn rotated(places: &[Place]) -> Result<()> {
    for &place in places {
        let test = format!("rotated-{}", place.word());
        played(&test, async |stage| {
            let data = stage.stopped_in(place, "Retain", place.way()).await?;
            let before = stage.admin_key("dev").await?;
            let rotated = json!({"stringData": {"INSTANCE_SECRET": ROTATED}});
            stage.merge::<Secret>("dev-instance", rotated).await?;
            stage.remove::<Secret>("dev-admin").await?;
            stage.let_go(place).await?;
            stage.ends_well(&data, place.aim()).await?;
            ensure!(stage.admin_key("dev").await? != before, "the key is the one of before");
            Ok(())
        })
        .await?;
    }
    Ok(())
}
