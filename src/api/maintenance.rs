//! `spec.maintenance`: how an instance is upgraded, and how long each step may take.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// How an instance is upgraded, and how long each step may take.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// `inPlace` (default) lets the new version migrate the store; `exportImport` loads an export into it.
    #[serde(default)]
    pub upgrade_strategy: UpgradeStrategy,
    /// The way back that is bought before an upgrade in place. `Auto` (default) takes the best that can be had and waits where none can; only `Off` goes on without. Of a database server that is an export, for people to import into a new database.
    #[serde(default)]
    pub pre_upgrade_snapshot: PreUpgradeSnapshot,
    /// What becomes of an upgrade that fails. `Hold` (default) keeps the failed state to be looked at, `Rollback` goes back by itself.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Settings of the strategy `exportImport`.
    #[serde(default)]
    pub export_import: ExportImport,
    /// Whether an export may be made, and an import run, of a backend that is too old to be paused. What users write meanwhile may be lost. Default false.
    #[serde(default)]
    pub accept_unheld_export: bool,
    /// Where exports are kept.
    #[serde(default)]
    pub snapshots: Snapshots,
    /// How many exports are kept besides those that an upgrade still needs. Default 3.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 32))]
    pub snapshot_retention: i32,
    /// How long a store that an upgrade left behind is kept, such as `720h`. Left out, it is kept until somebody deletes its claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::duration")]
    pub old_store_retention: Option<String>,
    /// Whether an upgrade waits for the annotation `convex.icod.de/approve` with the id in `status.plan`. Default `Auto`: it does not.
    #[serde(default)]
    pub approval: Approval,
    /// When upgrades and restarts may begin. Left out, at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// How often the backend is restarted, such as `168h`, spread at random by a tenth. Left out, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::duration")]
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

fn three() -> i32 {
    3
}

fn yes() -> bool {
    true
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            upgrade_strategy: UpgradeStrategy::default(),
            pre_upgrade_snapshot: PreUpgradeSnapshot::default(),
            on_failure: OnFailure::default(),
            export_import: ExportImport::default(),
            accept_unheld_export: false,
            snapshots: Snapshots::default(),
            snapshot_retention: three(),
            old_store_retention: None,
            approval: Approval::default(),
            window: None,
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

/// Where exports are kept: a claim `<name>-snapshots` that no instance owns, or a bucket.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.destination) || self.destination != 'Claim' || !has(self.bucket)")
    .message("exports on a claim are in no bucket: remove spec.maintenance.snapshots.bucket, or set destination to ObjectStorage"))]
#[x_kube(validation = Rule::new("!has(self.destination) || self.destination != 'ObjectStorage' || !(has(self.size) || has(self.storageClassName))")
    .message("size and storageClassName are those of a claim, and exports in object storage need none: remove them, or set spec.maintenance.snapshots.destination to Claim"))]
#[serde(rename_all = "camelCase")]
pub struct Snapshots {
    /// `Claim` or `ObjectStorage`, reached as `spec.backend.s3` says. Default: `ObjectStorage` where that is enabled, else `Claim`. An upgrade that is under way keeps what it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<SnapshotDestination>,
    /// The bucket, with `ObjectStorage`. Default: the one that the backend keeps exports in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::bucket")]
    pub bucket: Option<String>,
    /// The size of the claim as a quantity. Default 10Gi. Less than the claim has changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = Rule::new("isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))")
        .message("must be a quantity above zero, for example 100Gi"))]
    pub size: Option<String>,
    /// The storage class of the claim. Left out, the cluster's default class. It takes effect when the claim is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub storage_class_name: Option<String>,
}

/// What exports are kept in.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotDestination {
    /// A claim.
    Claim,
    /// A bucket.
    ObjectStorage,
}

/// Who lets an upgrade begin.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// The change of the spec.
    #[default]
    Auto,
    /// A person, by an annotation.
    Manual,
}

/// When upgrades and restarts may begin.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// When the window opens: minute, hour, day of month, month and day of week, as cron writes them.
    #[schemars(length(min = 9, max = 100))]
    pub schedule: String,
    /// How long it stays open, such as `2h`.
    #[schemars(schema_with = "schema::duration")]
    pub duration: String,
    /// The time zone of the schedule by its IANA name, such as `Europe/Berlin`. Default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
}

/// Settings of the strategy `exportImport`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExportImport {
    /// What the export is loaded into. `SameStore` (default) keeps the code; `FreshStore` starts on a new empty store, and functions must be deployed again.
    #[serde(default)]
    pub into: ImportInto,
    /// Whether users are let in to a fresh store only once functions are deployed on it. Default true.
    #[serde(default = "yes")]
    pub wait_for_functions: bool,
}

impl Default for ExportImport {
    fn default() -> Self {
        Self { into: ImportInto::default(), wait_for_functions: yes() }
    }
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
