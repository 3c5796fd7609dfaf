//! From `kubectl apply` to an answer with the key that was minted.

use anyhow::{Result, ensure};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::core::v1::{Pod, Service};
use on_cluster::{Stage, State};

use crate::stage::{PATIENCE, played, pod_name, small};

const SAMPLE: &str = include_str!("../../../../docs/samples/dev.yaml");

#[tokio::test]
async fn the_sample_becomes_ready_and_answers_with_its_version_and_takes_its_key() -> Result<()> {
    played("sample", async |stage| {
        stage.kubectl.apply(stage.namespace(), SAMPLE).await?;
        let state = stage.settled("dev").await?;
        answers(stage, "dev", &state.running).await?;
        is_served_by_its_service(stage, "dev", &state.running).await
    })
    .await
}

#[tokio::test]
async fn a_name_of_52_characters_works() -> Result<()> {
    played("longest", async |stage| {
        let name = "n".repeat(52);
        let state = stage.ready(&small(&name)).await?;
        let pod = pod_name(&name);
        ensure!(pod.len() <= 63, "{pod} is too long for a label");
        is_served_by_its_service(stage, &name, &state.running).await
    })
    .await
}

#[tokio::test]
async fn a_suspended_instance_stops_its_backend_and_resumes_with_its_data() -> Result<()> {
    played("suspended", async |stage| {
        stage.ready(&small("dev")).await?;
        let before = stage.marker("dev").await?;
        let mut follower = stage.follow("dev").await?;
        stage.patch("dev", serde_json::json!({ "suspend": true })).await?;
        let suspended = |state: &State| state.phase == "Ready/Suspended";
        follower.until("Suspended", PATIENCE, suspended).await?;
        stage
            .until("end of the backend", PATIENCE, || async {
                Ok(stage.all::<Pod>().get_opt(&pod_name("dev")).await?.is_none().then_some(()))
            })
            .await?;
        stage.patch("dev", serde_json::json!({ "suspend": false })).await?;
        stage.settled("dev").await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        Ok(())
    })
    .await
}

async fn answers(stage: &Stage, name: &str, version: &str) -> Result<()> {
    let door = stage.door(name).await?;
    ensure!(door.version().await? == version);
    let key = stage.secret(&format!("{name}-admin"), "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
    door.accepts(&key).await?;
    let spoilt: String = key.chars().rev().collect();
    ensure!(door.accepts(&spoilt).await.is_err(), "any key is taken");
    Ok(())
}

/// Asked from inside the pod, by the Service's address: nobody resolves names on this cluster.
async fn is_served_by_its_service(stage: &Stage, name: &str, version: &str) -> Result<()> {
    // Users are let in once the instance is Ready, and not before: a moment after it says so.
    let service = stage
        .until("Service of the backend", PATIENCE, || async {
            Ok(stage.all::<Service>().get_opt(&format!("{name}-backend")).await?)
        })
        .await?;
    let address = service.spec.and_then(|spec| spec.cluster_ip).unwrap_or_default();
    let url = format!("http://{address}:3210/version");
    let pod = pod_name(name);
    let ask = ["exec", "--namespace", stage.namespace(), &pod, "--", "wget", "-qO-", &url];
    let answered = stage
        .until("answer of the Service", PATIENCE, || async {
            Ok(Some(stage.kubectl.run(&ask).await?))
        })
        .await?;
    ensure!(answered == version, "{url} answers {answered}");
    let instance = stage.all::<ConvexInstance>().get(name).await?;
    let told = instance.status.and_then(|status| status.endpoints?.api_url).unwrap_or_default();
    ensure!(told.contains(&format!("{name}-backend.{}.svc:3210", stage.namespace())), "{told}");
    Ok(())
}
