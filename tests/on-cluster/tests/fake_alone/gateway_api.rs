//! The Gateway API comes and goes while the operator runs. Its controller is played: what it would tell is written by the test.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cluster::{checkout::Checkout, gateway, operator::USER};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, ResourceExt,
    api::{
        ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
    },
};
use on_cluster::{
    Instance, Stage,
    stage::{PATIENCE, small},
};
use serde_json::{Value, json};

use crate::{END, alone, process::Operator};

const GROUP: &str = "gateway.networking.k8s.io";
/// Within what time the status of a route is told as that of its instance.
const PROMPT: Duration = Duration::from_secs(1);
/// How long the API server may take to remove what was made by the definitions, one after the other, on a machine that is busy.
const REMOVED: Duration = Duration::from_mins(4);
const CONTROLLER: &str = "example.com/gateway-controller";

#[tokio::test]
async fn the_gateway_api_may_come_and_go_and_come_back_while_the_operator_runs() -> Result<()> {
    alone("arriving", async |stage| {
        stage.cluster.stop_operator().await?;
        let outcome = comes_and_goes(stage).await;
        let gone = remove(stage).await;
        outcome.and(gone)
    })
    .await
}

async fn comes_and_goes(stage: &Stage) -> Result<()> {
    let mut operator = Operator::start(stage, "arriving")?;
    stage.create(&exposed()).await?;
    stage.condition_when("dev", "Exposed", "GatewayAPINotInstalled").await?;
    stage.condition_when("dev", "Available", "Serving").await?;
    install(stage).await?;
    stage.exposed("dev").await?;
    let mut took = Vec::new();
    for _ in 0..5 {
        took.push(told_within(stage, "False", "NotAllowedByListeners").await?);
        took.push(told_within(stage, "True", "Accepted").await?);
    }
    took.sort();
    println!("a status of a route is told after {took:?}");
    prompt(&took)?;
    remove(stage).await?;
    stage.condition_when("dev", "Exposed", "GatewayAPINotInstalled").await?;
    stage.condition_when("dev", "Available", "Serving").await?;
    asks_now_and_then(stage).await?;
    install(stage).await?;
    stage.exposed("dev").await?;
    operator.lives()?;
    stage.deleted("dev").await?;
    let (status, took) = operator.stop().await?;
    ensure!(status.code() == Some(0) && took < END, "{status} after {took:?}");
    Ok(())
}

/// Each under a second, but for one, which may meet a pause of a machine that is busy with other things. An operator that is late by
/// itself, as one that waits for a clock, is late more than once.
fn prompt(sorted: &[Duration]) -> Result<()> {
    let late = sorted.iter().filter(|it| **it >= PROMPT).count();
    let slowest = sorted.last().copied().unwrap_or(Duration::MAX);
    ensure!(late <= 1 && slowest < 3 * PROMPT, "{late} of {} were late: {sorted:?}", sorted.len());
    Ok(())
}

fn exposed() -> Instance {
    let networking = json!({"host": "api.arriving.example", "parentRefs": [{"name": "public"}]});
    small("dev").with("networking", networking)
}

/// What is not there is asked for again and again, and ever later.
async fn asks_now_and_then(stage: &Stage) -> Result<()> {
    let mark = stage.mark()?;
    // A hot loop shows in a while, whatever the machine.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let asked = stage.cluster.audit_matching(mark, &[USER])?;
    let asked =
        asked.iter().filter(|it| it.resource.starts_with("gateway") || it.resource == "httproutes");
    let asked = asked.count();
    ensure!(asked <= 12, "it asked {asked} times in 5 s");
    Ok(())
}

/// The definitions, a class, a shared Gateway, and a controller that takes the route.
async fn install(stage: &Stage) -> Result<()> {
    gateway::define(&Checkout::find()?, stage.cluster.description()).await?;
    let class = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
        "metadata": {"name": "played"}, "spec": {"controllerName": CONTROLLER}});
    let same = json!({"namespaces": {"from": "Same"}});
    let gateway = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": "public"},
        "spec": {"gatewayClassName": "played", "listeners": [
            {"name": "web", "protocol": "HTTP", "port": 80, "allowedRoutes": same}]}});
    stage.apply(&class).await?;
    stage.apply(&gateway).await?;
    let held = |type_: &str| condition(type_, "True", type_, 1);
    tell(&classes(stage), "played", json!({"conditions": [held("Accepted")]})).await?;
    let listener = json!({"name": "web", "attachedRoutes": 1, "supportedKinds": [],
        "conditions": [held("Accepted"), held("Programmed"), held("ResolvedRefs")]});
    let told = json!({"conditions": [held("Accepted"), held("Programmed")], "listeners": [listener],
        "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]});
    tell(&objects(stage, "Gateway"), "public", told).await?;
    judge(stage, "True", "Accepted").await
}

/// How long it takes until the instance tells what a controller has told of its route.
async fn told_within(stage: &Stage, accepted: &str, reason: &str) -> Result<Duration> {
    judge(stage, accepted, reason).await?;
    let told = Instant::now();
    stage.condition_when("dev", "Exposed", reason).await?;
    Ok(told.elapsed())
}

/// The controller says what it has made of the route, once there is one.
async fn judge(stage: &Stage, accepted: &str, reason: &str) -> Result<()> {
    let routes = objects(stage, "HTTPRoute");
    let route =
        stage.until("route", PATIENCE, || async { Ok(routes.get_opt("dev-api").await?) }).await?;
    let generation = route.metadata.generation.unwrap_or_default();
    let parents = route.data["spec"]["parentRefs"].as_array().cloned().unwrap_or_default();
    let conditions = [
        condition("Accepted", accepted, reason, generation),
        condition("ResolvedRefs", "True", "ResolvedRefs", generation),
    ];
    let judged = |parent: Value| json!({"parentRef": parent, "controllerName": CONTROLLER, "conditions": conditions});
    let parents: Vec<_> = parents.into_iter().map(judged).collect();
    tell(&routes, "dev-api", json!({ "parents": parents })).await
}

fn condition(type_: &str, status: &str, reason: &str, generation: i64) -> Value {
    json!({"type": type_, "status": status, "reason": reason, "message": "as the test plays it",
        "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

async fn tell(kind: &Api<DynamicObject>, name: &str, status: Value) -> Result<()> {
    let status = Patch::Merge(json!({ "status": status }));
    kind.patch_status(name, &PatchParams::default(), &status).await.map(drop)?;
    Ok(())
}

fn kind(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, "v1", kind))
}

fn classes(stage: &Stage) -> Api<DynamicObject> {
    Api::all_with(stage.client(), &kind("GatewayClass"))
}

fn objects(stage: &Stage, of: &str) -> Api<DynamicObject> {
    Api::namespaced_with(stage.client(), stage.namespace(), &kind(of))
}

/// The definitions go, and everything that was made by them.
async fn remove(stage: &Stage) -> Result<()> {
    let definitions = Api::<CustomResourceDefinition>::all(stage.client());
    let ours = async || -> Result<Vec<String>> {
        let all = definitions.list_metadata(&ListParams::default()).await.context("definitions")?;
        let names = all.items.iter().map(ResourceExt::name_any);
        Ok(names.filter(|it| it.ends_with(GROUP)).collect())
    };
    for name in ours().await? {
        definitions.delete(&name, &DeleteParams::default()).await?;
    }
    stage
        .until("end of the Gateway API", REMOVED, || async {
            Ok(ours().await?.is_empty().then_some(()))
        })
        .await
}
