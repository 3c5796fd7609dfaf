//! An instance goes from wherever it is, in order, and nothing hangs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{ConfigMap, Namespace, Secret, Service},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams},
};
use on_cluster::{
    Instance, Stage, played,
    stage::{PATIENCE, small},
};
use serde_json::json;

/// The namespace controller takes pods first, and looks again after half of their grace and a back-off of its own.
const NAMESPACE: Duration = Duration::from_secs(170);

#[tokio::test]
async fn children_go_in_order_users_first_and_keys_last() -> Result<()> {
    played("order", async |stage| {
        stage.served(&Instance::dev("dev").with("deletionPolicy", "Delete")).await?;
        let mark = stage.mark()?;
        stage.deleted("dev").await?;
        let writes = stage.writes_since(mark)?;
        let gone: Vec<_> = writes
            .iter()
            .filter(|it| it.verb == "delete" && it.code < 300)
            .map(|it| format!("{}/{}", it.resource, it.name))
            .collect();
        let wanted = [
            "services/dev-backend",
            "deployments/dev-dashboard",
            "services/dev-dashboard",
            "statefulsets/dev-backend",
            "secrets/dev-admin",
            "persistentvolumeclaims/dev-data",
            "secrets/dev-instance",
            "configmaps/dev-gate",
        ];
        ensure!(gone == wanted, "{gone:#?}");
        nothing_is_left(stage).await?;
        ensure!(stage.reasons().await?.last().map(String::as_str) == Some("Deleting"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_instance_goes_while_pending() -> Result<()> {
    let waits = small("dev").with("backend.instance", json!({"secretRef": "nowhere"}));
    goes_while("pending", waits, "Pending", None).await
}

#[tokio::test]
async fn an_instance_goes_while_provisioning() -> Result<()> {
    let silent = json!([{"name": "STANDIN_SILENT_VERSIONS", "value": "v1"}]);
    let waits = small("dev").with("version", "v1").with("backend.env", silent);
    goes_while("provisioning", waits, "Provisioning", None).await
}

#[tokio::test]
async fn an_instance_goes_while_upgrading() -> Result<()> {
    let silent = json!([{"name": "STANDIN_SILENT_VERSIONS", "value": "v2"}]);
    let served = small("dev").with("version", "v1").with("backend.env", silent);
    let bump = json!({"version": "v2"});
    goes_while("upgrading", served, "Upgrading/Rolling", Some(bump)).await
}

#[tokio::test]
async fn an_instance_goes_while_degraded() -> Result<()> {
    let silent = json!([{"name": "STANDIN_SILENT_VERSIONS", "value": "v2"}]);
    let served = small("dev")
        .with("version", "v1")
        .with("backend.env", silent)
        .with("maintenance.rolloutDeadlineSeconds", 1);
    goes_while("degraded", served, "Degraded", Some(json!({"version": "v2"}))).await
}

#[tokio::test]
async fn an_instance_goes_while_suspended() -> Result<()> {
    goes_while("asleep", small("dev"), "Ready/Suspended", Some(json!({"suspend": true}))).await
}

async fn goes_while(
    test: &str,
    instance: Instance,
    phase: &str,
    change: Option<serde_json::Value>,
) -> Result<()> {
    played(test, async |stage| {
        stage.create(&instance.with("deletionPolicy", "Delete")).await?;
        if let Some(change) = change {
            stage.settled("dev").await?;
            stage.patch("dev", change).await?;
        }
        stage.phase("dev", phase).await?;
        stage.deleted("dev").await?;
        nothing_is_left(stage).await
    })
    .await
}

#[tokio::test]
async fn an_instance_that_is_deleted_at_once_is_gone_at_once() -> Result<()> {
    played("regret", async |stage| {
        stage.create(&small("dev").with("deletionPolicy", "Delete")).await?;
        stage.all::<ConvexInstance>().delete("dev", &DeleteParams::default()).await?;
        stage
            .until("end of the instance", PATIENCE, || async {
                Ok(stage.all::<ConvexInstance>().get_opt("dev").await?.is_none().then_some(()))
            })
            .await?;
        nothing_is_left(stage).await
    })
    .await
}

#[tokio::test]
async fn a_namespace_that_is_deleted_ends() -> Result<()> {
    played("whole", async |stage| {
        stage.ready(&Instance::dev("dev")).await?;
        let namespaces = Api::<Namespace>::all(stage.client());
        namespaces.delete(stage.namespace(), &DeleteParams::background()).await?;
        stage
            .until("end of the instance", NAMESPACE, || async {
                Ok(stage.all::<ConvexInstance>().get_opt("dev").await?.is_none().then_some(()))
            })
            .await?;
        stage
            .until("end of the namespace", NAMESPACE, || async {
                Ok(namespaces.get_opt(stage.namespace()).await?.is_none().then_some(()))
            })
            .await
    })
    .await
}

#[tokio::test]
async fn a_finalizer_that_somebody_takes_away_is_put_back_while_the_instance_lives() -> Result<()> {
    played("unfinal", async |stage| {
        stage.ready(&small("dev")).await?;
        stage.merge::<ConvexInstance>("dev", json!({"metadata": {"finalizers": null}})).await?;
        stage
            .until("finalizer", PATIENCE, || async {
                let instance = stage.instance("dev").await?;
                Ok((!instance.finalizers().is_empty()).then_some(()))
            })
            .await?;
        stage.settled("dev").await?;
        Ok(())
    })
    .await
}

/// Somebody loses patience and takes the finalizer away: what is owned is collected, and the others go on.
#[tokio::test]
async fn a_finalizer_that_somebody_takes_away_from_a_leaving_instance_stops_nothing() -> Result<()>
{
    played("forced", async |stage| {
        stage.ready(&small("dev")).await?;
        stage.all::<ConvexInstance>().delete("dev", &DeleteParams::default()).await?;
        // It may be gone already, which is as well.
        let _ =
            stage.merge::<ConvexInstance>("dev", json!({"metadata": {"finalizers": null}})).await;
        stage
            .until("end of the children", PATIENCE, || async {
                let sets = stage.all::<StatefulSet>().list(&ListParams::default()).await?;
                let services = stage.all::<Service>().list(&ListParams::default()).await?;
                Ok((sets.items.is_empty() && services.items.is_empty()).then_some(()))
            })
            .await?;
        stage.ready(&small("other")).await?;
        Ok(())
    })
    .await
}

/// Somebody else's finalizer keeps the object; ours does not come back, and nothing is made for it.
#[tokio::test]
async fn somebody_elses_finalizer_keeps_the_instance_and_nothing_is_made_for_it() -> Result<()> {
    played("theirs", async |stage| {
        stage.ready(&small("dev")).await?;
        let mut finalizers = stage.instance("dev").await?.finalizers().to_vec();
        finalizers.push("example.org/theirs".to_owned());
        stage
            .merge::<ConvexInstance>("dev", json!({"metadata": {"finalizers": finalizers}}))
            .await?;
        stage.all::<ConvexInstance>().delete("dev", &DeleteParams::default()).await?;
        stage
            .until("end of our finalizer", PATIENCE, || async {
                let left = stage.instance("dev").await?.finalizers().to_vec();
                Ok((left == ["example.org/theirs"]).then_some(()))
            })
            .await?;
        let sets = stage.all::<StatefulSet>().list(&ListParams::default()).await?;
        ensure!(sets.items.is_empty(), "a backend for an instance that is leaving");
        stage.merge::<ConvexInstance>("dev", json!({"metadata": {"finalizers": null}})).await?;
        Ok(())
    })
    .await
}

async fn nothing_is_left(stage: &Stage) -> Result<()> {
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=convex-operator");
    stage
        .until("end of every child", PATIENCE, || async {
            let mut left = Vec::new();
            left.extend(names(&stage.all::<ConfigMap>().list(&ours).await?.items));
            left.extend(names(&stage.all::<Secret>().list(&ours).await?.items));
            left.extend(names(&stage.all::<Service>().list(&ours).await?.items));
            left.extend(names(&stage.all::<StatefulSet>().list(&ours).await?.items));
            left.extend(names(&stage.all::<Deployment>().list(&ours).await?.items));
            let none = left.is_empty().then_some(());
            none.map(Some).with_context(|| format!("left: {left:?}"))
        })
        .await
}

fn names<K: ResourceExt>(objects: &[K]) -> Vec<String> {
    objects.iter().map(ResourceExt::name_any).collect()
}
