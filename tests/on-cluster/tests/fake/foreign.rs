//! Objects of somebody else that have the names of children: never adopted, never overwritten, never deleted.

use anyhow::{Result, ensure};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service},
};
use kube::ResourceExt;
use on_cluster::{
    Instance, played,
    stage::{Object, records::lines},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_foreign_instance_secret_is_a_conflict_until_it_goes() -> Result<()> {
    conflict::<Secret>("fsecret", "dev-instance", json!({"stringData": {"A": "b"}})).await
}

#[tokio::test]
async fn a_foreign_admin_secret_is_a_conflict_until_it_goes() -> Result<()> {
    conflict::<Secret>("fadmin", "dev-admin", json!({"stringData": {"A": "b"}})).await
}

#[tokio::test]
async fn a_foreign_config_map_is_a_conflict_until_it_goes() -> Result<()> {
    conflict::<ConfigMap>("fconfig", "dev-backend", json!({"data": {"A": "b"}})).await
}

#[tokio::test]
async fn a_foreign_service_is_a_conflict_until_it_goes() -> Result<()> {
    let spec = json!({"spec": {"ports": [{"port": 80}]}});
    conflict::<Service>("fservice", "dev-backend", spec).await
}

#[tokio::test]
async fn a_foreign_dashboard_service_is_a_conflict_until_it_goes() -> Result<()> {
    let spec = json!({"spec": {"ports": [{"port": 80}]}});
    conflict::<Service>("fpage", "dev-dashboard", spec).await
}

#[tokio::test]
async fn a_foreign_stateful_set_is_a_conflict_until_it_goes() -> Result<()> {
    let mut spec = json!({"spec": workload()});
    spec["spec"]["serviceName"] = json!("none");
    conflict::<StatefulSet>("fset", "dev-backend", spec).await
}

#[tokio::test]
async fn a_foreign_deployment_is_a_conflict_until_it_goes() -> Result<()> {
    conflict::<Deployment>("fdeployment", "dev-dashboard", json!({"spec": workload()})).await
}

#[tokio::test]
async fn a_foreign_claim_is_a_conflict_until_it_goes() -> Result<()> {
    let spec = json!({"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none",
        "resources": {"requests": {"storage": "1Gi"}}}});
    conflict::<PersistentVolumeClaim>("fclaim", "dev-data", spec).await
}

fn workload() -> Value {
    json!({"replicas": 0, "selector": {"matchLabels": {"app": "theirs"}}, "template": {
        "metadata": {"labels": {"app": "theirs"}},
        "spec": {"containers": [{"name": "main", "image": "example.org/theirs:1"}]},
    }})
}

async fn conflict<K: Object>(test: &str, name: &str, mut theirs: Value) -> Result<()> {
    played(test, async |stage| {
        theirs["metadata"] = json!({"name": name});
        stage.make::<K>(theirs).await?;
        // Its own controller may still write its status.
        let kind = K::kind(&()).into_owned();
        stage.create(&Instance::dev("dev")).await?;
        let state = stage.because("dev", "NameConflict").await?;
        ensure!(state.phase == "Pending", "{state}");
        ensure!(state.message.contains(&format!("{kind} \"{name}\"")) || name == "dev-data", "{state}");
        let before = stage.get::<K>(name).await?;
        let allowed = ["convexinstances", "events"];
        let mut made = stage.writes()?;
        made.retain(|it| !allowed.contains(&it.resource.as_str()));
        ensure!(made.is_empty(), "written in Pending:\n{}", lines(&made));
        stage.merge::<convex_operator::api::ConvexInstance>("dev", json!({"metadata": {
            "annotations": {"example.org/look": "again"}}})).await?;
        stage.because("dev", "NameConflict").await?;
        let now = stage.get::<K>(name).await?;
        ensure!(now.resource_version() == before.resource_version(), "it was touched");
        let touched = stage.writes()?.iter().any(|it| it.resource == K::plural(&()));
        ensure!(!touched, "somebody else's {kind} was written to");
        stage.remove::<K>(name).await?;
        stage.settled("dev").await?;
        ensure!(stage.get::<K>(name).await?.uid() != before.uid());
        Ok(())
    })
    .await
}
