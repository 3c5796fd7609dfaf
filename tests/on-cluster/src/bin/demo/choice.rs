//! What the user chooses.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cluster::NodeKind;

use crate::{image::Image, sample::Sample, showing::Showing};

/// Versions of the stand-in: the sample's, and the one it is upgraded to.
const FROM: &str = on_cluster::instance::VERSION;
const TO: &str = "00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90";

const NO_IMAGE: &str = "--context needs --image: the operator's image is not published yet. Build it with `docker build -t \
    convex-operator:dev .`, bring it to the nodes (`kind load docker-image convex-operator:dev`, `k3d image import \
    convex-operator:dev`, or push it to a registry of yours), and say --image convex-operator:dev";
const NO_VERSIONS: &str = "--context needs --version and --to: Convex publishes the full ids of commits as tags, and those in \
    the samples are tags of the stand-in. Choose an older and a newer one from \
    https://github.com/get-convex/convex-backend/pkgs/container/convex-backend";

/// Shows an instance's life: Ready, repaired, upgraded, deleted; or one kind of upgrade closely.
#[derive(Debug, Parser)]
#[command(name = "demo")]
pub struct Choice {
    /// What plays the node of the local cluster; left out: real where this machine allows it.
    #[arg(long, value_enum, conflicts_with = "context")]
    pub node: Option<NodeKind>,
    /// Leaves the local cluster running.
    #[arg(long, conflicts_with = "context")]
    pub keep: bool,
    /// Shows this kind of upgrade closely, with documents compared and the time that nobody is served.
    #[arg(long, value_enum, conflicts_with = "context")]
    pub upgrade: Option<Showing>,
    /// Which sample is shown: prod with a real PostgreSQL and a real S3 server, which are installed and built the first time.
    #[arg(long, value_enum, default_value_t = Sample::Dev, conflicts_with_all = ["context", "upgrade"])]
    pub sample: Sample,
    /// With --sample prod: a wrong password, a bucket and a route that are missing, each told and mended.
    #[arg(long, conflicts_with_all = ["context", "upgrade"])]
    pub amiss: bool,
    /// A context of your own kubeconfig: the demo runs there, with Convex's real images.
    #[arg(long)]
    pub context: Option<String>,
    /// With --context: the operator's image, as the nodes of that cluster can have it.
    #[arg(long, requires = "context")]
    pub image: Option<String>,
    /// With --context: the version to begin with, a tag that Convex has published.
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

    /// The operator's image on a cluster of the user's own.
    ///
    /// # Errors
    /// Something is missing that only the user can know; the message says where to get it.
    pub fn own_image(&self) -> Result<Image> {
        let image = self.image.as_deref().context(NO_IMAGE)?;
        ensure!(self.version.is_some() && self.to.is_some(), NO_VERSIONS);
        Image::parse(image)
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
