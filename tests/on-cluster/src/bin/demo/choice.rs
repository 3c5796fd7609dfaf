//! What the user chooses.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cluster::NodeKind;

/// Versions of the stand-in: the sample's, and the one it is upgraded to.
const FROM: &str = on_cluster::instance::VERSION;
const TO: &str = "00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// Shows an instance's life: Ready, repaired, upgraded, deleted.
#[derive(Debug, Parser)]
#[command(name = "demo")]
pub struct Choice {
    /// What plays the node of the local cluster; left out: real where this machine allows it.
    #[arg(long, value_enum, conflicts_with = "context")]
    pub node: Option<NodeKind>,
    /// Leaves the local cluster running.
    #[arg(long, conflicts_with = "context")]
    pub keep: bool,
    /// A context of your own kubeconfig: the demo runs there, with Convex's real images.
    #[arg(long, requires_all = ["image", "version", "to"])]
    pub context: Option<String>,
    /// With --context: the operator's image, as the nodes of that cluster can have it. It is not published; build it with
    /// `docker build -t convex-operator:dev .` and bring it in (`kind load docker-image convex-operator:dev`, `k3d image
    /// import convex-operator:dev`, or push it to a registry of yours).
    #[arg(long, requires = "context")]
    pub image: Option<String>,
    /// With --context: the version to begin with. Convex publishes full commit ids as tags, and which of them still exist
    /// only its registry knows: <https://github.com/get-convex/convex-backend/pkgs/container/convex-backend>.
    #[arg(long, requires = "context")]
    pub version: Option<String>,
    /// With --context: the newer version to upgrade to.
    #[arg(long, requires = "context")]
    pub to: Option<String>,
    /// With --context: a mirror of Convex's backend images.
    #[arg(long, requires = "context", default_value = "ghcr.io/get-convex/convex-backend")]
    pub backend_repository: String,
    /// With --context: a mirror of Convex's dashboard images.
    #[arg(long, requires = "context", default_value = "ghcr.io/get-convex/convex-dashboard")]
    pub dashboard_repository: String,
}

impl Choice {
    /// The version that the instance begins with.
    #[must_use]
    pub fn from(&self) -> &str {
        self.version.as_deref().unwrap_or(FROM)
    }

    /// The version that it is upgraded to.
    #[must_use]
    pub fn to(&self) -> &str {
        self.to.as_deref().unwrap_or(TO)
    }

    /// The node of the local cluster, and why it is this one where nobody chose.
    #[must_use]
    pub fn node(&self) -> (NodeKind, String) {
        match (self.node, can_be_real()) {
            (Some(chosen), _) => (chosen, String::new()),
            (None, Ok(())) => (NodeKind::Real, String::new()),
            (None, Err(error)) => (NodeKind::Fake, format!(" (no real one: {error:#})")),
        }
    }
}

/// A real node needs network and mount namespaces of its own: root, and a kernel that lets it.
fn can_be_real() -> Result<()> {
    let tried = Command::new("unshare").args(["--net", "--mount", "true"]).output();
    let tried = tried.context("unshare cannot be run here")?;
    let said = String::from_utf8_lossy(&tried.stderr);
    ensure!(tried.status.success(), "{}", said.trim());
    Ok(())
}
