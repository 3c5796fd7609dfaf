//! An operator that is installed before the definition of its resource.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster::operator::USER;
use convex_operator::api::{CRD_NAME, ConvexInstance, crd};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use on_cluster::{
    Stage,
    stage::{PATIENCE, small},
};

use crate::{END, alone, process::Operator};

#[tokio::test]
async fn an_operator_without_its_definition_waits_says_so_and_begins_once_it_is_there() -> Result<()>
{
    alone("undefined", async |stage| {
        // Else the definition would take instances with it that somebody still uses.
        stage
            .until("cluster without instances", PATIENCE, || async {
                Ok(nobody_has_instances(stage).await?.then_some(()))
            })
            .await?;
        let ended = stage.cluster.stop_operator().await?;
        ensure!(ended.code == Some(0), "{ended:?}");
        remove(stage).await?;
        let outcome = waits(stage).await;
        install(stage).await?;
        let mut operator = outcome?;
        operator.says(stage, "the lease is held", PATIENCE).await?;
        stage.ready(&small("dev")).await?;
        stage.deleted("dev").await?;
        let (status, took) = operator.stop().await?;
        ensure!(status.code() == Some(0) && took < END, "{status} after {took:?}");
        Ok(())
    })
    .await
}

async fn waits(stage: &Stage) -> Result<Operator> {
    let mut operator = Operator::start(stage, "early")?;
    operator.says(stage, "is not installed", PATIENCE).await?;
    let mark = stage.mark()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    operator.lives()?;
    let said = operator.said()?;
    ensure!(said.matches("is not installed").count() == 1, "it says it again and again:\n{said}");
    ensure!(said.contains("kubectl apply"), "it does not say what to do:\n{said}");
    let asked = stage.cluster.audit_matching(mark, &[USER])?.len();
    ensure!(asked <= 5, "it asked {asked} times in 5 s");
    Ok(operator)
}

async fn nobody_has_instances(stage: &Stage) -> Result<bool> {
    let all = Api::<ConvexInstance>::all(stage.client());
    Ok(all.list_metadata(&ListParams::default()).await?.items.is_empty())
}

async fn remove(stage: &Stage) -> Result<()> {
    let definitions = Api::<CustomResourceDefinition>::all(stage.client());
    definitions.delete(CRD_NAME, &DeleteParams::default()).await?;
    stage
        .until("end of the definition", PATIENCE, || async {
            let gone = definitions.get_opt(CRD_NAME).await?.is_none();
            Ok((gone && is_not_served(stage).await?).then_some(()))
        })
        .await
}

/// The API server goes on for a moment once the definition is gone.
async fn is_not_served(stage: &Stage) -> Result<bool> {
    let all = Api::<ConvexInstance>::all(stage.client());
    match all.list_metadata(&ListParams::default()).await {
        Ok(_) => Ok(false),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(true),
        Err(error) => Err(error.into()),
    }
}

async fn install(stage: &Stage) -> Result<()> {
    let definitions = Api::<CustomResourceDefinition>::all(stage.client());
    let apply = PatchParams::apply("on-cluster").force();
    definitions.patch(CRD_NAME, &apply, &Patch::Apply(crd())).await?;
    stage
        .until("definition", PATIENCE, || async {
            Ok(nobody_has_instances(stage).await?.then_some(()))
        })
        .await
}
