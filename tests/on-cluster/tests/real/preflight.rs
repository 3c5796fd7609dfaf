//! What a backend would miss is told before it starts, and it starts by itself once that is there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use convex_operator::api::DependencyStatus;
use k8s_openapi::{
    api::core::v1::{ConfigMap, ContainerStateTerminated, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};
use on_cluster::{Beside, Instance, Stage};
use serde_json::json;

use crate::stage::played;

const SAMPLE: &str = include_str!("../../../../docs/samples/prod.yaml");
const NAME: &str = "orders";
/// Once the last cause is gone: the kubelet's pause after two causes one after the other, the pause of the look, and a start.
const HEALED: Duration = Duration::from_mins(1);
/// What a look at servers that are well may add to a start, in the whole seconds that the kubelet tells. How long it takes exactly
/// is measured where its process is started by hand (`on_servers` of the stand-in).
const LOOK: i64 = 2;

/// Without hosts, which all tests would share.
fn sample() -> Result<Instance> {
    Ok(Instance::from_yaml(SAMPLE)?.without("networking"))
}

async fn dependencies(stage: &Stage) -> Result<Vec<DependencyStatus>> {
    Ok(stage.instance(NAME).await?.status.unwrap_or_default().dependencies)
}

fn gate(pod: &Pod) -> Option<&ContainerStateTerminated> {
    let gates = pod.status.as_ref()?.init_container_statuses.as_ref()?;
    let gate = gates.iter().find(|it| it.name == "gate")?;
    gate.state.as_ref()?.terminated.as_ref()
}

fn seconds(ended: &ContainerStateTerminated) -> Option<i64> {
    let [begun, over] = [&ended.started_at, &ended.finished_at].map(Option::as_ref);
    let since = |(begun, over): (&Time, &Time)| over.0.duration_since(begun.0).as_secs();
    begun.zip(over).map(since)
}

#[tokio::test]
async fn what_is_amiss_is_told_and_the_backend_starts_once_it_is_mended() -> Result<()> {
    played("preflight", async |stage| {
        let beside = Beside::start(stage.cluster.description()).await?;
        beside.hand_over(&stage.kubectl, stage.namespace()).await?;
        // The server knows another password, and the bucket is still to be made.
        beside.postgres.role(NAME, "another")?;
        let late = json!({"data": {"BUCKET_NAME": "orders-late"}});
        stage.merge::<ConfigMap>("orders-bucket", late).await?;
        stage.create(&sample()?).await?;

        stage.because(NAME, "DatabaseLoginFailed").await?;
        let told = dependencies(stage).await?;
        println!("{}", serde_json::to_string_pretty(&told)?);
        ensure!(told.len() == 2 && told.iter().all(|it| !it.connected), "{told:?}");
        beside.postgres.role(NAME, beside.canary())?;
        stage.because(NAME, "BucketMissing").await?;
        let told = dependencies(stage).await?;
        ensure!(told[0].connected && told[0].last_connected_time.is_some(), "{told:?}");

        beside.s3.bucket("orders-late", "orders-user")?;
        let mended = Instant::now();
        stage.settled(NAME).await?;
        println!("it served {:?} after the last cause was gone", mended.elapsed());
        ensure!(mended.elapsed() < HEALED, "{:?}", mended.elapsed());
        let told = dependencies(stage).await?;
        ensure!(told.iter().all(|it| it.connected && it.message.is_none()), "{told:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_look_at_servers_that_are_well_adds_two_seconds_at_most_to_a_start() -> Result<()> {
    played("preflight-well", async |stage| {
        let beside = Beside::start(stage.cluster.description()).await?;
        beside.hand_over(&stage.kubectl, stage.namespace()).await?;
        stage.create(&sample()?).await?;
        stage.settled(NAME).await?;
        println!("{}", serde_json::to_string_pretty(&dependencies(stage).await?)?);
        let pod = stage.pod(NAME).await?;
        let took = gate(&pod).and_then(seconds).context("the gate has not ended")?;
        println!("the gate took {took} s");
        ensure!(took <= LOOK, "{took} s");
        Ok(())
    })
    .await
}
