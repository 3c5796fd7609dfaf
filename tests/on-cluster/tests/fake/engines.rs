//! What the spec may say and this version does not carry out: accepted, waited with, and said so.

use anyhow::{Result, ensure};
use on_cluster::{
    Instance, played,
    stage::{condition, records::lines, small},
};
use serde_json::json;

#[tokio::test]
async fn a_database_server_is_accepted_and_waited_for() -> Result<()> {
    unsupported("engine", Instance::postgres("dev"), "spec.backend.db.engine").await
}

#[tokio::test]
async fn object_storage_is_accepted_and_waited_for() -> Result<()> {
    let s3 = json!({"enabled": true, "secretRef": "bucket", "endpointKey": "a",
        "accessKeyIdKey": "b", "secretAccessKeyKey": "c", "bucketKey": "d"});
    unsupported("bucket", small("dev").with("backend.s3", s3), "spec.backend.s3").await
}

async fn unsupported(test: &str, instance: Instance, field: &str) -> Result<()> {
    played(test, async |stage| {
        stage.create(&instance).await?;
        let state = stage.because("dev", "Unsupported").await?;
        ensure!(state.phase == "Pending" && state.message.contains(field), "{state}");
        let stalled = condition(&stage.instance("dev").await?, "Stalled")?;
        ensure!(stalled.reason == "Unsupported", "{stalled:?}");
        let mut made = stage.writes()?;
        made.retain(|it| !["events", "convexinstances"].contains(&it.resource.as_str()));
        ensure!(made.is_empty(), "made:\n{}", lines(&made));
        stage.deleted("dev").await
    })
    .await
}
