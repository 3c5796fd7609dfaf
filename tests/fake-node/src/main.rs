//! `fake-node`: a node whose pods are processes of this machine. See the library's documentation.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Parser;
use fake_node::{
    addresses::Addresses,
    backoff::Pace,
    flags::Flags,
    kubelet::{self, Node},
    link::Link,
    logs::Index,
    node,
    pod::faults::{self, Faults},
    records::Records,
    server::{self, Identity},
};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).init();
    match run(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the node until it is told to end; its containers end with it.
async fn run(flags: Flags) -> anyhow::Result<()> {
    // Where a provider is already installed, it is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    std::fs::create_dir_all(&flags.state_dir).context("state folder")?;
    let state = flags.state_dir.canonicalize().context("state folder")?;
    let records = Records::open(state.join("children")).context("records of processes")?;
    let left = records.kill_all().context("processes of an earlier run")?;
    if left > 0 {
        tracing::warn!(left, "killed what an earlier run had left");
    }
    let identity = identity(&flags)?;
    let (sender, faults) = watch::channel(Faults::default());
    let (lost, link) = watch::channel(false);
    let node = Arc::new(Node {
        client: client(&flags.kubeconfig).await?,
        link: Link::new(link),
        name: flags.node_name.clone(),
        address: flags.addresses.node(),
        addresses: Addresses::of(flags.addresses),
        images: flags.images(),
        pace: Pace::times(flags.speed),
        state: state.clone(),
        records: records.clone(),
        logs: Index::default(),
        faults: faults.clone(),
    });
    let labels = flags.labels();
    let logs = server::serve((node.address, flags.port).into(), identity, node.logs.clone());
    let ended = tokio::select! {
        served = logs => served.context("server of logs"),
        () = faults::follow(state.join("faults.json"), sender) => Ok(()),
        () = cut_when_lost(faults, lost) => Ok(()),
        () = node::keep(&node, flags.port, &labels) => Ok(()),
        () = kubelet::run(node.clone()) => Ok(()),
        told = told_to_end() => told.context("signals"),
    };
    records.kill_all().context("containers")?;
    ended
}

async fn client(kubeconfig: &Path) -> anyhow::Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).context("kubeconfig")?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

fn identity(flags: &Flags) -> anyhow::Result<Identity> {
    let (Some(certificate), Some(key)) = (&flags.tls_cert, &flags.tls_key) else {
        let names = vec![flags.node_name.clone(), flags.addresses.node().to_string()];
        return Identity::self_signed(names).context("certificate");
    };
    Ok(Identity {
        certificate: std::fs::read(certificate).context("--tls-cert")?,
        key: std::fs::read(key).context("--tls-key")?,
    })
}

/// The line to the API server follows the fault, for ever.
async fn cut_when_lost(mut faults: watch::Receiver<Faults>, lost: watch::Sender<bool>) {
    loop {
        let now = faults.borrow_and_update().lost;
        lost.send_if_modified(|before| std::mem::replace(before, now) != now);
        if faults.changed().await.is_err() {
            return;
        }
    }
}

async fn told_to_end() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    Ok(())
}
