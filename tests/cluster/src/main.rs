//! The `cluster` command: builds what a local cluster needs, starts it, talks to it and stops it.

use std::{
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use cluster::{
    NodeKind, checkout::Checkout, client, convex_cli, description::Description, down, gateway,
    launch, operator, progress, provisioner::Provisioner, tools, up,
};

#[derive(Parser)]
#[command(about = "A local Kubernetes cluster for tests and demos")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Builds the Go programs that a cluster needs.
    Tools,
    /// Installs the real Convex CLI; the last line is the path of its folder.
    ConvexCli,
    /// Starts a cluster, or finds it running; the last line is the path of its kubeconfig.
    Up {
        /// What plays the node.
        #[arg(long, value_enum, default_value_t = NodeKind::Fake)]
        node: NodeKind,
        /// Installs the ConvexInstance resource and runs the operator.
        #[arg(long)]
        operator: bool,
        /// Installs the Gateway API and runs a data plane, on a real node; built the first time, which takes minutes.
        #[arg(long)]
        gateway: bool,
    },
    /// Stops clusters and removes what they made.
    Down {
        /// Only the cluster with this node.
        #[arg(long, value_enum)]
        node: Option<NodeKind>,
    },
    /// Runs kubectl as the cluster's administrator.
    Kubectl {
        /// Which cluster, where both are up.
        #[arg(long, value_enum)]
        node: Option<NodeKind>,
        /// What kubectl is asked.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Runs a command where pods and Cluster IPs can be reached.
    ExecInNet {
        /// Which cluster, where both are up.
        #[arg(long, value_enum)]
        node: Option<NodeKind>,
        /// The command.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Runs the operator and notes how it ended (started by `up`).
    #[command(hide = true)]
    Keep {
        /// The run folder of its cluster.
        #[arg(long)]
        run: PathBuf,
        /// The command.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Makes volumes for a cluster (started by `up`).
    #[command(hide = true)]
    Provisioner {
        /// As whom.
        #[arg(long)]
        kubeconfig: PathBuf,
        /// Where volumes are.
        #[arg(long)]
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run(Arguments::parse().action)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(action: Action) -> Result<()> {
    match action {
        Action::Provisioner { kubeconfig, folder } => {
            let client = client::from_file(&kubeconfig).await?;
            Box::pin(Provisioner::new(client, &folder)?.run()).await
        }
        Action::Tools => build_tools(),
        Action::ConvexCli => {
            let folder = convex_cli::ensure(&Checkout::find()?).await?;
            println!("{}", folder.display());
            Ok(())
        }
        Action::Keep { run, command } => {
            let (program, arguments) = command.split_first().context("a command is needed")?;
            operator::keep(&run, Command::new(program).args(arguments))
        }
        Action::Up { node, operator: wanted, gateway: routed } => {
            let checkout = Checkout::find()?;
            let description = up::up(&checkout, node).await?;
            if routed {
                gateway::install(&checkout, &description).await?;
            }
            if wanted {
                operator::install(&checkout, &description).await?;
            }
            println!("{}", description.kubeconfig.display());
            Ok(())
        }
        Action::Down { node } => stop(node),
        Action::Kubectl { node, arguments } => {
            let running = running(node)?;
            let mut command = Command::new(running.tool("kubectl")?);
            command.args(arguments).env("KUBECONFIG", &running.kubeconfig);
            command.env("KUBECACHEDIR", running.kubectl_cache());
            Err(command.exec()).context("starting kubectl")
        }
        Action::ExecInNet { node, command } => {
            let running = running(node)?;
            let (program, arguments) = command.split_first().context("a command is needed")?;
            let mut command = launch::in_namespace(running.namespace(), program);
            command.args(arguments).env("KUBECONFIG", &running.kubeconfig);
            Err(command.exec()).with_context(|| format!("starting {}", OsStr::display(program)))
        }
    }
}

fn build_tools() -> Result<()> {
    for (name, path) in tools::ensure(&Checkout::find()?)?.all() {
        println!("{name} {}", path.display());
    }
    Ok(())
}

fn stop(node: Option<NodeKind>) -> Result<()> {
    let checkout = Checkout::find()?;
    let mut stopped = false;
    for kind in NodeKind::ALL.into_iter().filter(|kind| node.is_none_or(|only| only == *kind)) {
        stopped |= down::down(&checkout, kind)?;
    }
    if !stopped {
        progress::say("no cluster was up");
    }
    Ok(())
}

/// The cluster that is meant: the one asked for, or the only one that is up.
fn running(node: Option<NodeKind>) -> Result<Description> {
    let checkout = Checkout::find()?;
    let mut found = Vec::new();
    for kind in NodeKind::ALL.into_iter().filter(|kind| node.is_none_or(|only| only == *kind)) {
        found.extend(Description::read(&checkout.run_folder(kind))?);
    }
    match found.len() {
        0 => bail!("no cluster is up: start one with `./justw cluster-up`"),
        1 => found.pop().context("one cluster was found"),
        _ => bail!("two clusters are up: say which with `--node fake` or `--node real`"),
    }
}
