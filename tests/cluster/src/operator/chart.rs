//! What the operator needs on a cluster: the resource, and the chart rendered by a real Helm.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;

use super::NAME;
use crate::{
    checkout::Checkout,
    client,
    description::Description,
    images::{BACKEND, DASHBOARD},
    process::captured,
    wait,
};

const RESOURCE: &str = "convexinstances.convex.icod.de";
const FIELD_MANAGER: &str = "local-cluster";

/// Applies the resource definition and waits until the API server serves it.
///
/// # Errors
/// It is refused, or never established.
pub async fn apply_resource(checkout: &Checkout, cluster: &Description) -> Result<()> {
    let path = checkout.root().join("crds/convexinstances.yaml");
    let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    kubectl_apply(cluster, &text)?;
    let client = client::from_file(&cluster.kubeconfig).await?;
    let definitions = Api::<CustomResourceDefinition>::all(client);
    wait::until("established ConvexInstance resource", Duration::from_secs(30), &[], || async {
        let conditions = definitions.get(RESOURCE).await?.status.and_then(|s| s.conditions);
        let established = conditions
            .unwrap_or_default()
            .iter()
            .any(|condition| condition.type_ == "Established" && condition.status == "True");
        Ok(established.then_some(()))
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
    kubectl_apply(cluster, &serde_json::to_vec(&wanted)?)?;
    kubectl_apply(cluster, rendered(checkout, cluster, namespace, values)?.as_bytes())
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

/// Applies manifests as the installer of the cluster.
///
/// # Errors
/// The API server refuses.
pub(super) fn kubectl_apply(cluster: &Description, manifest: &[u8]) -> Result<()> {
    let mut child = Command::new(cluster.tool("kubectl")?)
        .args(["apply", "--server-side", "--force-conflicts", "--field-manager", FIELD_MANAGER])
        .args(["--filename", "-"])
        .env("KUBECONFIG", &cluster.kubeconfig)
        .env("KUBECACHEDIR", cluster.run.join("kubectl-install"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting kubectl")?;
    child.stdin.take().context("kubectl has an input")?.write_all(manifest)?;
    let done = child.wait_with_output()?;
    if !done.status.success() {
        bail!("kubectl apply: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
