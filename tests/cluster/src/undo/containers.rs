//! Ends the containers of a cluster, with its containerd or without.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::mounts;
use crate::process::output;

/// Where containerd's shims let runc keep its state, whatever containerd's own folders are.
const RUNC_STATE: &str = "/run/containerd/runc/k8s.io";
/// The cgroup of all containers that kubelets start; clusters share it.
const CGROUP: &str = "k8s.io";

/// Ends them all.
///
/// # Errors
/// One survives.
pub(super) fn end(socket: &Path, running: &Path) -> Result<()> {
    if socket.exists() {
        through_containerd(socket);
    }
    if running.is_dir() {
        for entry in fs::read_dir(running)? {
            without_containerd(&entry?.file_name().to_string_lossy())?;
        }
    }
    remove_shared_cgroup()
}

/// Errors do not matter: containerd may be dead, and a container may end by itself meanwhile. What is left is ended below.
fn through_containerd(socket: &Path) {
    let ctr = |arguments: &[&str]| {
        let socket = socket.to_string_lossy();
        output("ctr", [&["--address", &*socket, "--namespace", "k8s.io"], arguments].concat())
    };
    let tasks = ctr(&["tasks", "list", "--quiet"]).unwrap_or_default();
    for task in tasks.lines() {
        drop(ctr(&["tasks", "delete", "--force", task]));
    }
}

/// Processes of a container outlive a killed shim and carry no mark of ours; runc knows them by their cgroup.
fn without_containerd(id: &str) -> Result<()> {
    if Path::new(RUNC_STATE).join(id).exists() {
        output("runc", ["--root", RUNC_STATE, "delete", "--force", id])
            .with_context(|| format!("ending container {id}"))?;
    }
    Ok(())
}

/// Removes the cgroup in every hierarchy, unless containers of another cluster are in it: then the kernel refuses.
fn remove_shared_cgroup() -> Result<()> {
    let mounted = fs::read_to_string("/proc/self/mountinfo")?;
    for root in mounts::points(&mounted, |kind| kind.starts_with("cgroup")) {
        drop(fs::remove_dir(root.join(CGROUP)));
    }
    Ok(())
}
