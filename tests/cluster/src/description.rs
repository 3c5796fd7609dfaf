//! `cluster.json`: what a running cluster is, for those who use it and for those who stop it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{address::Addresses, checkout::NodeKind, process::Daemon};

/// A cluster that was started.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// What plays its node.
    pub node: NodeKind,
    /// What the node is called.
    pub node_name: String,
    /// Its folder.
    pub run: PathBuf,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The URL of its API server.
    pub server: String,
    /// The certificate of its authority, in PEM.
    pub authority: String,
    /// Its addresses and names.
    pub addresses: Addresses,
    /// What its processes carry in their environment.
    pub token: String,
    /// The built programs (kubectl, helm and the rest) by name.
    pub tools: BTreeMap<String, PathBuf>,
    /// The binary that started it, which also runs its helpers.
    pub harness: PathBuf,
    /// The processes that must live as long as the cluster.
    pub daemons: Vec<Daemon>,
}

impl Description {
    /// The name of its network namespace, where it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.addresses.network.as_ref().map(|network| network.namespace.as_str())
    }

    /// Writes it into its run folder; the file is there wholly or not at all.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self) -> Result<()> {
        let half = self.run.join("cluster.json.half");
        fs::write(&half, serde_json::to_vec_pretty(self)?)?;
        fs::rename(half, file_in(&self.run)).context("writing cluster.json")
    }

    /// Reads that of a run folder; none where no cluster was started wholly.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        let path = file_in(run);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let read = serde_json::from_slice(&text);
        read.map(Some).with_context(|| format!("{} is not a description", path.display()))
    }

    /// Where kubectl keeps what it has found out about this cluster: never what it knew of an earlier one at
    /// this address, or of this one before our resource was installed.
    #[must_use]
    pub fn kubectl_cache(&self) -> PathBuf {
        self.run.join("kubectl")
    }

    /// The path of one of its programs.
    ///
    /// # Errors
    /// It has none of that name.
    pub fn tool(&self, name: &str) -> Result<&Path> {
        let found = self.tools.get(name).map(PathBuf::as_path);
        found.with_context(|| format!("this cluster has no {name}"))
    }
}

fn file_in(run: &Path) -> PathBuf {
    run.join("cluster.json")
}
