//! kubectl, the way people use it: what it does here is what it would do for them.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use cluster::description::Description;
use tokio::{io::AsyncWriteExt, process::Command};

/// A kubectl that talks to one cluster.
#[derive(Clone, Debug)]
pub struct Kubectl {
    program: PathBuf,
    cluster: [String; 2],
    cache: Option<PathBuf>,
}

impl Kubectl {
    /// As the administrator of a cluster of ours.
    ///
    /// # Errors
    /// The cluster was started without kubectl.
    pub fn of(cluster: &Description) -> Result<Self> {
        let kubeconfig = cluster.kubeconfig.display().to_string();
        let program = cluster.tool("kubectl")?.to_owned();
        let cache = Some(cluster.kubectl_cache());
        Ok(Self { program, cluster: ["--kubeconfig".to_owned(), kubeconfig], cache })
    }

    /// As the user of a context of the user's own kubeconfig.
    #[must_use]
    pub fn in_context(program: &Path, context: &str) -> Self {
        let cluster = ["--context".to_owned(), context.to_owned()];
        Self { program: program.to_owned(), cluster, cache: None }
    }

    /// The command, still without what is asked.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.cluster).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.cache.iter().map(|cache| ("KUBECACHEDIR", cache)));
        command
    }

    /// What it prints.
    ///
    /// # Errors
    /// It cannot be run, or ends with an error; the message holds what it said.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command().args(arguments).output().await.context("starting kubectl")?;
        printed(arguments, output)
    }

    /// `kubectl apply -f -` of this manifest in a namespace.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn apply(&self, namespace: &str, manifest: &str) -> Result<String> {
        let arguments = ["apply", "--namespace", namespace, "--filename", "-"];
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("starting kubectl")?;
        let mut input = child.stdin.take().context("kubectl has an input")?;
        input.write_all(manifest.as_bytes()).await?;
        drop(input);
        printed(&arguments, child.wait_with_output().await?)
    }
}

fn printed(arguments: &[&str], output: Output) -> Result<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl {}: {}", arguments.join(" "), said.trim());
    Ok(String::from_utf8(output.stdout)?)
}
