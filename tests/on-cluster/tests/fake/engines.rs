//! Databases and buckets on servers: nothing is made before what the spec refers to is there.

use anyhow::{Result, ensure};
use on_cluster::{
    Instance, played,
    stage::{condition, records::lines, small},
};
use serde_json::json;

#[tokio::test]
async fn a_database_server_is_waited_for_by_the_secret_that_leads_to_it() -> Result<()> {
    lacking("engine", Instance::postgres("dev"), "\"db\"").await
}

#[tokio::test]
async fn object_storage_is_waited_for_by_its_secret() -> Result<()> {
    let s3 = json!({"enabled": true, "secretRef": "bucket", "endpointKey": "a",
        "accessKeyIdKey": "b", "secretAccessKeyKey": "c", "bucketKey": "d"});
    lacking("bucket", small("dev").with("backend.s3", s3), "\"bucket\"").await
}

async fn lacking(test: &str, instance: Instance, secret: &str) -> Result<()> {
    played(test, async |stage| {
        stage.create(&instance).await?;
        let state = stage.because("dev", "SecretMissing").await?;
        ensure!(state.phase == "Pending" && state.message.contains(secret), "{state}");
        let ready = condition(&stage.instance("dev").await?, "SecretsReady")?;
        ensure!(ready.reason == "SecretMissing", "{ready:?}");
        let mut made = stage.writes()?;
        made.retain(|it| !["events", "convexinstances"].contains(&it.resource.as_str()));
        ensure!(made.is_empty(), "made:\n{}", lines(&made));
        stage.deleted("dev").await
    })
    .await
}
