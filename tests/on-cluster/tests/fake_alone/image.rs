//! An image that is edited by hand while no operator is there. The gate cannot see it; what opens the data is the program that
//! the container `prepare` has brought from its own image, and that is the one of before.

use anyhow::{Result, ensure};
use on_cluster::{
    Stage,
    stage::{
        PATIENCE,
        places::Place,
        upgrades::{UPGRADE, upgraded_by, ways},
    },
};

use crate::alone;

#[tokio::test]
async fn an_edited_image_of_a_ready_instance_brings_no_other_program_while_no_operator_is_there()
-> Result<()> {
    alone("image-ready", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        brings_nothing(stage, "v2", &["v1", "v1"]).await?;
        stage.pod_when("dev", |_| true).await?;
        stage.ends_well(&data, "v1").await?;
        opened_by(stage, &["v1", "v1", "v1"]).await
    })
    .await
}

#[tokio::test]
async fn an_image_that_is_edited_while_rolling_brings_no_other_program_while_no_operator_is_there()
-> Result<()> {
    alone("image-rolling", async |stage| {
        let data = stage.stopped_in(Place::Rolling, "Retain", ways::same_store()).await?;
        brings_nothing(stage, "v1", &["v1", "v2", "v2"]).await?;
        stage.let_go(Place::Rolling).await?;
        stage.ends_well(&data, "v2").await?;
        let programs = stage.programs("dev-data").await?;
        ensure!(programs.is_sorted(), "the data was opened by programs of {programs:?}");
        Ok(())
    })
    .await
}

/// With the operator away the image is edited to this version, and the pod that follows opens the data with the program of
/// before. The next operator puts the image right.
async fn brings_nothing(stage: &Stage, version: &str, programs: &[&str]) -> Result<()> {
    let wanted = stage.template().await?;
    stage.cluster.stop_operator().await?;
    stage.sets_image(version).await?;
    stage
        .until("the pod that follows", UPGRADE, || async {
            let opened = stage.programs("dev-data").await?;
            Ok((opened.len() >= programs.len()).then_some(()))
        })
        .await?;
    opened_by(stage, programs).await?;
    stage.cluster.start_operator().await?;
    stage
        .until("its own template", PATIENCE, || async {
            Ok((stage.template().await? == wanted).then_some(()))
        })
        .await?;
    stage
        .until("its own pod", UPGRADE, || async {
            let opened = stage.programs("dev-data").await?;
            Ok((opened.len() > programs.len()).then_some(()))
        })
        .await
}

async fn opened_by(stage: &Stage, programs: &[&str]) -> Result<()> {
    let opened = stage.programs("dev-data").await?;
    ensure!(opened == programs, "the data was opened by programs of {opened:?}");
    Ok(())
}
