//! While no operator is there, nobody puts right what a hand has done to the StatefulSet: the gate alone stands before the data.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use on_cluster::{
    Stage,
    stage::{
        PATIENCE,
        data::Data,
        places::Place,
        pod_name, small,
        upgrades::{upgraded_by, ways},
    },
};
use serde_json::{Value, json};

use crate::alone;

/// Whoever scales the backend by hand gets a second pod, and no second writer.
#[tokio::test]
async fn a_second_pod_does_not_get_to_the_data_even_while_no_operator_is_there() -> Result<()> {
    alone("scaled", async |stage| {
        stage.ready(&small("dev")).await?;
        stage.cluster.stop_operator().await?;
        stage.merge::<StatefulSet>("dev-backend", json!({"spec": {"replicas": 2}})).await?;
        let why = refusal(stage, "dev-backend-1").await?;
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

/// The copy is as good as nobody writing meanwhile.
#[tokio::test]
async fn a_backend_that_is_scaled_up_while_its_data_is_copied_opens_nothing_while_no_operator_is_there()
-> Result<()> {
    alone("scaled-copying", async |stage| {
        let data = stage.stopped_in(Place::Copying, "Retain", ways::copy()).await?;
        stage.cluster.stop_operator().await?;
        stage.merge::<StatefulSet>("dev-backend", json!({"spec": {"replicas": 1}})).await?;
        let why = refusal(stage, &pod_name("dev")).await?;
        ensure!(why.contains("the gate is closed") && why.contains("copied"), "{why}");
        stage.cluster.start_operator().await?;
        stage
            .until("end of the pod", PATIENCE, || async {
                let gone = stage.all::<Pod>().get_opt(&pod_name("dev")).await?.is_none();
                Ok(gone.then_some(()))
            })
            .await?;
        stage.let_go(Place::Copying).await?;
        ends_opened_by(stage, &data, &["v1", "v2"]).await
    })
    .await
}

#[tokio::test]
async fn a_rollout_that_is_undone_once_the_upgrade_has_ended_opens_nothing_while_no_operator_is_there()
-> Result<()> {
    alone("undone", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        stage.runs("dev", "v2").await?;
        shut_out(stage, &Hand::Undoes, ["v1", "v2"]).await?;
        stage.pod_when("dev", |pod| runs(pod, "v2")).await?;
        ends_opened_by(stage, &data, &["v1", "v2", "v2"]).await
    })
    .await
}

#[tokio::test]
async fn another_version_that_is_put_into_the_template_of_a_ready_instance_opens_nothing_while_no_operator_is_there()
-> Result<()> {
    alone("put", async |stage| {
        stage.ready(&upgraded_by(ways::copy())).await?;
        let data = stage.fill("dev").await?;
        shut_out(stage, &Hand::Puts { from: "v1", to: "v2" }, ["v2", "v1"]).await?;
        stage.pod_when("dev", |pod| runs(pod, "v1")).await?;
        ends_opened_by(stage, &data, &["v1", "v1"]).await
    })
    .await
}

#[tokio::test]
async fn a_rollout_that_is_undone_while_rolling_opens_nothing_while_no_operator_is_there()
-> Result<()> {
    while_rolling("undone-rolling", &Hand::Undoes, ["v1", "v2"]).await
}

#[tokio::test]
async fn a_third_version_that_is_put_into_the_template_while_rolling_opens_nothing_while_no_operator_is_there()
-> Result<()> {
    while_rolling("put-rolling", &Hand::Puts { from: "v2", to: "v3" }, ["v3", "v2"]).await
}

async fn while_rolling(test: &str, hand: &Hand, told: [&str; 2]) -> Result<()> {
    alone(test, async |stage| {
        let data = stage.stopped_in(Place::Rolling, "Retain", ways::same_store()).await?;
        shut_out(stage, hand, told).await?;
        stage.let_go(Place::Rolling).await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}

/// What somebody does to the StatefulSet `dev-backend`.
enum Hand {
    /// `kubectl rollout undo`.
    Undoes,
    /// Every image of one version is made that of another one, as whoever edits a manifest replaces them all.
    Puts { from: &'static str, to: &'static str },
}

impl Hand {
    async fn is_laid(&self, stage: &Stage) -> Result<()> {
        let Self::Puts { from, to } = self else {
            return stage.undoes_rollout().await;
        };
        let image = |version: &str| format!("convex-backend:{version}");
        let template = stage.template().await?.to_string();
        ensure!(template.contains(&image(from)), "nothing to replace in {template}");
        let template: Value = serde_json::from_str(&template.replace(&image(from), &image(to)))?;
        let edit = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
        stage.edit::<StatefulSet>("dev-backend", edit).await.map(drop)
    }
}

/// With the operator away a hand is laid on the StatefulSet, and the pod that follows is refused by the gate, which tells the
/// version of the pod and that of the record. The next operator puts the template right.
async fn shut_out(stage: &Stage, hand: &Hand, told: [&str; 2]) -> Result<()> {
    let (wanted, opened) = (stage.template().await?, stage.openers("dev-data").await?);
    stage.cluster.stop_operator().await?;
    hand.is_laid(stage).await?;
    let why = refusal(stage, &pod_name("dev")).await?;
    let [pod, record] = told.map(|version| format!("convex-backend:{version})"));
    let (of_pod, of_record) = why.split_once("the record asks for").context(why.clone())?;
    ensure!(of_pod.contains(&pod) && of_record.contains(&record), "{why}");
    ensure!(of_record.contains("spec.version"), "what to do: {why}");
    let now = stage.openers("dev-data").await?;
    ensure!(now == opened, "the data was opened by {now:?}");
    stage.cluster.start_operator().await?;
    stage
        .until("its own template", PATIENCE, || async {
            Ok((stage.template().await? == wanted).then_some(()))
        })
        .await
}

/// Why the gate of a pod does not let it through.
async fn refusal(stage: &Stage, pod: &str) -> Result<String> {
    stage
        .until(&format!("refused pod {pod}"), PATIENCE, || async {
            Ok(stage.all::<Pod>().get_opt(pod).await?.as_ref().and_then(refused))
        })
        .await
}

fn refused(pod: &Pod) -> Option<String> {
    let containers = pod.status.as_ref()?.init_container_statuses.as_ref()?;
    let gate = containers.iter().find(|it| it.name == "gate")?;
    let mut ends = [&gate.state, &gate.last_state].into_iter().flatten();
    ends.find_map(|it| it.terminated.clone().filter(|it| it.exit_code == 1)?.message)
}

fn runs(pod: &Pod, version: &str) -> bool {
    let image = pod.spec.as_ref().and_then(|spec| spec.containers[0].image.as_deref());
    image.is_some_and(|image| image.ends_with(&format!(":{version}")))
}

async fn ends_opened_by(stage: &Stage, data: &Data, versions: &[&str]) -> Result<()> {
    stage.ends_well(data, versions[versions.len() - 1]).await?;
    let openers = stage.openers("dev-data").await?;
    ensure!(openers == versions, "the data was opened by {openers:?}");
    Ok(())
}
