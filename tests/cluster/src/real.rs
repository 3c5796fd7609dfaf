//! The real node: a network namespace with containerd, kubelet and kube-proxy in it.

mod containerd;
mod kubelet;
mod network;
mod proxy;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    address::Network,
    binaries::Programs,
    control_plane::Parts,
    images,
    kubeconfig::Server,
    process::Daemon,
    record::{Record, Records},
    wait,
};

const PROXY: Duration = Duration::from_secs(30);

/// The programs that go into images.
pub const PROGRAMS: [&str; 1] = ["convex-standin"];

/// The parts of a real node that exist before it runs.
#[derive(Debug)]
pub struct RealNode {
    /// Short paths: a socket's may have 108 bytes at most, and a checkout may lie deep.
    runtime: PathBuf,
    namespace: String,
}

impl RealNode {
    /// Makes the network namespace.
    ///
    /// # Errors
    /// The host refuses.
    pub fn prepare(parts: &Parts<'_>) -> Result<Self> {
        let network = parts.addresses.network.clone().context("a real node has a network")?;
        let runtime = runtime_folder(&network);
        let mut records = Records::open(parts.run)?;
        records.write(&Record::Folder { path: runtime.clone() })?;
        // Mounts of pods and containers lie under the run folder: undone after everything that holds them has ended.
        for folder in ["containerd", "kubelet"] {
            records.write(&Record::Folder { path: parts.run.join(folder) })?;
        }
        fs::create_dir_all(&runtime)?;
        network::create(&network, parts.addresses, &mut records)?;
        Ok(Self { runtime, namespace: network.namespace })
    }

    /// Starts containerd; it needs no API server.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_containerd(&self, parts: &Parts<'_>) -> Result<Daemon> {
        containerd::start(parts, &self.runtime)
    }

    /// Brings in the images that exist on every cluster, as soon as containerd answers.
    ///
    /// # Errors
    /// containerd ended, or refuses them.
    pub async fn bring_images(
        &self,
        parts: &Parts<'_>,
        containerd: &Daemon,
        programs: &Programs,
    ) -> Result<()> {
        let socket = containerd::socket(&self.runtime);
        containerd::wait(&socket, containerd).await?;
        let folder = parts.run.join("images");
        let (backend, foreign) = (images::backend(programs)?, images::foreign(programs)?);
        let images = [images::pause()?, backend, images::dashboard(programs)?, foreign];
        // Packing is work for a thread: the API server is being waited for meanwhile.
        tokio::task::spawn_blocking(move || {
            images.iter().try_for_each(|image| containerd::import(&socket, &folder, image))
        })
        .await?
    }

    /// Starts kubelet and kube-proxy, and waits until the API server has its Cluster IP.
    ///
    /// # Errors
    /// One of them does not start.
    pub async fn start(&self, parts: &Parts<'_>, server: &Server) -> Result<[Daemon; 2]> {
        let socket = containerd::socket(&self.runtime);
        containerd::record_containers(parts, &self.runtime)?;
        let kubelet = kubelet::start(parts, server, &socket)?;
        let proxy = proxy::start(parts, server)?;
        let first = parts.addresses.first_service();
        wait::until("Cluster IP of the API server", PROXY, &[&proxy], || async {
            proxy::translates(&self.namespace, first)
        })
        .await?;
        Ok([kubelet, proxy])
    }
}

/// Imports an image into the containerd of a running cluster.
///
/// # Errors
/// containerd refuses.
pub fn import(run: &Path, network: &Network, image: &crate::image::Image) -> Result<()> {
    containerd::import(&containerd::socket(&runtime_folder(network)), &run.join("images"), image)
}

fn runtime_folder(network: &Network) -> PathBuf {
    Path::new("/run").join(&network.namespace)
}
