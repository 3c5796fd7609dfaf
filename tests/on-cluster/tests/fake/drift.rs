//! What somebody deletes or edits is put back, at the price of one write; what is somebody else's stays.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cluster::audit::Entry;
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{ConfigMap, Secret, Service},
};
use on_cluster::{
    Instance, Stage, played,
    stage::{Object, records::lines},
};
use serde_json::{Value, json};

/// What is watched comes back at once.
const WATCHED: Duration = Duration::from_secs(5);
/// Secrets are not watched: whoever steals the operator's token cannot list them. They are read every 8 to 10 s.
const POLLED: Duration = Duration::from_secs(15);

#[tokio::test]
async fn deleted_children_come_back_within_seconds_with_one_write_each() -> Result<()> {
    played("gone", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        comes_back::<ConfigMap>(stage, "dev-gate", "configmaps", WATCHED).await?;
        comes_back::<Service>(stage, "dev-backend", "services", WATCHED).await?;
        comes_back::<Service>(stage, "dev-dashboard", "services", WATCHED).await?;
        comes_back::<Deployment>(stage, "dev-dashboard", "deployments", WATCHED).await?;
        comes_back::<StatefulSet>(stage, "dev-backend", "statefulsets", WATCHED).await?;
        stage.settled("dev").await?;
        ensure!(!stage.marker("dev").await?.first_start.is_empty(), "the data is there");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deleted_admin_secret_comes_back_with_a_key_that_opens_the_backend() -> Result<()> {
    played("keyless", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        comes_back::<Secret>(stage, "dev-admin", "secrets", POLLED).await?;
        let key = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        stage.door("dev").await?.accepts(&key).await
    })
    .await
}

#[tokio::test]
async fn edited_children_are_put_back_with_one_write_each() -> Result<()> {
    played("edited", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        let label = "/metadata/labels/app.kubernetes.io~1part-of";
        edited::<ConfigMap>(stage, "dev-gate", label, json!("mine")).await?;
        edited::<Service>(
            stage,
            "dev-backend",
            "/spec/selector/app.kubernetes.io~1name",
            json!("x"),
        )
        .await?;
        edited::<Service>(stage, "dev-backend", "/spec/ports/0/port", json!(80)).await?;
        edited::<Deployment>(stage, "dev-dashboard", "/spec/replicas", json!(3)).await?;
        edited::<StatefulSet>(stage, "dev-backend", label, json!("mine")).await?;
        edited::<StatefulSet>(stage, "dev-backend", "/spec/replicas", json!(0)).await?;
        stage.settled("dev").await?;
        let image = "/spec/template/spec/containers/0/image";
        edited::<StatefulSet>(stage, "dev-backend", image, json!("example.org/mine:1")).await?;
        stage.settled("dev").await?;
        let variable = "/spec/template/spec/containers/0/env/1/value";
        let data = "/spec/template/spec/containers/0/env/7/value";
        edited::<StatefulSet>(stage, "dev-backend", variable, json!("v9")).await?;
        stage.settled("dev").await?;
        edited::<StatefulSet>(stage, "dev-backend", data, json!("/elsewhere")).await?;
        stage.settled("dev").await?;
        let page = "/spec/template/spec/containers/0/env/2/value";
        edited::<Deployment>(stage, "dev-dashboard", page, json!("http://elsewhere")).await?;
        stage.settled("dev").await?;
        ensure!(stage.marker("dev").await?.second_writers == 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_others_put_on_children_stays_and_costs_no_write() -> Result<()> {
    played("shared", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        let theirs = json!({"metadata": {
            "labels": {"example.org/team": "red"}, "annotations": {"example.org/note": "ours"},
        }});
        let mark = stage.mark()?;
        stage.merge::<ConfigMap>("dev-gate", theirs.clone()).await?;
        stage.merge::<Service>("dev-backend", theirs.clone()).await?;
        stage.merge::<StatefulSet>("dev-backend", theirs.clone()).await?;
        stage.merge::<Deployment>("dev-dashboard", theirs).await?;
        stage.merge::<ConfigMap>("dev-gate", json!({"data": {"THEIRS": "1"}})).await?;
        let env = json!([{"op": "add", "path": "/spec/template/spec/containers/0/env/-",
            "value": {"name": "THEIRS", "value": "1"}}]);
        stage.edit::<Deployment>("dev-dashboard", env).await?;
        stage.settled("dev").await?;
        // What is ours is put back, and what is theirs is still there after that.
        let record = stage.get::<ConfigMap>("dev-gate").await?.data.unwrap_or_default();
        stage.merge::<ConfigMap>("dev-gate", json!({"data": {"record": "{}"}})).await?;
        let record = json!(record.get("record"));
        let config = put_back(stage, "dev-gate", "/data/record", &record).await?;
        ensure!(config["data"]["THEIRS"] == "1", "{config}");
        ensure!(config["metadata"]["labels"]["example.org/team"] == "red", "{config}");
        let page = serde_json::to_value(stage.get::<Deployment>("dev-dashboard").await?)?;
        let env = page["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
        ensure!(env.contains("THEIRS"), "{env}");
        let children = ["configmaps", "services", "statefulsets", "deployments"];
        costs(stage, mark, 1, |it| children.contains(&it.resource.as_str())).await
    })
    .await
}

async fn comes_back<K: Object>(
    stage: &Stage,
    name: &str,
    resource: &str,
    within: Duration,
) -> Result<()> {
    let before = stage.get::<K>(name).await?.meta().uid.clone();
    let mark = stage.mark()?;
    stage.remove::<K>(name).await?;
    stage
        .until(&format!("new {resource} {name}"), within, || async {
            let found = stage.all::<K>().get_opt(name).await?;
            Ok(found.filter(|it| it.meta().uid != before))
        })
        .await?;
    costs(stage, mark, 1, |it| it.resource == resource).await
}

/// Sets a field to something else and waits until it is what it was.
async fn edited<K: Object>(stage: &Stage, name: &str, path: &str, value: Value) -> Result<()> {
    let before = serde_json::to_value(stage.get::<K>(name).await?)?;
    let before = before.pointer(path).with_context(|| format!("{name} has no {path}"))?.clone();
    let mark = stage.mark()?;
    let edit = json!([{"op": "replace", "path": path, "value": value}]);
    stage.edit::<K>(name, edit).await?;
    stage
        .until(&format!("{name} with {path} {before}"), WATCHED, || async {
            let now = serde_json::to_value(stage.get::<K>(name).await?)?;
            Ok((now.pointer(path) == Some(&before)).then_some(()))
        })
        .await?;
    let plural = K::plural(&()).into_owned();
    costs(stage, mark, 1, |it| it.resource == plural && it.name == name)
        .await
        .with_context(|| format!("{path} of {plural}/{name}"))
}

/// The audit log tells of a write a moment after it can be seen. What is refused because somebody else wrote at the same
/// moment is no repair, and is not counted.
async fn costs(
    stage: &Stage,
    mark: u64,
    wanted: usize,
    counts: impl Fn(&Entry) -> bool,
) -> Result<()> {
    let written = || -> Result<Vec<Entry>> {
        Ok(stage.writes_since(mark)?.into_iter().filter(|it| it.code < 300 && counts(it)).collect())
    };
    stage
        .until("line of the write", WATCHED, || async {
            Ok((written()?.len() >= wanted).then_some(()))
        })
        .await?;
    let written = written()?;
    ensure!(written.len() == wanted, "{} writes:\n{}", written.len(), lines(&written));
    Ok(())
}

async fn put_back(stage: &Stage, name: &str, path: &str, wanted: &Value) -> Result<Value> {
    stage
        .until(&format!("{path} put back"), WATCHED, || async {
            let now = serde_json::to_value(stage.get::<ConfigMap>(name).await?)?;
            Ok((now.pointer(path) == Some(wanted)).then_some(now))
        })
        .await
}
