//! Starts a cluster, or finds it running.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::rand::{GetRandomFlags, getrandom};

use crate::{
    address::{self, Addresses, InUse},
    binaries::{self, Programs},
    checkout::{Checkout, NodeKind},
    client,
    control_plane::{ControlPlane, Parts, admin_kubeconfig},
    description::Description,
    down, fake, host,
    launch::Launcher,
    pki::Authority,
    process::Daemon,
    progress,
    real::{self, RealNode},
    record::{Record, Records},
    storage,
    tools::{self, Tools},
    wait,
};

/// What every node of ours is called.
pub const NODE_NAME: &str = "node";

const NODE: Duration = Duration::from_mins(1);

/// Keeps other starts and stops of the same cluster out until it is dropped.
///
/// # Errors
/// The lock file cannot be made.
pub fn lock(checkout: &Checkout, kind: NodeKind) -> Result<File> {
    let run = checkout.run_folder(kind);
    fs::create_dir_all(checkout.cache().join("run"))?;
    let lock = File::create(run.with_extension("lock"))?;
    lock.lock().context("waiting for another start or stop of this cluster")?;
    Ok(lock)
}

/// The cluster of this kind: the one that runs, or a new one.
///
/// # Errors
/// It could not be started; then nothing of it is left running.
pub async fn up(checkout: &Checkout, kind: NodeKind) -> Result<Description> {
    let _lock = lock(checkout, kind)?;
    let run = checkout.run_folder(kind);
    if let Some(found) = Description::read(&run)? {
        match healthy(&found).await {
            Ok(()) => {
                progress::say(&format!("the {kind} cluster is up already"));
                return Ok(found);
            }
            Err(reason) => progress::say(&format!("starting anew: {reason:#}")),
        }
    }
    down::remove(&run)?;
    let started = start(checkout, kind, &run).await;
    if started.is_err() {
        down::keep_logs(&run)?;
    }
    started
}

/// Whether a cluster that was started is still wholly there.
///
/// # Errors
/// What is missing.
pub async fn healthy(description: &Description) -> Result<()> {
    description.daemons.iter().try_for_each(Daemon::check)?;
    let client = client::from_file(&description.kubeconfig).await?;
    let patience = Duration::from_secs(5);
    wait::until("ready API server", patience, &[], || client::ready(&client)).await?;
    wait::until("ready node", patience, &[], || client::node_ready(&client, &description.node_name))
        .await
}

async fn start(checkout: &Checkout, kind: NodeKind, run: &Path) -> Result<Description> {
    let tools = tools::ensure(checkout)?;
    let programs = match kind {
        NodeKind::Fake => &fake::PROGRAMS[..],
        NodeKind::Real => {
            host::ensure_packages()?;
            &real::PROGRAMS[..]
        }
    };
    let built = binaries::build(checkout, programs)?;
    let began = Instant::now();
    let start = Start::prepare(checkout, kind, run, tools)?;
    let description = match kind {
        NodeKind::Fake => start.fake(&built).await?,
        NodeKind::Real => start.real(&built).await?,
    };
    description.write()?;
    progress::done(&format!("the {kind} cluster is up"), began);
    Ok(description)
}

/// A start under way: what is known before anything runs.
struct Start {
    run: PathBuf,
    kind: NodeKind,
    token: String,
    addresses: Addresses,
    tools: Tools,
    launcher: Launcher,
    authority: Authority,
}

impl Start {
    fn prepare(checkout: &Checkout, kind: NodeKind, run: &Path, tools: Tools) -> Result<Self> {
        fs::create_dir_all(run)?;
        let in_use = match kind {
            NodeKind::Fake => InUse::default(),
            NodeKind::Real => host::in_use()?,
        };
        let addresses = address::choose(kind, checkout.seed(kind), &in_use)?;
        let token = new_token()?;
        Records::open(run)?.write(&Record::Token { value: token.clone() })?;
        let namespace = addresses.network.as_ref().map(|network| network.namespace.as_str());
        Ok(Self {
            launcher: Launcher::new(run, &token, namespace),
            authority: Authority::create(&run.join("pki"))?,
            run: run.to_owned(),
            kind,
            token,
            addresses,
            tools,
        })
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            run: &self.run,
            addresses: &self.addresses,
            tools: &self.tools,
            launcher: &self.launcher,
            authority: &self.authority,
        }
    }

    async fn fake(&self, built: &Programs) -> Result<Description> {
        let parts = self.parts();
        let mut plane = parts.start().await?;
        plane.daemons.push(storage::start(&parts, &plane.server)?);
        plane.daemons.push(fake::start(&parts, &plane.server, built)?);
        self.finish(plane).await
    }

    async fn real(&self, built: &Programs) -> Result<Description> {
        let parts = self.parts();
        let node = RealNode::prepare(&parts)?;
        let containerd = node.start_containerd(&parts)?;
        let images = node.bring_images(&parts, &containerd, built);
        // Both to their end, also where one fails: what is still being written could not be removed.
        let (plane, images) = tokio::join!(parts.start(), images);
        images?;
        let mut plane = plane?;
        plane.daemons.push(storage::start(&parts, &plane.server)?);
        plane.daemons.push(containerd);
        plane.daemons.extend(node.start(&parts, &plane.server).await?);
        self.finish(plane).await
    }

    async fn finish(&self, plane: ControlPlane) -> Result<Description> {
        storage::install_classes(&plane.client).await?;
        let needed: Vec<&Daemon> = plane.daemons.iter().collect();
        let client = &plane.client;
        wait::until("ready node", NODE, &needed, || client::node_ready(client, NODE_NAME)).await?;
        wait::until("namespace that admits pods", NODE, &needed, || client::pods_admitted(client))
            .await?;
        let tools = self.tools.all().map(|(name, path)| (name.to_owned(), path.to_owned()));
        Ok(Description {
            node: self.kind,
            node_name: NODE_NAME.to_owned(),
            run: self.run.clone(),
            kubeconfig: admin_kubeconfig(&self.run),
            server: plane.server.url.clone(),
            authority: plane.server.authority.clone(),
            addresses: self.addresses.clone(),
            token: self.token.clone(),
            tools: tools.collect(),
            harness: std::env::current_exe()?,
            daemons: plane.daemons,
        })
    }
}

fn new_token() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(hex::encode(bytes))
}
