//! A status that is lost in the middle of an upgrade: what is found again is the store that holds the data, and never one that
//! was not served from yet.

use anyhow::{Result, ensure};
use on_cluster::{
    played,
    stage::{
        places::{
            Place::{self, Exporting, Importing, Rolling},
            STAGES,
        },
        upgrades::{UPGRADE, steering, ways},
    },
};
use serde_json::{Value, json};

/// The old store is whole and the new one is empty, or on its way.
#[tokio::test]
async fn into_a_fresh_store_the_old_one_is_found_again_in_every_stage() -> Result<()> {
    forgotten("fresh", ways::fresh_store, "v1", &STAGES).await
}

/// Nothing was moved yet while it exports.
#[tokio::test]
async fn into_the_same_store_the_old_version_is_found_again_while_it_exports() -> Result<()> {
    forgotten("same-early", ways::same_store, "v1", &[Exporting]).await
}

/// The new version has migrated the store, which has everything still.
#[tokio::test]
async fn into_the_same_store_the_new_version_is_found_again_once_it_was_let_in() -> Result<()> {
    forgotten("same-late", ways::same_store, "v2", &[Rolling, Importing]).await
}

async fn forgotten(
    test: &str,
    way: impl Fn() -> Value,
    found: &str,
    places: &[Place],
) -> Result<()> {
    for &place in places {
        let test = format!("{test}-{}", place.word());
        played(&test, async |stage| {
            let data = stage.stopped_in(place, "Retain", way()).await?;
            stage.forgets().await?;
            let wish = json!({"version": found, "backend": {"env": steering(&[])}});
            stage.patch("dev", wish).await?;
            stage.runs("dev", found).await?;
            let home = stage.status("dev").await?.lifecycle.and_then(|it| it.home);
            let store = home.map(|it| String::from(it.store));
            ensure!(store.as_deref() == Some("Original"), "the data is looked for in {store:?}");
            // Nobody knows any more whose pause it is.
            if stage.door("dev").await?.is_paused().await? {
                stage.door("dev").await?.resume(&stage.admin_key("dev").await?).await?;
            }
            stage
                .until("users who are let in", UPGRADE, || async {
                    Ok((!stage.door("dev").await?.is_paused().await?).then_some(()))
                })
                .await?;
            stage.ends_well(&data, found).await
        })
        .await?;
    }
    Ok(())
}
