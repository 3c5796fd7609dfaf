//! The policy that the chart brings: an init container cannot see which image its pod runs, and the API server can.

use anyhow::{Context, Result, bail, ensure};
use cluster::{checkout::Checkout, operator};
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    apps::v1::StatefulSet,
    core::v1::Pod,
};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use on_cluster::{
    Stage,
    stage::{PATIENCE, small},
};
use serde_json::{Value, json};

use crate::alone;

const IMAGE: &str = "stand-in.test/convex-backend:v3";

#[tokio::test]
async fn nobody_but_the_operator_changes_an_image_of_a_backend_whether_it_runs_or_not() -> Result<()>
{
    alone("protected", async |stage| {
        let policy = operator::protect(&Checkout::find()?, stage.cluster.description())?;
        let outcome = is_protected(stage).await;
        let unprotected = unprotected(stage, &policy).await;
        outcome.and(unprotected)
    })
    .await
}

async fn is_protected(stage: &Stage) -> Result<()> {
    stage.ready(&small("dev").with("version", "v1")).await?;
    let template = |list: &str, at: usize| format!("/spec/template/spec/{list}/{at}/image");
    stage
        .until("the policy", PATIENCE, || async {
            let path = template("containers", 0);
            Ok(edited::<StatefulSet>(stage, "dev-backend", &path, true).await?.map(drop))
        })
        .await?;
    stage.cluster.stop_operator().await?;
    for path in
        [template("containers", 0), template("initContainers", 0), template("initContainers", 1)]
    {
        let refusal = edited::<StatefulSet>(stage, "dev-backend", &path, false).await?;
        let refusal = refusal.with_context(|| format!("{path} was edited"))?;
        ensure!(refusal.contains("spec.version"), "what to do: {refusal}");
    }
    let pod = edited::<Pod>(stage, "dev-backend-0", "/spec/containers/0/image", false).await?;
    ensure!(pod.is_some(), "the image of the pod was edited");
    // What opens no data is not the policy's.
    stage
        .merge::<StatefulSet>("dev-backend", json!({"metadata": {"annotations": {"theirs": "1"}}}))
        .await?;
    stage.cluster.start_operator().await?;
    stage.patch("dev", json!({"version": "v2"})).await?;
    stage.runs("dev", "v2").await?;
    Ok(())
}

/// Why it was refused; none where it was not.
async fn edited<K>(stage: &Stage, name: &str, path: &str, tried: bool) -> Result<Option<String>>
where
    K: on_cluster::stage::Object,
{
    let edit: Value = json!([{"op": "replace", "path": path, "value": IMAGE}]);
    let change: Patch<Value> = Patch::Json(serde_json::from_value(edit)?);
    let by = PatchParams { dry_run: tried, ..PatchParams::default() };
    match stage.all::<K>().patch(name, &by, &change).await {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(Some(status.message.clone())),
        Err(other) => bail!(other),
    }
}

async fn unprotected(stage: &Stage, policy: &str) -> Result<()> {
    let named = policy.lines().find_map(|line| line.strip_prefix("  name: "));
    let name = named.context("the policy has a name")?;
    let client = stage.client();
    let now = DeleteParams::default();
    Api::<ValidatingAdmissionPolicyBinding>::all(client.clone()).delete(name, &now).await?;
    Api::<ValidatingAdmissionPolicy>::all(client).delete(name, &now).await?;
    Ok(())
}
