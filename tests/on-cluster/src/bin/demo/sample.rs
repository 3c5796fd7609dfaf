//! The samples that can be shown.

use anyhow::Result;
use clap::ValueEnum;
use cluster::NodeKind;
use on_cluster::Instance;

/// A sample of `docs/samples`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sample {
    /// `SQLite` on a volume.
    Dev,
    /// Documents in a real PostgreSQL server with TLS under a private authority, files in a real S3 server.
    Prod,
}

impl Sample {
    /// Its manifest, in the checkout.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Dev => "docs/samples/dev.yaml",
            Self::Prod => "docs/samples/prod.yaml",
        }
    }

    /// Whether it is reached by hosts: a played node has no network in which a data plane could be.
    #[must_use]
    pub fn has_hosts_on(self, node: NodeKind) -> bool {
        self == Self::Prod && node == NodeKind::Real
    }

    /// Its manifest as that node can have it.
    ///
    /// # Errors
    /// It is no YAML.
    pub fn on(self, node: NodeKind, manifest: String) -> Result<String> {
        if self == Self::Dev || self.has_hosts_on(node) {
            return Ok(manifest);
        }
        Ok(Instance::from_yaml(&manifest)?.without("networking").manifest().to_string())
    }

    /// What it calls its instance.
    #[must_use]
    pub const fn instance(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Prod => "orders",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_name_their_instance_as_told_here() {
        for sample in [Sample::Dev, Sample::Prod] {
            let path = format!("{}/../../{}", env!("CARGO_MANIFEST_DIR"), sample.path());
            let text = std::fs::read_to_string(path).unwrap();
            assert!(text.contains(&format!("\n  name: {}\n", sample.instance())), "{sample:?}");
        }
    }
}
