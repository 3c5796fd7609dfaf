//! Volumes that are full. They are told, nothing is lost, and with more room the upgrade ends well.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
};

use anyhow::{Result, bail, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use on_cluster::{State, played, stage::upgrades::UPGRADE};
use serde_json::json;

#[tokio::test]
async fn an_export_that_its_claim_has_no_room_for_is_kept_once_the_claim_has_grown() -> Result<()> {
    played("small-claim", async |stage| stage.is_exported_once_there_is_room().await).await
}

#[tokio::test]
async fn a_volume_that_is_full_cannot_be_held_and_is_copied_once_its_size_was_raised() -> Result<()>
{
    played("full", async |stage| stage.is_copied_once_there_is_room().await).await
}

/// The old version is asked for nothing and ends, and the first who cannot write is the gate of the new one.
#[tokio::test]
async fn a_volume_that_is_full_is_not_opened_by_the_next_version_until_its_size_was_raised()
-> Result<()> {
    played("full-rolling", async |stage| {
        let unkept = json!({"preUpgradeSnapshot": "Off", "rolloutDeadlineSeconds": 12});
        let data = stage.filled_up(unkept).await?;
        let before = stage.pod("dev").await?.uid();
        stage.meets(BACKEND, "unmounted")?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage
            .until("the next pod", UPGRADE, || async {
                let pod = stage.all::<Pod>().get_opt(BACKEND).await?;
                Ok(pod.filter(|it| it.uid() != before).map(drop))
            })
            .await?;
        // Whoever ends leaves a little room.
        fill_to_the_last_byte(&stage.volume("dev-data").await?)?;
        stage.spares(BACKEND)?;
        let told = |state: &State| {
            state.phase == "Degraded" && state.message.contains("the volume is full")
        };
        let state = stage.follow("dev").await?.until("word of the volume", UPGRADE, told).await?;
        ensure!(state.message.contains("backend.storage.pvc.size"), "what to do: {state}");
        let openers = stage.openers("dev-data").await?;
        ensure!(openers == ["v1"], "it was opened by {openers:?}");
        stage.makes_room().await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}

const BACKEND: &str = "dev-backend-0";

fn fill_to_the_last_byte(volume: &Path) -> Result<()> {
    let mut ballast = File::create(volume.join("ballast"))?;
    loop {
        match ballast.write(&[1; 512]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
            Err(error) => bail!(error),
        }
    }
}
