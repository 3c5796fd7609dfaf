//! Whoever scales the backend by hand gets a second pod, and no second writer.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ContainerStateTerminated, Pod},
};
use on_cluster::stage::{PATIENCE, small};
use serde_json::json;

use crate::alone;

/// With the operator away nobody scales it back.
#[tokio::test]
async fn a_second_pod_does_not_get_to_the_data_even_while_no_operator_is_there() -> Result<()> {
    alone("scaled", async |stage| {
        stage.ready(&small("dev")).await?;
        stage.cluster.stop_operator().await?;
        stage.merge::<StatefulSet>("dev-backend", json!({"spec": {"replicas": 2}})).await?;
        let refused = stage
            .until("refused second pod", PATIENCE, || async {
                let pod = stage.all::<Pod>().get_opt("dev-backend-1").await?;
                Ok(pod.as_ref().and_then(gate))
            })
            .await?;
        let why = refused.message.clone().context("a message")?;
        ensure!(refused.exit_code == 1, "{refused:?}");
        ensure!(why.contains("only pod dev-backend-0 may open the data"), "{why}");
        ensure!(stage.marker("dev").await?.starts == 1);
        stage.cluster.start_operator().await?;
        stage
            .until("end of the second pod", PATIENCE, || async {
                let gone = stage.all::<Pod>().get_opt("dev-backend-1").await?.is_none();
                Ok(gone.then_some(()))
            })
            .await?;
        stage.settled("dev").await?;
        ensure!(stage.marker("dev").await?.starts == 1);
        Ok(())
    })
    .await
}

/// How the gate of a pod ended.
fn gate(pod: &Pod) -> Option<ContainerStateTerminated> {
    let containers = pod.status.as_ref()?.init_container_statuses.as_ref()?;
    let gate = containers.iter().find(|it| it.name == "gate")?;
    let states = [&gate.state, &gate.last_state];
    states.into_iter().flatten().find_map(|it| it.terminated.clone())
}
