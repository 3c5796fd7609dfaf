//! Users who are let in while their data is exported: what they write then is theirs, and no export without it is used.

use anyhow::{Result, ensure};
use on_cluster::{
    played,
    stage::{
        places::Place,
        upgrades::{UPGRADE, steering, ways},
    },
};
use serde_json::json;

#[tokio::test]
async fn an_export_is_not_used_where_the_owner_has_resumed_the_deployment_meanwhile() -> Result<()>
{
    played("resumed", async |stage| {
        let data = stage.stopped_in(Place::Exporting, "Retain", ways::same_store()).await?;
        let users = stage.users("dev");
        let key = stage.admin_key("dev").await?;
        stage.door("dev").await?.resume(&key).await?;
        stage
            .until("an upgrade that is given up", UPGRADE, || async {
                let told = stage.status("dev").await?.blocked_by;
                Ok(told.iter().any(|it| it.reason == "UsersLetIn").then_some(()))
            })
            .await?;
        stage.serves_on(&data).await?;
        stage.patch("dev", json!({"backend": {"env": steering(&[])}})).await?;
        stage.answers("dev", "v1").await?;
        stage.retry("dev", "resumed").await?;
        stage.ends_well(&data, "v2").await?;
        let made = stage.status("dev").await?.snapshots;
        ensure!(made.iter().all(|it| it.id.ends_with("-2")), "the first export was used: {made:?}");
        stage.kept("dev", users).await
    })
    .await
}
