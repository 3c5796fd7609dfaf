//! Clients of the API server, and the questions that every start asks it.

use std::path::Path;

use anyhow::{Context, Result};
use k8s_openapi::{
    api::core::v1::{Node, ServiceAccount},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

/// A client for the user of a kubeconfig.
///
/// # Errors
/// The file is missing or is no kubeconfig.
pub async fn from_file(path: &Path) -> Result<Client> {
    let kubeconfig =
        Kubeconfig::read_from(path).with_context(|| format!("reading {}", path.display()))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Client::try_from(config).context("making a client")
}

/// Whether the API server says that it is ready.
///
/// # Errors
/// It cannot be reached, or says that it is not.
pub async fn ready(client: &Client) -> Result<Option<()>> {
    let request = http::Request::get("/readyz").body(Vec::new())?;
    Ok((client.request_text(request).await? == "ok").then_some(()))
}

/// Whether the node is Ready.
///
/// # Errors
/// The API server does not answer, or knows no such node.
pub async fn node_ready(client: &Client, name: &str) -> Result<Option<()>> {
    let node = Api::<Node>::all(client.clone()).get(name).await?;
    let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
    let ready = conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True");
    Ok(ready.then_some(()))
}

/// Whether pods can be made: admission refuses them until their namespace has its ServiceAccount.
///
/// # Errors
/// The API server does not answer.
pub async fn pods_admitted(client: &Client) -> Result<Option<()>> {
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), "default");
    Ok(accounts.get_opt("default").await?.map(|_| ()))
}

/// Whether the API server serves the kind of this definition.
///
/// # Errors
/// The API server does not answer, or knows no such definition.
pub async fn established(client: &Client, definition: &str) -> Result<Option<()>> {
    let all = Api::<CustomResourceDefinition>::all(client.clone());
    let conditions = all.get(definition).await?.status.and_then(|it| it.conditions);
    let mut conditions = conditions.into_iter().flatten();
    let established = conditions.any(|it| it.type_ == "Established" && it.status == "True");
    Ok(established.then_some(()))
}
