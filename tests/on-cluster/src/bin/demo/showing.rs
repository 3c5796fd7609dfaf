//! The upgrades that can be shown, as a user asks for them.

use anyhow::Result;
use clap::ValueEnum;
use on_cluster::Instance;
use serde_json::{Value, json};

/// A version that nobody has published.
pub const MISTYPED: &str = "mistyped";
/// How long the target of an upgrade that fails is given, in seconds: longer than a replaced pod takes.
const PATIENCE: u32 = 15;
/// How long an image is looked for, in seconds.
const SEARCH: u32 = 20;

/// What an upgrade does with the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "camelCase")]
pub enum Showing {
    /// A cold copy first; the new version then opens the store.
    InPlace,
    /// Export, cold copy, and import into the same store.
    ExportImport,
    /// Export, and import into a new store; the old one stays as it is.
    FreshStore,
    /// An image that does not exist, then a target that never gets ready: the way back.
    Failing,
}

impl Showing {
    /// The sample, with what this needs besides.
    ///
    /// # Errors
    /// The sample is no YAML.
    pub fn manifest(self, sample: &str, to: &str) -> Result<String> {
        let instance = Instance::from_yaml(sample)?;
        let instance = if self == Self::Failing { failing(&instance, to) } else { instance };
        Ok(instance.manifest().to_string())
    }

    /// What the instance is told besides what stands in the sample, in words.
    #[must_use]
    pub fn besides(self) -> Option<String> {
        (self == Self::Failing).then(|| {
            format!(
                "with onFailure: Rollback, exportDeadlineSeconds: {SEARCH}, rolloutDeadlineSeconds: {PATIENCE}, and the newer stand-in told never to get ready"
            )
        })
    }

    /// What is patched to have the upgrade.
    #[must_use]
    pub fn patch(self, to: &str) -> Value {
        let maintenance = match self {
            Self::InPlace | Self::Failing => return json!({ "spec": { "version": to } }),
            Self::ExportImport => json!({ "upgradeStrategy": "exportImport" }),
            Self::FreshStore => {
                json!({ "upgradeStrategy": "exportImport", "exportImport": { "into": "FreshStore" } })
            }
        };
        json!({ "spec": { "version": to, "maintenance": maintenance } })
    }
}

fn failing(sample: &Instance, to: &str) -> Instance {
    let unready = json!([{ "name": "STANDIN_UNREADY_VERSIONS", "value": to }]);
    let maintenance = json!({
        "onFailure": "Rollback",
        "exportDeadlineSeconds": SEARCH,
        "rolloutDeadlineSeconds": PATIENCE,
    });
    sample.clone().with("backend.env", unready).with("maintenance", maintenance)
}
