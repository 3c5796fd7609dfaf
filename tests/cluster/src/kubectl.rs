//! Manifests into a cluster, as its installer.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::description::Description;

const FIELD_MANAGER: &str = "local-cluster";

/// Applies manifests as the installer of the cluster.
///
/// # Errors
/// The API server refuses.
pub fn apply(cluster: &Description, manifest: &[u8]) -> Result<()> {
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
