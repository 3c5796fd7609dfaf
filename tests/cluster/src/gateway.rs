//! A real data plane on a real node: the definitions of the Gateway API, and Traefik, which serves Gateways and Ingresses.
//!
//! It runs in the cluster's network namespace, where pods and Cluster IPs are reached, and is the tests' own: the operator knows
//! nothing of it but what the Gateway API tells. A listener's port is the port of one of its entry points.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::json;

use crate::{
    checkout::Checkout,
    client,
    description::Description,
    kubectl,
    launch::{Launcher, Program},
    process::Daemon,
    progress, tools, wait,
};

/// The class that it serves.
pub const CLASS: &str = "traefik";
/// Who it is in that class, and in the status of routes.
pub const CONTROLLER: &str = "traefik.io/gateway-controller";
/// Who it is in the class of Ingresses, which has the same name.
const INGRESS_CONTROLLER: &str = "traefik.io/ingress-controller";
/// Where it takes HTTP.
pub const HTTP_PORT: u16 = 8000;
/// Where it takes HTTPS.
pub const HTTPS_PORT: u16 = 8443;

const NAME: &str = "traefik";
const PATIENCE: Duration = Duration::from_mins(1);

/// Installs the definitions and runs the data plane, unless it runs already.
///
/// # Errors
/// The node is played, Traefik cannot be built, or it does not take up its class.
pub async fn install(checkout: &Checkout, cluster: &Description) -> Result<()> {
    if cluster.namespace().is_none() {
        bail!("a played node has no network of its own: a data plane needs --node real");
    }
    if cluster.daemons.iter().any(|it| it.name == NAME) {
        return Ok(());
    }
    let gateway = tools::gateway(checkout)?;
    let began = Instant::now();
    let client = client::from_file(&cluster.kubeconfig).await?;
    install_definitions(&gateway.definitions, cluster, &client).await?;
    let class = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": { "name": CLASS },
        "spec": { "controllerName": CONTROLLER },
    });
    kubectl::apply(cluster, &serde_json::to_vec(&class)?)?;
    let class = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": { "name": CLASS },
        "spec": { "controller": INGRESS_CONTROLLER },
    });
    kubectl::apply(cluster, &serde_json::to_vec(&class)?)?;
    let daemon = start(cluster, &gateway.program)?;
    wait::until("class of the data plane", PATIENCE, &[&daemon], || accepted(&client)).await?;
    let mut cluster = cluster.clone();
    cluster.daemons.push(daemon);
    cluster.write()?;
    progress::done("the data plane is ready", began);
    Ok(())
}

/// Installs the definitions alone, which any cluster may have.
///
/// # Errors
/// They cannot be had, or the API server does not take them up.
pub async fn define(checkout: &Checkout, cluster: &Description) -> Result<()> {
    let client = client::from_file(&cluster.kubeconfig).await?;
    install_definitions(&tools::gateway_definitions(checkout)?, cluster, &client).await
}

async fn install_definitions(folder: &Path, cluster: &Description, client: &Client) -> Result<()> {
    kubectl::apply(cluster, definitions(folder)?.as_bytes())?;
    wait::until("definitions of the Gateway API", PATIENCE, &[], || established(client)).await
}

fn definitions(folder: &Path) -> Result<String> {
    let read = |entry: std::io::Result<fs::DirEntry>| -> Result<String> {
        let path = entry?.path();
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    let all: Vec<_> = fs::read_dir(folder)?.map(read).collect::<Result<_>>()?;
    Ok(all.join("\n---\n"))
}

fn start(cluster: &Description, program: &Path) -> Result<Daemon> {
    let address = cluster.addresses.control_plane;
    let traefik = Program::new(NAME, program)
        .args([
            format!("--entrypoints.web.address=:{HTTP_PORT}"),
            format!("--entrypoints.websecure.address=:{HTTPS_PORT}"),
            // As its chart has it: an Ingress brings a certificate, and says nothing of where TLS is spoken.
            "--entrypoints.websecure.http.tls=true".to_owned(),
            "--providers.kubernetesgateway=true".to_owned(),
            "--providers.kubernetesgateway.throttleduration=100ms".to_owned(),
            format!("--providers.kubernetesgateway.statusaddress.ip={address}"),
            "--providers.kubernetesingress=true".to_owned(),
            "--providers.kubernetesingress.throttleduration=100ms".to_owned(),
            format!("--providers.kubernetesingress.ingressclass={CLASS}"),
            format!("--providers.kubernetesingress.ingressendpoint.ip={address}"),
            "--global.checknewversion=false".to_owned(),
            "--global.sendanonymoususage=false".to_owned(),
        ])
        .env("KUBECONFIG", &cluster.kubeconfig);
    Launcher::new(&cluster.run, &cluster.token, cluster.namespace()).start(&traefik)
}

/// What is not established yet cannot be watched.
async fn established(client: &Client) -> Result<Option<()>> {
    for kind in ["gatewayclasses", "gateways", "httproutes", "referencegrants"] {
        let definition = format!("{kind}.gateway.networking.k8s.io");
        if client::established(client, &definition).await?.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

async fn accepted(client: &Client) -> Result<Option<()>> {
    let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "GatewayClass");
    let kind = ApiResource::from_gvk(&kind);
    let class = Api::<DynamicObject>::all_with(client.clone(), &kind).get(CLASS).await?;
    let mut conditions = class.data["status"]["conditions"].as_array().into_iter().flatten();
    let accepted = conditions.any(|it| it["type"] == "Accepted" && it["status"] == "True");
    Ok(accepted.then_some(()))
}
