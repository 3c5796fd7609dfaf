//! What the operator needs on a cluster: the resource, and the chart rendered by a real Helm.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result};

use super::NAME;
use crate::{
    checkout::Checkout,
    client,
    description::Description,
    images::{BACKEND, DASHBOARD},
    kubectl,
    process::captured,
    wait,
};

const RESOURCE: &str = "convexinstances.convex.icod.de";

/// Applies the resource definition and waits until the API server serves it.
///
/// # Errors
/// It is refused, or never established.
pub async fn apply_resource(checkout: &Checkout, cluster: &Description) -> Result<()> {
    let path = checkout.root().join("crds/convexinstances.yaml");
    let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    kubectl::apply(cluster, &text)?;
    let client = client::from_file(&cluster.kubeconfig).await?;
    wait::until("established ConvexInstance resource", Duration::from_secs(30), &[], || {
        client::established(&client, RESOURCE)
    })
    .await
}

/// Renders the chart for a namespace with these values and applies it.
///
/// # Errors
/// Helm or the API server refuses.
pub fn apply(
    checkout: &Checkout,
    cluster: &Description,
    namespace: &str,
    values: &[String],
) -> Result<()> {
    let wanted = serde_json::json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace },
    });
    kubectl::apply(cluster, &serde_json::to_vec(&wanted)?)?;
    kubectl::apply(cluster, rendered(checkout, cluster, namespace, values)?.as_bytes())
}

/// The chart for a namespace with these values; of kinds that not every cluster has, none.
fn rendered(
    checkout: &Checkout,
    cluster: &Description,
    namespace: &str,
    values: &[String],
) -> Result<String> {
    let values = values.iter().flat_map(|value| ["--set-json", value]);
    captured(helm(checkout, cluster, namespace)?.args(values))
}

fn helm(checkout: &Checkout, cluster: &Description, namespace: &str) -> Result<Command> {
    let mut helm = Command::new(cluster.tool("helm")?);
    helm.args(["template", NAME])
        .arg(checkout.root().join("charts/convex-operator"))
        .args(["--namespace", namespace, "--kube-version", "1.36.3"])
        .args(["--set", "crds.enabled=false"])
        .args(["--set", &format!("images.backend.repository={BACKEND}")])
        .args(["--set", &format!("images.dashboard.repository={DASHBOARD}")])
        // Helm would otherwise read, and write, what the user has in the home folder.
        .env("HELM_CONFIG_HOME", cluster.run.join("helm"))
        .env("HELM_CACHE_HOME", cluster.run.join("helm"))
        .env("HELM_DATA_HOME", cluster.run.join("helm"))
        .env_remove("KUBECONFIG");
    Ok(helm)
}

const POLICY: [&str; 4] = [
    "--api-versions",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
    "--show-only",
    "templates/admission.yaml",
];

/// What lets nobody but the operator change an image, as the chart renders it where the cluster has such policies.
///
/// # Errors
/// Helm refuses.
pub fn policy(checkout: &Checkout, cluster: &Description, namespace: &str) -> Result<String> {
    captured(helm(checkout, cluster, namespace)?.args(POLICY))
}
