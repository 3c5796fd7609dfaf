//! A cluster of this machine, started for the demo and taken down after it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use cluster::{
    NodeKind, binaries, checkout::Checkout, client, description::Description, down, fake, operator,
    real, tools,
};
use on_cluster::{Kubectl, Reach, Witness};

use crate::{
    choice::Choice,
    sample::Sample,
    scene::{self, Scene},
    story::Story,
};

/// A cluster of this machine.
pub struct Local {
    checkout: Checkout,
    /// What it is and where.
    pub cluster: Description,
    /// Whether it was there before: then it stays.
    found: bool,
    /// What the instance's part happens in.
    pub scene: Scene,
}

impl Local {
    /// Builds what is needed and starts the cluster.
    ///
    /// # Errors
    /// It does not start; nothing of it is left.
    pub async fn open(choice: &Choice, story: &mut Story) -> Result<Self> {
        let checkout = Checkout::find()?;
        let (node, why) = choice.node();
        let harness = build(&checkout, node, story)?;
        story.part("cluster", &format!("a control plane and a {node} node{why}"));
        let began = Instant::now();
        let found = Description::read(&checkout.run_folder(node))?.is_some();
        let cluster = start(&checkout, &harness, node, choice.sample)?;
        let scene = match scene(&checkout, &cluster, choice.sample).await {
            Ok(scene) => scene,
            Err(error) => {
                drop(down::down(&checkout, node));
                return Err(error);
            }
        };
        let version = scene.client.apiserver_version().await?.git_version;
        let how = if found { "was up already" } else { "is up, its node ready" };
        story.fact(began, &format!("Kubernetes {version} {how}"));
        Ok(Self { checkout, cluster, found, scene })
    }

    /// Installs the operator from its chart.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn bring_operator(&self, story: &mut Story) -> Result<()> {
        story.part("operator", "charts/convex-operator");
        let began = Instant::now();
        operator::install(&self.checkout, &self.cluster).await?;
        let how = match self.cluster.node {
            NodeKind::Real => "a pod under its own role",
            NodeKind::Fake => "a process of this machine, with a token of its ServiceAccount",
        };
        story.fact(began, &format!("ready: {how}"));
        Ok(())
    }

    /// Takes the cluster down, unless it is to stay or was there before.
    ///
    /// # Errors
    /// Something could not be removed.
    pub fn leave(self, choice: &Choice) -> Result<String> {
        let node = self.cluster.node;
        if choice.keep || self.found {
            let kubeconfig = self.cluster.kubeconfig.display();
            return Ok(format!(
                "The cluster stays: KUBECONFIG={kubeconfig}, until ./justw cluster-down"
            ));
        }
        down::down(&self.checkout, node)?;
        Ok(format!(
            "The cluster is gone; keep one with ./justw cluster-up --node {node} --operator"
        ))
    }
}

/// By the program of its own that does it at other times, too: parts of a cluster are processes of that program.
fn start(
    checkout: &Checkout,
    harness: &Path,
    node: NodeKind,
    shown: Sample,
) -> Result<Description> {
    let mut up = Command::new(harness);
    up.args(["up", "--node", &node.to_string()]);
    if shown.has_hosts_on(node) {
        up.arg("--gateway");
    }
    let up = up.stdout(Stdio::null()).status()?;
    ensure!(up.success(), "the cluster did not start");
    Description::read(&checkout.run_folder(node))?.context("the cluster that was started is gone")
}

/// Everything, and says where the program is that starts clusters.
fn build(checkout: &Checkout, node: NodeKind, story: &mut Story) -> Result<PathBuf> {
    story.part("tools", "etcd, Kubernetes and Helm from Go modules; our own programs");
    let began = Instant::now();
    tools::ensure(checkout)?;
    story.fact(began, "the Go programs are built (the next time they are there)");
    let began = Instant::now();
    let mut programs = vec!["cluster", "convex-operator"];
    programs.extend(match node {
        NodeKind::Fake => &fake::PROGRAMS[..],
        NodeKind::Real => &real::PROGRAMS[..],
    });
    let harness = binaries::build(checkout, &programs)?.path("cluster")?.to_owned();
    story.fact(began, "operator and stand-ins are built");
    Ok(harness)
}

async fn scene(checkout: &Checkout, cluster: &Description, shown: Sample) -> Result<Scene> {
    let client = client::from_file(&cluster.kubeconfig).await?;
    let namespace = scene::fresh_namespace(&client).await?;
    let log: Option<PathBuf> = (cluster.node == NodeKind::Fake).then(|| operator::log(cluster));
    let sample = fs::read_to_string(checkout.root().join(shown.path()))?;
    let sample = shown.on(cluster.node, sample)?;
    Ok(Scene {
        kubectl: Kubectl::of(cluster)?,
        reach: Reach::into(cluster)?,
        witness: Witness { client: client.clone(), namespace: namespace.clone(), log },
        node: Some(cluster.node),
        client,
        namespace,
        shown,
        sample,
    })
}
