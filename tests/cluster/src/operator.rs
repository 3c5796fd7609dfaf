//! The operator on a cluster: a host process beside a fake node, a Deployment on a real one; never an administrator.

mod chart;
mod deployed;
mod hosted;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ring::digest::{SHA256, digest};

pub use hosted::keep;

use crate::{
    NodeKind,
    binaries::{self, Programs},
    checkout::Checkout,
    client,
    description::Description,
    images::{BACKEND, DASHBOARD, OPERATOR},
    kubectl, progress,
};

/// Where the operator lives.
pub const NAMESPACE: &str = "convex-system";
/// What its ServiceAccount, Deployment and lease are called.
pub const NAME: &str = "convex-operator";
/// Who it is to the API server.
pub const USER: &str = "system:serviceaccount:convex-system:convex-operator";

const PROGRAM: &str = "convex-operator";

/// What differs from the usual start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// More arguments after `run`; only for the host process.
    pub arguments: Vec<String>,
    /// More environment, which wins over the usual.
    pub environment: Vec<(String, String)>,
}

/// How an operator ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// From the request to the end.
    pub took: Duration,
}

/// Installs what the operator needs and runs it, unless the same build runs already.
///
/// # Errors
/// It does not compile, or does not become ready.
pub async fn install(checkout: &Checkout, cluster: &Description) -> Result<()> {
    let programs = binaries::build(checkout, &[PROGRAM])?;
    let started = Instant::now();
    chart::apply_resource(checkout, cluster).await?;
    let kept = Build::keep(cluster, &programs)?;
    match cluster.node {
        NodeKind::Fake => {
            chart::apply(checkout, cluster, NAMESPACE, &["deployment.enabled=false".to_owned()])?;
            if kept.changed || !hosted::is_running(cluster)? {
                hosted::stop(cluster)?;
                hosted::start(cluster, &Options::default()).await?;
            }
        }
        NodeKind::Real => deployed::install(checkout, cluster, &kept, &programs).await?,
    }
    progress::done("the operator is ready", started);
    Ok(())
}

/// Gives an operator that looks after one namespace alone its account there, and says where its kubeconfig is.
///
/// # Errors
/// Helm or the API server refuses.
pub async fn confine(
    checkout: &Checkout,
    cluster: &Description,
    namespace: &str,
) -> Result<PathBuf> {
    let values = ["deployment.enabled=false".to_owned(), format!("watchNamespace=\"{namespace}\"")];
    chart::apply(checkout, cluster, namespace, &values)?;
    hosted::token_kubeconfig(cluster, namespace).await
}

/// Applies the policy of the chart that lets nobody but the operator change which image opens data; hands out the same
/// manifests, by which it is taken away again.
///
/// # Errors
/// Helm or the API server refuses.
pub fn protect(checkout: &Checkout, cluster: &Description) -> Result<String> {
    let policy = chart::policy(checkout, cluster, NAMESPACE)?;
    kubectl::apply(cluster, policy.as_bytes())?;
    Ok(policy)
}

/// Starts an operator that was stopped.
///
/// # Errors
/// One runs already, or it does not become ready.
pub async fn start(checkout: &Checkout, cluster: &Description, options: &Options) -> Result<()> {
    match cluster.node {
        NodeKind::Fake => hosted::start(cluster, options).await,
        NodeKind::Real => deployed::start(checkout, cluster, options).await,
    }
}

/// Stops the operator with SIGTERM and waits for its end.
///
/// # Errors
/// None runs, or it does not end.
pub async fn stop(cluster: &Description) -> Result<Ended> {
    match cluster.node {
        NodeKind::Fake => hosted::stop(cluster)?.context("no operator runs"),
        NodeKind::Real => deployed::stop(&client::from_file(&cluster.kubeconfig).await?).await,
    }
}

/// The operator's log on a fake node; on a real one `kubectl logs` has it.
#[must_use]
pub fn log(cluster: &Description) -> PathBuf {
    cluster.run.join("operator.log")
}

/// What the operator is told wherever it runs: stand-ins instead of Convex's images.
fn environment() -> [(String, String); 3] {
    [
        ("BACKEND_REPOSITORY", BACKEND),
        ("DASHBOARD_REPOSITORY", DASHBOARD),
        ("WORKER_IMAGE", OPERATOR),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// A build of the operator, copied into the run folder: the next `cargo build` must not exchange it under a test.
#[derive(Debug)]
struct Build {
    digest: String,
    changed: bool,
}

impl Build {
    fn keep(cluster: &Description, built: &Programs) -> Result<Self> {
        let source = built.path(PROGRAM)?;
        let content = fs::read(source).with_context(|| format!("reading {}", source.display()))?;
        let digest = hex::encode(digest(&SHA256, &content));
        let noted = cluster.run.join("operator.sha256");
        let changed = fs::read_to_string(&noted).ok().as_deref() != Some(&digest);
        if changed {
            let copy = program(&cluster.run);
            // A running program cannot be written to, but its name can be given to another file.
            let half = copy.with_extension("half");
            fs::copy(source, &half)?;
            fs::rename(&half, &copy)?;
            fs::write(&noted, &digest)?;
        }
        Ok(Self { digest, changed })
    }
}

/// The copy of the operator that this cluster runs.
pub(crate) fn program(run: &Path) -> PathBuf {
    run.join(PROGRAM)
}
