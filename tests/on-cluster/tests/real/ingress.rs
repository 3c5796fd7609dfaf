//! An instance behind a plain Ingress and its real controller.

use anyhow::{Result, ensure};
use cluster::gateway::CLASS;
use on_cluster::{edge::leads, stage::PATIENCE};
use serde_json::json;

use crate::{
    gateway::{Hosts, client, exposed, gets_through},
    stage::played,
};

#[tokio::test]
async fn https_websockets_and_uploads_get_through_an_ingress_too() -> Result<()> {
    played("ingress", async |stage| {
        let hosts = Hosts::of(stage);
        let outside = client(stage, &hosts).await?;
        let ingress = json!({"ingress": {"className": CLASS}, "tlsSecretRef": "certificate"});
        stage.create(&exposed(hosts.networking(ingress))).await?;
        stage.settled("dev").await?;
        stage.condition_when("dev", "Exposed", "AddressAssigned").await?;
        let [api, ..] = &hosts.0;
        let endpoints = stage.status("dev").await?.endpoints;
        let told = endpoints.and_then(|it| it.api_url);
        ensure!(told.as_deref() == Some(&format!("https://{api}")), "{told:?}");
        for host in &hosts.0 {
            stage
                .until(&format!("a way to {host}"), PATIENCE, || leads(&outside, host, true))
                .await?;
        }
        gets_through(&outside, &hosts).await
    })
    .await
}
