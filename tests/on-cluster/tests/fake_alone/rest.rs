//! A restart of the operator is nothing to an instance, whatever phase it is in.

use std::time::Duration;

use anyhow::{Result, ensure};
use on_cluster::{
    Beside, Instance, Stage,
    stage::{records::lines, small},
};
use serde_json::json;

use crate::{END, alone};

/// Longer than any passing detail is held back before it is written.
const QUIET: Duration = Duration::from_secs(8);
const PRODUCTION: &str = include_str!("../../../../docs/samples/prod.yaml");

#[tokio::test]
async fn a_restart_with_nothing_changed_takes_no_write() -> Result<()> {
    alone("restart", async |stage| {
        in_every_phase_that_lasts(stage).await?;
        tokio::time::sleep(QUIET).await;
        let mark = stage.mark()?;
        let ended = stage.cluster.restart_operator().await?;
        ensure!(ended.code == Some(0) && ended.took < END, "{ended:?}");
        has_looked(stage, mark).await?;
        tokio::time::sleep(QUIET).await;
        let writes = stage.writes_since(mark)?;
        ensure!(writes.is_empty(), "{} writes:\n{}", writes.len(), lines(&writes));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_restart_beside_servers_takes_no_write() -> Result<()> {
    alone("servers", async |stage| {
        let beside = Beside::start(stage.cluster.description()).await?;
        beside.hand_over(&stage.kubectl, stage.namespace()).await?;
        stage.ready(&Instance::from_yaml(PRODUCTION)?.without("networking")).await?;
        tokio::time::sleep(QUIET).await;
        let mark = stage.mark()?;
        stage.cluster.restart_operator().await?;
        stage
            .until("look at the Secrets", Duration::from_secs(30), || async {
                let asked = stage.requests_since(mark)?;
                let of = |name: &str| asked.iter().any(|it| it.name == name);
                Ok(["orders-db-app", "orders-db-ca", "orders-bucket"]
                    .iter()
                    .all(|it| of(it))
                    .then_some(()))
            })
            .await?;
        tokio::time::sleep(QUIET).await;
        let writes = stage.writes_since(mark)?;
        ensure!(writes.is_empty(), "{} writes:\n{}", writes.len(), lines(&writes));
        Ok(())
    })
    .await
}

async fn in_every_phase_that_lasts(stage: &Stage) -> Result<()> {
    let silent = json!([{"name": "STANDIN_SILENT_VERSIONS", "value": "v1,v2"}]);
    stage.create(&small("pending").with("backend.instance", json!({"secretRef": "none"}))).await?;
    stage.create(&small("asleep").with("suspend", true)).await?;
    let hasty = small("failing")
        .with("version", "v1")
        .with("backend.env", silent)
        .with("maintenance.provisionDeadlineSeconds", 1);
    stage.create(&hasty).await?;
    stage.create(&Instance::dev("serving")).await?;
    stage.settled("serving").await?;
    stage.phase("pending", "Pending").await?;
    stage.phase("asleep", "Ready/Suspended").await?;
    stage.phase("failing", "Degraded").await?;
    Ok(())
}

/// It has read the Secrets of every instance: no pass goes without that.
async fn has_looked(stage: &Stage, mark: u64) -> Result<()> {
    stage
        .until("look at every instance", Duration::from_secs(30), || async {
            let asked = stage.requests_since(mark)?;
            let looked = ["none", "asleep-admin", "failing-admin", "serving-admin"]
                .iter()
                .all(|name| asked.iter().any(|it| it.resource == "secrets" && it.name == *name));
            Ok(looked.then_some(()))
        })
        .await
}
