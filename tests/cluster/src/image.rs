//! Container images of one layer, byte for byte the same from the same input.

mod archive;
mod rootfs;

pub use rootfs::Rootfs;

use serde_json::{Value, json};

/// An image to be imported.
#[derive(Debug)]
pub struct Image {
    /// What it is called here.
    pub name: String,
    /// The references that it is known by.
    pub tags: Vec<String>,
    /// Its files.
    pub rootfs: Rootfs,
    /// How it runs.
    pub config: Config,
}

impl Image {
    /// Its first reference without the tag.
    #[must_use]
    pub fn repository(&self) -> &str {
        let first = self.tags.first().map_or(self.name.as_str(), String::as_str);
        first.rsplit_once(':').map_or(first, |(repository, _)| repository)
    }
}

/// How a container of an image runs, where its pod does not say otherwise.
#[derive(Debug, Default)]
pub struct Config {
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments.
    pub command: Vec<String>,
    /// Where it runs; empty: in `/`.
    pub working_dir: String,
    /// As whom; empty: root.
    pub user: String,
    /// Folders that are volumes even where a pod mounts none.
    pub volumes: Vec<String>,
}

impl Config {
    /// The image's configuration in the form of the OCI image specification.
    fn document(&self, layer_digest: &str) -> Value {
        let volumes: serde_json::Map<_, _> =
            self.volumes.iter().map(|path| (path.clone(), json!({}))).collect();
        json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "Entrypoint": self.entrypoint,
                "Cmd": self.command,
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
                "WorkingDir": self.working_dir,
                "User": self.user,
                "Volumes": volumes,
            },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer_digest}")] },
        })
    }
}

/// Go's names, which images use, for those of Rust that differ.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
