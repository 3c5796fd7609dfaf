//! An instance behind a plain Ingress and its real controller.

use anyhow::{Result, ensure};
use cluster::gateway::CLASS;
use http::StatusCode;
use on_cluster::{
    edge::{leads, uploaded},
    stage::PATIENCE,
};
use serde_json::json;

use crate::{
    gateway::{Hosts, client, exposed},
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
        let [api, site, dashboard] = &hosts.0;
        let endpoints = stage.status("dev").await?.endpoints;
        let told = endpoints.and_then(|it| it.api_url);
        ensure!(told.as_deref() == Some(&format!("https://{api}")), "{told:?}");
        for host in &hosts.0 {
            stage
                .until(&format!("a way to {host}"), PATIENCE, || leads(&outside, host, true))
                .await?;
        }
        let version = outside.get(api, true, "/version").await?;
        ensure!(version.status == StatusCode::OK && version.body == "v1", "{version:?}");
        let action = outside.get(site, true, "/any/action").await?;
        ensure!(action.body == "This deployment has no HTTP actions.", "{action:?}");
        let page = outside.get(dashboard, true, "/").await?;
        ensure!(page.status == StatusCode::OK, "{page:?}");
        ensure!(outside.sync(api).await? == "Transition");
        uploaded(&outside, api).await
    })
    .await
}
