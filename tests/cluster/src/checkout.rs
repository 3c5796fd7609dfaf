//! Where things of this checkout lie, and the name that sets it apart from other checkouts.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// What plays the node of a cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A process that stands in for the kubelet: fast, faults on demand, no root needed.
    Fake,
    /// containerd, runc, kubelet and kube-proxy in a network namespace: pods truly run.
    Real,
}

impl NodeKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Fake, Self::Real];
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fake => "fake",
            Self::Real => "real",
        })
    }
}

/// The working tree that the cluster belongs to.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Finds the checkout around the current directory.
    ///
    /// # Errors
    /// The current directory is not inside a checkout of this project.
    pub fn find() -> Result<Self> {
        let here = std::env::current_dir()?.canonicalize()?;
        here.ancestors()
            .find(|folder| folder.join("tests/cluster/Cargo.toml").is_file())
            .map(|root| Self { root: root.to_owned() })
            .with_context(|| format!("{} is not inside a checkout", here.display()))
    }

    /// The top of the working tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is built or downloaded, ignored by git.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.root.join(".cache")
    }

    /// Everything that a running cluster of this kind keeps in files.
    #[must_use]
    pub fn run_folder(&self, kind: NodeKind) -> PathBuf {
        self.cache().join("run").join(kind.to_string())
    }

    /// A number that two checkouts hardly share; addresses and names derive from it.
    #[must_use]
    pub fn seed(&self, kind: NodeKind) -> u32 {
        seed_of(&self.root, kind)
    }
}

fn seed_of(root: &Path, kind: NodeKind) -> u32 {
    let digest = digest(&SHA256, format!("{}\n{kind}", root.display()).as_bytes());
    let digest = digest.as_ref();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkouts_and_kinds_have_seeds_of_their_own() {
        let seeds = [
            seed_of(Path::new("/a"), NodeKind::Fake),
            seed_of(Path::new("/a"), NodeKind::Real),
            seed_of(Path::new("/b"), NodeKind::Fake),
        ];
        assert_eq!(seeds.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    }

    #[test]
    fn a_seed_stays_the_same() {
        let root = Path::new("/a");
        assert_eq!(seed_of(root, NodeKind::Fake), seed_of(root, NodeKind::Fake));
    }
}
