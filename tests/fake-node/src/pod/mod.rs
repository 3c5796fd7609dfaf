//! Pods: what each of them does ([`worker`]), what is said about it ([`status`]) and what a test wants to go wrong ([`faults`]).

mod conditions;
mod fate;
pub mod faults;
mod report;
pub mod status;
mod worker;

use std::path::{Path, PathBuf};

pub use worker::work;

/// The folders of one pod on this machine.
#[derive(Clone, Debug)]
pub struct Folders {
    /// All of it.
    pub pod: PathBuf,
    /// The file tree of each container.
    pub containers: PathBuf,
    /// Volumes that live as long as the pod.
    pub volumes: PathBuf,
    /// Output of the containers.
    pub logs: PathBuf,
}

impl Folders {
    /// The folders of the pod with `uid` below `state`.
    #[must_use]
    pub fn new(state: &Path, uid: &str) -> Self {
        let pod = state.join("pods").join(uid);
        let inside = |name| pod.join(name);
        Self {
            containers: inside("containers"),
            volumes: inside("volumes"),
            logs: inside("logs"),
            pod,
        }
    }
}
