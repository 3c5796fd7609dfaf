//! Two operators at once: one acts, and the other takes its place when it goes.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster::operator::{NAME, NAMESPACE};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use on_cluster::{
    Instance, Stage,
    stage::{records::lines, small},
};

use crate::{END, alone, process::Operator};

const HELD: &str = "the lease is held";
const SUCCESSION: Duration = Duration::from_secs(20);

#[tokio::test]
async fn of_two_operators_one_acts_and_the_other_takes_its_place() -> Result<()> {
    alone("rivals", async |stage| {
        let mut second = Operator::start(stage, "second")?;
        stage.ready(&Instance::dev("one")).await?;
        ensure!(!second.said()?.contains(HELD), "both hold the lease:\n{}", second.said()?);
        ensure!(holder(stage).await? != "second");
        let writes = stage.writes()?;
        let mut created: Vec<_> = writes
            .iter()
            .filter(|it| it.verb == "create")
            .map(|it| (&it.resource, &it.name))
            .collect();
        created.sort();
        let all = created.len();
        created.dedup();
        ensure!(created.len() == all, "made by both:\n{}", lines(&writes));

        let ended = stage.cluster.stop_operator().await?;
        ensure!(ended.code == Some(0), "{ended:?}");
        let asked = std::time::Instant::now();
        second.says(stage, HELD, SUCCESSION).await?;
        println!("the second held the lease {:?} after the end of the first", asked.elapsed());
        ensure!(holder(stage).await? == "second");
        stage.ready(&small("two")).await?;
        stage.cluster.start_operator().await?;
        let (status, took) = second.stop().await?;
        ensure!(status.code() == Some(0) && took < END, "{status} after {took:?}");
        stage.ready(&small("three")).await?;
        Ok(())
    })
    .await
}

async fn holder(stage: &Stage) -> Result<String> {
    let leases = Api::<Lease>::namespaced(stage.client(), NAMESPACE);
    let holder = leases.get(NAME).await?.spec.and_then(|spec| spec.holder_identity);
    Ok(holder.unwrap_or_default())
}
