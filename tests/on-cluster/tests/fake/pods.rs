//! Pods as their spec wants them, on an API server of Kubernetes' own.

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ConfigMap, Namespace, Service, ServiceAccount},
};
use kube::{Api, ResourceExt};
use on_cluster::{
    Instance, Stage, played,
    stage::{PATIENCE, condition, small},
};
use serde_json::{Value, json};

const PAUSED: &str = "convex.icod.de/paused";

async fn template(stage: &Stage) -> Result<Value> {
    let set = serde_json::to_value(stage.get::<StatefulSet>("dev-backend").await?)?;
    Ok(set["spec"]["template"]["spec"].clone())
}

/// Changes the spec and waits until the pod that follows it serves.
async fn rolled(stage: &Stage, spec: Value) -> Result<()> {
    let before = stage.pod("dev").await?.uid();
    stage.patch("dev", spec).await?;
    stage.pod_when("dev", |pod| pod.uid() != before).await?;
    stage.settled("dev").await?;
    Ok(())
}

/// The API server's own admission judges every pod.
#[tokio::test]
async fn pods_are_let_in_to_a_namespace_that_enforces_the_restricted_standard() -> Result<()> {
    played("restricted", async |stage| {
        let enforce = json!({"metadata": {"labels":
            {"pod-security.kubernetes.io/enforce": "restricted"}}});
        let patch = kube::api::Patch::Merge(enforce);
        let namespaces: Api<Namespace> = Api::all(stage.client());
        namespaces.patch(stage.namespace(), &kube::api::PatchParams::default(), &patch).await?;
        let pod = json!({"volumes": [{"name": "scratch", "emptyDir": {}}],
            "volumeMounts": [{"name": "scratch", "mountPath": "/mnt/scratch"}]});
        let settled = Instance::dev("dev")
            .with("backend.pod", pod.clone())
            .with("dashboard.pod", pod)
            .with("networkPolicy.enabled", true);
        stage.served(&settled).await?;
        ensure!(condition(&stage.instance("dev").await?, "DashboardReady")?.reason == "Available");
        Ok(())
    })
    .await
}

/// The API server knows the account of a pod by two names, and one brings the other back.
#[tokio::test]
async fn an_account_is_made_for_its_annotations_and_goes_without_a_trace() -> Result<()> {
    played("account", async |stage| {
        stage.served(&small("dev")).await?;
        let account = json!({"annotations": {"eks.amazonaws.com/role-arn": "arn"}});
        rolled(stage, json!({"backend": {"pod": {"serviceAccount": account}}})).await?;
        ensure!(template(stage).await?["serviceAccountName"] == "dev-backend");
        let made: ServiceAccount = stage.get("dev-backend").await?;
        ensure!(made.automount_service_account_token == Some(false), "{made:?}");
        rolled(stage, json!({"backend": {"pod": null}})).await?;
        let pod = template(stage).await?;
        ensure!(pod["serviceAccountName"].is_null() && pod["serviceAccount"].is_null(), "{pod}");
        stage
            .until("end of the account", PATIENCE, || async {
                let found = stage.all::<ServiceAccount>().get_opt("dev-backend").await?;
                Ok(found.is_none().then_some(()))
            })
            .await?;
        stage.rest().await
    })
    .await
}

#[tokio::test]
async fn a_source_of_variables_is_waited_for_and_never_sets_what_is_reserved() -> Result<()> {
    played("sources", async |stage| {
        stage.served(&small("dev")).await?;
        let before = stage.pod("dev").await?.uid();
        let sources = json!([{"configMapRef": {"name": "app"}}]);
        stage.patch("dev", json!({"backend": {"envFrom": sources}})).await?;
        stage.because("dev", "ReferenceMissing").await?;
        ensure!(stage.pod("dev").await?.uid() == before, "the backend was rolled");
        let data = json!({"A": "1", "POSTGRES_URL": "postgres://elsewhere"});
        stage.make::<ConfigMap>(json!({"metadata": {"name": "app"}, "data": data})).await?;
        stage.because("dev", "VariableReserved").await?;
        ensure!(stage.pod("dev").await?.uid() == before, "the backend was rolled");
        let gone = json!({"data": {"POSTGRES_URL": null}});
        stage.merge::<ConfigMap>("app", gone).await?;
        stage.pod_when("dev", |pod| pod.uid() != before).await?;
        stage.settled("dev").await?;
        let env = template(stage).await?["containers"][0]["env"].to_string();
        ensure!(env.contains(r#""name":"A""#) && !env.contains("POSTGRES_URL"), "{env}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_paused_instance_is_left_alone_until_it_goes_on() -> Result<()> {
    played("paused", async |stage| {
        stage.served(&small("dev")).await?;
        let annotated = |value: Value| json!({"metadata": {"annotations": {PAUSED: value}}});
        stage.merge::<ConvexInstance>("dev", annotated(json!("true"))).await?;
        stage
            .until("Paused", PATIENCE, || async {
                Ok(condition(&stage.instance("dev").await?, "Paused").ok())
            })
            .await?;
        stage.remove::<Service>("dev-backend").await?;
        stage.rest().await?;
        ensure!(stage.all::<Service>().get_opt("dev-backend").await?.is_none(), "it was repaired");
        stage.merge::<ConvexInstance>("dev", annotated(Value::Null)).await?;
        let service =
            || async { stage.all::<Service>().get_opt("dev-backend").await.context("a Service") };
        stage.until("the Service", PATIENCE, service).await?;
        let goes_on = || async {
            Ok(condition(&stage.instance("dev").await?, "Paused").is_err().then_some(()))
        };
        stage.until("no word of a pause", PATIENCE, goes_on).await?;
        stage.settled("dev").await.map(drop)
    })
    .await
}
