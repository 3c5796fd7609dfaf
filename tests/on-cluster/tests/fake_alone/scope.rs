//! An operator that looks after one namespace alone, under the Role that the chart gives it there.

use anyhow::{Result, ensure};
use cluster::{checkout::Checkout, operator};
use k8s_openapi::api::rbac::v1::Role;
use kube::api::ListParams;
use on_cluster::{
    Ground, Stage,
    stage::{PATIENCE, small},
};
use serde_json::{Value, json};

use crate::{END, alone, process::Operator};

const CLAIMS: &str = "persistentvolumeclaims";

#[tokio::test]
async fn an_operator_of_one_namespace_serves_it_and_leaves_the_others_alone() -> Result<()> {
    alone("scoped", async |stage| {
        let account = confined(stage).await?;
        let elsewhere = Ground::fresh("elsewhere").await?;
        elsewhere.create(&small("other")).await?;
        let mut operator = Operator::start_confined(stage, &account)?;
        let user = format!("system:serviceaccount:{}:{}", stage.namespace(), operator::NAME);
        let mark = stage.mark()?;
        stage.ready(&small("dev")).await?;
        ensure!(operator.answers("/readyz").await? == (200, "ok".to_owned()));
        let other = elsewhere.instances().get("other").await?;
        ensure!(other.data["status"]["phase"].is_null(), "{}", other.data);
        let refused: Vec<_> = stage
            .cluster
            .audit_matching(mark, &[&user])?
            .into_iter()
            .filter(|it| it.is_beyond_role)
            .collect();
        ensure!(refused.is_empty(), "{refused:?}");
        stage.deleted("dev").await?;
        operator.lives()?;
        let (status, took) = operator.stop().await?;
        ensure!(status.code() == Some(0) && took < END, "{status} after {took:?}");
        elsewhere.instances().delete("other", &kube::api::DeleteParams::default()).await?;
        Ok(())
    })
    .await
}

/// It would know of no claim, and might take one that it does not see for one that is not there.
#[tokio::test]
async fn an_operator_that_may_not_watch_a_kind_is_not_ready_says_why_and_touches_nothing()
-> Result<()> {
    alone("blind", async |stage| {
        let account = confined(stage).await?;
        let blinded = without(stage, CLAIMS, "resources").await?;
        let mut operator = Operator::start_confined(stage, &account)?;
        stage.create(&small("dev")).await?;
        operator.says(stage, "a watch failed", PATIENCE).await?;
        let said = operator.said()?;
        ensure!(said.contains("PersistentVolumeClaim") && said.contains("forbidden"), "{said}");
        let (code, body) = operator.answers("/readyz").await?;
        ensure!(code == 503 && body.contains("watches"), "{code} {body}");
        ensure!(operator.answers("/healthz").await?.0 == 200);
        let counted = operator.answers("/metrics").await?.1;
        let errors = "convex_operator_watch_errors_total{kind=\"PersistentVolumeClaim\"}";
        ensure!(counted.contains(errors), "{counted}");
        ensure!(stage.stored("dev").await?["status"]["phase"].is_null());
        // It heals by itself.
        stage.edit::<Role>(&blinded.0, json!([blinded.1])).await?;
        stage.settled("dev").await?;
        ensure!(operator.answers("/readyz").await?.0 == 200);
        stage.deleted("dev").await?;
        let (status, took) = operator.stop().await?;
        ensure!(status.code() == Some(0) && took < END, "{status} after {took:?}");
        Ok(())
    })
    .await
}

/// The usual operator is stopped, and an account is made for another that looks after this namespace.
async fn confined(stage: &Stage) -> Result<std::path::PathBuf> {
    stage.cluster.stop_operator().await?;
    let description = stage.cluster.description();
    operator::confine(&Checkout::find()?, description, stage.namespace()).await
}

/// It knows what there was, and would never hear of a change.
#[tokio::test]
async fn an_operator_that_may_list_a_kind_and_not_watch_it_is_not_ready() -> Result<()> {
    alone("deaf", async |stage| {
        let account = confined(stage).await?;
        without(stage, "watch", "verbs").await?;
        let mut operator = Operator::start_confined(stage, &account)?;
        operator.says(stage, "a watch failed", PATIENCE).await?;
        stage
            .until("word of the watches", PATIENCE, || async {
                let (code, body) = operator.answers("/readyz").await?;
                Ok((code == 503 && body.contains("its watches of")).then_some(()))
            })
            .await?;
        let (status, took) = operator.stop().await?;
        ensure!(status.code() == Some(0) && took < END, "{status} after {took:?}");
        Ok(())
    })
    .await
}

/// Takes a word out of the first rule of the Role that has it; the name of the Role and the operation that puts it
/// back.
async fn without(stage: &Stage, word: &str, of: &str) -> Result<(String, Value)> {
    for role in stage.all::<Role>().list(&ListParams::default()).await? {
        let name = role.metadata.name.clone().unwrap_or_default();
        let role = serde_json::to_value(&role)?;
        let rules = role["rules"].as_array().cloned().unwrap_or_default();
        let words = |rule: &Value| rule[of].as_array().cloned().unwrap_or_default();
        let Some(at) = rules.iter().position(|rule| words(rule).contains(&json!(word))) else {
            continue;
        };
        let (path, all) = (format!("/rules/{at}/{of}"), words(&rules[at]));
        let less: Vec<_> = all.iter().filter(|it| **it != json!(word)).collect();
        stage.edit::<Role>(&name, json!([{"op": "replace", "path": path, "value": less}])).await?;
        return Ok((name, json!({"op": "replace", "path": path, "value": all})));
    }
    anyhow::bail!("no Role has {word}")
}
