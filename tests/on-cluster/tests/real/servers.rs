//! The sample for production on real servers: documents in PostgreSQL with TLS under a private authority, files in S3.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::{ResourceExt, api::ListParams};
use on_cluster::{
    Beside, Instance, Stage, edge,
    instance::VERSION,
    stage::{condition, records::lines, upgrades::steering},
};
use serde_json::{Value, json};

use crate::stage::{PATIENCE, played, pod_name};

const SAMPLE: &str = include_str!("../../../../docs/samples/prod.yaml");
const NAME: &str = "orders";
const NEWER: &str = "00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90";
/// From nothing to an instance that is Ready and reached by its hosts, Events among them.
const PROVISIONING: usize = 18;
/// Longer than any pause between two looks.
const LOOK: Duration = Duration::from_secs(35);

/// The servers, and the sample settled on them; without hosts, for there is one data plane for all tests.
async fn settled(stage: &Stage) -> Result<Beside> {
    let beside = Beside::start(stage.cluster.description()).await?;
    beside.hand_over(&stage.kubectl, stage.namespace()).await?;
    stage.ready(&Instance::from_yaml(SAMPLE)?.without("networking")).await?;
    Ok(beside)
}

/// The sample as it is: reached by its three hosts, counted, and at rest.
#[tokio::test]
async fn the_sample_is_ready_and_reached_by_three_hosts_after_18_writes() -> Result<()> {
    played("whole", async |stage| {
        let beside = Beside::start(stage.cluster.description()).await?;
        beside.hand_over(&stage.kubectl, stage.namespace()).await?;
        let networking = Instance::from_yaml(SAMPLE)?.spec()["networking"].clone();
        let host = |field: &str| networking[field].as_str().unwrap_or_default().to_owned();
        let hosts = ["host", "siteHost", "dashboardHost"].map(host);
        let (cluster, namespace) = (stage.cluster.description(), stage.namespace());
        let outside = edge::client(&stage.kubectl, cluster, namespace, &hosts).await?;
        stage.apply(&edge::shared()).await?;
        stage.kubectl.apply(namespace, SAMPLE).await?;
        stage.settled(NAME).await?;
        let exposed = condition(&stage.instance(NAME).await?, "Exposed")?;
        ensure!(exposed.reason == "Accepted", "Ready, and its hosts lead nowhere: {exposed:?}");
        for host in &hosts {
            let leads = || edge::leads(&outside, host, true);
            stage.until(&format!("a way to {host}"), PATIENCE, leads).await?;
        }
        let version = outside.get(&hosts[0], true, "/version").await?;
        ensure!(version.body == VERSION, "{version:?}");
        edge::uploaded(&outside, &hosts[0]).await?;
        ensure!(beside.keys()?.len() == 1, "the upload is not in the bucket");
        is_counted(stage).await
    })
    .await
}

async fn is_counted(stage: &Stage) -> Result<()> {
    stage.rest().await?;
    let writes = stage.writes()?;
    println!("{} writes:\n{}", writes.len(), lines(&writes));
    ensure!(writes.len() <= PROVISIONING, "{} writes:\n{}", writes.len(), lines(&writes));
    let mark = stage.mark()?;
    tokio::time::sleep(LOOK).await;
    ensure!(!stage.requests_since(mark)?.is_empty(), "nobody has looked");
    let writes = stage.writes_since(mark)?;
    ensure!(writes.is_empty(), "{} writes at rest:\n{}", writes.len(), lines(&writes));
    Ok(())
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
        let again = Instance::from_yaml(SAMPLE)?.without("networking");
        stage.ready(&again.with("backend.instance.secretRef", "orders-instance")).await?;
        stage.has_all(NAME, &data).await?;
        is_never_told(stage, &beside).await
    })
    .await
}

/// The way back is read from the bucket, too: nothing is on a volume, whatever an upgrade does.
#[tokio::test]
async fn an_upgrade_and_its_way_back_go_by_an_export_in_the_bucket_and_make_no_claim() -> Result<()>
{
    played("exported", async |stage| {
        let asked = json!({"onFailure": "Rollback", "rolloutDeadlineSeconds": 30,
            "exportImport": {"waitForFunctions": false}});
        let sample = Instance::from_yaml(SAMPLE)?.without("networking");
        let sample =
            sample.with("backend.db.createDatabase", "IfMissing").with("maintenance", asked);
        let beside = Beside::start(stage.cluster.description()).await?;
        beside.hand_over(&stage.kubectl, stage.namespace()).await?;
        beside.postgres.sql("postgres", "ALTER ROLE orders CREATEDB")?;
        stage.ready(&sample.with("backend.env", steering(&[("CRASH", NEWER)]))).await?;
        let data = stage.fill(NAME).await?;
        stage.patch(NAME, json!({ "version": NEWER })).await?;
        stage.stands(NAME, "Ready", "ReleaseRefused").await?;
        stage.condition_when(NAME, "Available", "Serving").await?;
        stage.has_data(NAME, &data).await?;
        let claims = stage.all::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
        ensure!(claims.items.is_empty(), "a volume was made: {:?}", claims.items);
        let kept = stage.status(NAME).await?.snapshots;
        let prefix =
            kept.first().and_then(|it| it.prefix.clone()).context("an export in a bucket")?;
        let keys = beside.keys()?;
        ensure!(keys.contains(&format!("{prefix}/snapshot.zip")), "{keys:?}");
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
        let second = Instance::from_yaml(SAMPLE)?.without("networking").named("second");
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
