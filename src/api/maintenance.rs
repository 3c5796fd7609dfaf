//! `spec.maintenance`: how an instance is upgraded, and how long each step may take.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an instance is upgraded, and how long each step may take.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// `inPlace` (default) lets the new version migrate the store; `exportImport` loads an export into it.
    #[serde(default)]
    pub upgrade_strategy: UpgradeStrategy,
    /// The way back that is bought before an upgrade in place. `Auto` (default) takes the best that can be had and waits where none can; only `Off` goes on without.
    #[serde(default)]
    pub pre_upgrade_snapshot: PreUpgradeSnapshot,
    /// What becomes of an upgrade that fails. `Hold` (default) keeps the failed state to be looked at, `Rollback` goes back by itself.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Settings of the strategy `exportImport`.
    #[serde(default)]
    pub export_import: ExportImport,
    /// Reserved: an interval after which the backend is restarted. It has no effect yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    pub restart_interval: Option<String>,
    /// How long provisioning may take before the instance is Degraded, in seconds. Default 900.
    #[serde(default = "quarter")]
    #[schemars(range(min = 1, max = 604_800))]
    pub provision_deadline_seconds: i32,
    /// How long the export of an upgrade may take, in seconds. Default 3600.
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 604_800))]
    pub export_deadline_seconds: i32,
    /// How long replacing the backend may take, its migrations included, in seconds. Default 900.
    #[serde(default = "quarter")]
    #[schemars(range(min = 1, max = 604_800))]
    pub rollout_deadline_seconds: i32,
    /// How long the import of an upgrade may take, in seconds. Default 3600.
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 604_800))]
    pub import_deadline_seconds: i32,
    /// How long the backend may be away before the instance is Degraded, in seconds. Default 120.
    #[serde(default = "grace")]
    #[schemars(range(min = 1, max = 604_800))]
    pub unavailable_grace_seconds: i32,
}

fn quarter() -> i32 {
    900
}

fn hour() -> i32 {
    3600
}

fn grace() -> i32 {
    120
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            upgrade_strategy: UpgradeStrategy::default(),
            pre_upgrade_snapshot: PreUpgradeSnapshot::default(),
            on_failure: OnFailure::default(),
            export_import: ExportImport::default(),
            restart_interval: None,
            provision_deadline_seconds: quarter(),
            export_deadline_seconds: hour(),
            rollout_deadline_seconds: quarter(),
            import_deadline_seconds: hour(),
            unavailable_grace_seconds: grace(),
        }
    }
}

/// How an upgrade moves the data.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum UpgradeStrategy {
    /// The new version opens the store and migrates it.
    #[default]
    InPlace,
    /// The new version is loaded from a verified export.
    ExportImport,
}

/// The way back that is bought before an upgrade in place.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreUpgradeSnapshot {
    /// The best that can be had: a copy of a volume, an export of a server database.
    #[default]
    Auto,
    /// A copy of the volume, made while the backend is stopped.
    Copy,
    /// An export, made while traffic is held.
    Export,
    /// None: what the new version migrates stays migrated.
    Off,
}

/// What becomes of an upgrade that fails.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The failed state is kept to be looked at, the data untouched.
    #[default]
    Hold,
    /// The way back is taken at once.
    Rollback,
}

/// Settings of the strategy `exportImport`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExportImport {
    /// What the export is loaded into. `SameStore` (default) keeps the code; `FreshStore` starts on a new empty store, and functions must be deployed again.
    #[serde(default)]
    pub into: ImportInto,
}

/// What an export is loaded into.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportInto {
    /// The store that the data came from.
    #[default]
    SameStore,
    /// A new and empty store; the old one is kept untouched.
    FreshStore,
}
