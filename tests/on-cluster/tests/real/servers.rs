//! The sample for production on real servers: documents in PostgreSQL with TLS under a private authority, files in S3.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::{ResourceExt, api::ListParams};
use on_cluster::{Beside, Instance, Stage};
use serde_json::Value;

use crate::stage::{played, pod_name};

const SAMPLE: &str = include_str!("../../../../docs/samples/prod.yaml");
const NAME: &str = "orders";

/// The servers, and the sample settled on them.
async fn settled(stage: &Stage) -> Result<Beside> {
    let beside = Beside::start(stage.cluster.description()).await?;
    beside.hand_over(&stage.kubectl, stage.namespace()).await?;
    stage.kubectl.apply(stage.namespace(), SAMPLE).await?;
    stage.settled(NAME).await?;
    Ok(beside)
}

#[tokio::test]
async fn what_users_wrote_is_on_the_servers_and_outlives_the_pod_and_the_instance() -> Result<()> {
    played("prod", async |stage| {
        let beside = settled(stage).await?;
        let data = stage.fill(NAME).await?;
        ensure!(beside.documents()? >= 25, "{} documents", beside.documents()?);
        let keys = beside.keys()?;
        ensure!(keys.len() >= 2, "a file and a module: {keys:?}");
        ensure!(keys.iter().all(|key| key.starts_with("orders-")), "{keys:?}");
        let claims = stage.all::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
        ensure!(claims.items.is_empty(), "a volume was made: {:?}", claims.items);

        let before = stage.pod(NAME).await?.uid();
        stage.remove::<Pod>(&pod_name(NAME)).await?;
        stage.pod_when(NAME, |pod| pod.uid() != before).await?;
        stage.has_all(NAME, &data).await?;

        stage.deleted(NAME).await?;
        ensure!(beside.documents()? >= 25, "documents went with the instance");
        let again = Instance::from_yaml(SAMPLE)?;
        stage.ready(&again.with("backend.instance.secretRef", "orders-instance")).await?;
        stage.has_all(NAME, &data).await?;
        is_never_told(stage, &beside).await
    })
    .await
}

#[tokio::test]
async fn a_second_instance_is_kept_off_the_database_of_the_first() -> Result<()> {
    played("in-use", async |stage| {
        let beside = settled(stage).await?;
        let lease = || beside.postgres.sql(NAME, "SELECT ts FROM leases");
        let before = lease()?;
        let second = Instance::from_yaml(SAMPLE)?.named("second");
        stage.create(&second.with("backend.instance.name", NAME)).await?;
        let state = stage.because("second", "DatabaseInUse").await?;
        ensure!(state.phase == "Pending", "{state}");
        ensure!(stage.all::<Pod>().get_opt(&pod_name("second")).await?.is_none(), "a second pod");
        ensure!(lease()? == before, "the lease was taken from the first");
        // The second gets what the first leaves.
        stage.deleted(NAME).await?;
        stage.settled("second").await?;
        ensure!(lease()? != before, "nobody took the lease");
        Ok(())
    })
    .await
}

/// No object of the namespace holds the password, but Secrets.
async fn is_never_told(stage: &Stage, beside: &Beside) -> Result<()> {
    for kind in ["convexinstances", "pods", "statefulsets", "configmaps", "events", "jobs"] {
        let list = ["get", kind, "--namespace", stage.namespace(), "--output", "json"];
        let text = stage.kubectl.run(&list).await?;
        let all: Value = serde_json::from_str(&text)?;
        ensure!(all["items"].is_array(), "{kind}: {text}");
        ensure!(!text.contains(beside.canary()), "a password is among {kind}");
    }
    let log = ["logs", &pod_name(NAME), "--namespace", stage.namespace(), "--all-containers"];
    let log = stage.kubectl.run(&log).await?;
    ensure!(log.contains("Connected to Postgres database: orders"), "{log}");
    ensure!(!log.contains(beside.canary()), "a password is in the log");
    Ok(())
}
