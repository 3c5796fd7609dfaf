//! The processes of a container, as the machine under a real node sees them.

use std::fs;

use anyhow::{Context, Result, ensure};
use cluster::process::Identity;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use rustix::process::Signal;

/// What a pod says about one of its containers.
///
/// # Errors
/// It says nothing about it.
pub fn status<'a>(pod: &'a Pod, container: &str) -> Result<&'a ContainerStatus> {
    let all = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let found = all.into_iter().flatten().find(|it| it.name == container);
    found.with_context(|| format!("{} says nothing about {container}", pod.name_any()))
}

/// Ends every process of a container with SIGKILL, as the kernel does where memory runs out; says how many there were.
///
/// # Errors
/// The container does not run on this machine.
pub fn kill(pod: &Pod, container: &str) -> Result<usize> {
    let id = status(pod, container)?.container_id.clone().unwrap_or_default();
    let (_, id) = id.split_once("://").context("the container has not begun")?;
    let processes = processes(id)?;
    ensure!(!processes.is_empty(), "no process of container {id} is on this machine");
    processes.iter().try_for_each(|process| process.signal(Signal::KILL))?;
    Ok(processes.len())
}

/// A container's cgroup bears its id, which is long enough to be nobody else's.
fn processes(id: &str) -> Result<Vec<Identity>> {
    ensure!(id.len() == 64, "{id:?} is no id of a container");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // What ends meanwhile has no cgroup any more.
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        if groups.lines().any(|line| line.ends_with(id)) {
            found.extend(Identity::of(pid));
        }
    }
    Ok(found)
}
