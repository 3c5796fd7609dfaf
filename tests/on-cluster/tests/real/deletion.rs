//! What a deletion keeps, what it takes, and who may have what it kept.

use anyhow::{Result, ensure};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Secret},
};
use kube::{ResourceExt, api::ListParams};
use on_cluster::{Stage, State};

use crate::stage::{PATIENCE, played, small};

#[tokio::test]
async fn what_is_kept_is_taken_over_by_whoever_says_so_and_by_nobody_else() -> Result<()> {
    played("kept", async |stage| {
        stage.ready(&small("dev")).await?;
        let before = stage.marker("dev").await?;
        let secret = stage.secret("dev-instance", "INSTANCE_SECRET").await?;
        stage.deleted("dev").await?;
        ensure!(left(stage).await? == (names(&["dev-data"]), names(&["dev-instance"])));

        stage.create(&small("dev")).await?;
        let conflict = |state: &State| state.reason == "NameConflict";
        let state = stage.follow("dev").await?.until("NameConflict", PATIENCE, conflict).await?;
        ensure!(state.phase == "Pending", "{state}");
        ensure!(state.message.contains("existingClaim: dev-data"), "how it goes on: {state}");
        stage.deleted("dev").await?;
        ensure!(left(stage).await? == (names(&["dev-data"]), names(&["dev-instance"])));

        let heir = small("dev").with("backend.storage.pvc.existingClaim", "dev-data");
        stage.ready(&heir).await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        ensure!(stage.secret("dev-instance", "INSTANCE_SECRET").await? == secret);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn deletion_policy_delete_takes_claim_and_secrets_with_it() -> Result<()> {
    played("taken", async |stage| {
        stage.ready(&small("dev").with("deletionPolicy", "Delete")).await?;
        stage.deleted("dev").await?;
        ensure!(left(stage).await? == (names(&[]), names(&[])), "{:?}", left(stage).await?);
        let sets = stage.all::<StatefulSet>().list(&ListParams::default()).await?;
        ensure!(sets.items.is_empty());
        Ok(())
    })
    .await
}

/// Claims and Secrets of the namespace, those left out that are on their way out.
async fn left(stage: &Stage) -> Result<(Vec<String>, Vec<String>)> {
    let all = ListParams::default();
    let claims = stage.all::<PersistentVolumeClaim>().list(&all).await?;
    Ok((staying(&claims.items), staying(&stage.all::<Secret>().list(&all).await?.items)))
}

fn staying<K: ResourceExt>(listed: &[K]) -> Vec<String> {
    let staying = listed.iter().filter(|it| it.meta().deletion_timestamp.is_none());
    staying.map(ResourceExt::name_any).collect()
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}
