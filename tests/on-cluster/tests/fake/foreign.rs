//! Objects of somebody else that have the names of children: never adopted, never overwritten, never deleted.

use anyhow::{Result, ensure};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service},
};
use kube::ResourceExt;
use on_cluster::{
    Instance, played,
    stage::{Object, PATIENCE, records::lines},
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
    conflict::<ConfigMap>("fconfig", "dev-gate", json!({"data": {"A": "b"}})).await
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
        let (kind, plural) = (K::kind(&()).into_owned(), K::plural(&()).into_owned());
        theirs["metadata"] = json!({"name": name});
        let made = stage.make::<K>(theirs).await?;
        stage.create(&Instance::dev("dev")).await?;
        let state = stage.because("dev", "NameConflict").await?;
        ensure!(state.phase == "Pending", "{state}");
        ensure!(state.message.contains(&format!("{kind} \"{name}\"")), "{state}");
        let look = json!({"metadata": {"annotations": {"example.org/look": "again"}}});
        stage.merge::<ConvexInstance>("dev", look).await?;
        let mark = stage.mark()?;
        stage
            .until("another look", PATIENCE, || async {
                Ok((!stage.requests_since(mark)?.is_empty()).then_some(()))
            })
            .await?;
        let mut written = stage.writes()?;
        written.retain(|it| !["convexinstances", "events"].contains(&it.resource.as_str()));
        ensure!(written.is_empty(), "written in Pending:\n{}", lines(&written));
        let now = stage.get::<K>(name).await?;
        // The controllers of workloads write to what is theirs.
        let is_passive = !["statefulsets", "deployments"].contains(&plural.as_str());
        let same = now.resource_version() == made.resource_version();
        ensure!(same || !is_passive, "{kind} {name} was touched");
        stage.remove::<K>(name).await?;
        stage.settled("dev").await?;
        stage
            .until("child of our own", PATIENCE, || async {
                let ours = stage.all::<K>().get_opt(name).await?;
                Ok(ours.filter(|it| it.uid() != made.uid()).map(|_| ()))
            })
            .await
    })
    .await
}
