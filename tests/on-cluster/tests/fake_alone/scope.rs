//! An operator that looks after one namespace alone, under the Role that the chart gives it there.

use anyhow::{Result, ensure};
use cluster::{checkout::Checkout, operator};
use k8s_openapi::api::rbac::v1::Role;
use kube::{Api, api::ListParams};
use on_cluster::{
    Ground, Stage,
    stage::{PATIENCE, small},
};
use serde_json::json;

use crate::{END, alone, process::Operator};

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
        let blinded = without_claims(stage).await?;
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

/// Takes the right to claims out of the Role; the name of the Role and the operation that puts it back.
async fn without_claims(stage: &Stage) -> Result<(String, serde_json::Value)> {
    let roles: Api<Role> = stage.all();
    for role in roles.list(&ListParams::default()).await? {
        let granted = role.rules.iter().flatten();
        let of_claims = |it: &k8s_openapi::api::rbac::v1::PolicyRule| {
            it.resources.iter().flatten().any(|it| it == "persistentvolumeclaims")
        };
        if let Some(at) = granted.clone().position(of_claims) {
            let path = format!("/rules/{at}/resources");
            let all =
                granted.clone().nth(at).and_then(|it| it.resources.clone()).unwrap_or_default();
            let less: Vec<_> = all.iter().filter(|it| *it != "persistentvolumeclaims").collect();
            let name = role.metadata.name.clone().unwrap_or_default();
            let less = json!([{"op": "replace", "path": path, "value": less}]);
            stage.edit::<Role>(&name, less).await?;
            return Ok((name, json!({"op": "replace", "path": path, "value": all})));
        }
    }
    anyhow::bail!("no Role is about claims")
}
