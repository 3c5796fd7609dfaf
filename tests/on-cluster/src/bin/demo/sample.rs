//! The samples that can be shown.

use clap::ValueEnum;

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
