//! The parts of `status` that tell of upgrades, and of what they keep.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An upgrade that is under way.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeStatus {
    /// What names it, and everything that is made for it.
    #[schemars(length(max = 64))]
    pub id: String,
    /// The version that it comes from.
    #[schemars(length(max = 128))]
    pub from: String,
    /// The version that it goes to.
    #[schemars(length(max = 128))]
    pub to: String,
    /// The image that it goes to, as it was resolved when the upgrade began.
    #[schemars(length(max = 512))]
    pub image: String,
    /// What that image was found to be by the first node that ran it: `sha256:` and 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub digest: Option<String>,
    /// How the data moves, and which way back is bought.
    #[schemars(length(max = 64))]
    pub strategy: String,
    /// Forward or Rollback.
    #[schemars(length(max = 16))]
    pub direction: String,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// The bucket that its exports go to, as it was resolved when the upgrade began, or `secret/NAME/KEY` where that names it; left out where they go to the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 520))]
    pub bucket: Option<String>,
    /// When the upgrade began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// Where a rollback would go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub way_back: Option<String>,
}

/// What an upgrade would do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct UpgradePlan {
    /// What to approve it by.
    #[schemars(length(max = 64))]
    pub id: String,
    /// What is done, in order.
    #[schemars(length(max = 16))]
    pub steps: Vec<String>,
    /// The size of the last export, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_bytes: Option<i64>,
    /// For how long nobody is served, as far as can be told.
    #[schemars(length(max = 256))]
    pub expected_downtime: String,
}

/// A verified export.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotStatus {
    /// The upgrade and the attempt that made it.
    #[schemars(length(max = 96))]
    pub id: String,
    /// The version that it was exported from.
    #[schemars(length(max = 128))]
    pub version: String,
    /// When it was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// The size of the archive, in bytes.
    pub bytes: i64,
    /// How many tables there are.
    pub tables: i64,
    /// The documents of all tables.
    pub documents: i64,
    /// How many files there are.
    pub files: i64,
    /// The digest of the archive, in lower-case hexadecimal.
    #[schemars(length(max = 64))]
    pub sha256: String,
    /// The claim and the folder on it, or bucket and prefix.
    #[schemars(length(max = 1024))]
    pub location: String,
    /// The bucket, where it is in one, or `secret/NAME/KEY` where that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 520))]
    pub bucket: Option<String>,
    /// What its keys in the bucket begin with, without the slash after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub prefix: Option<String>,
    /// Whether its content was read back and judged whole.
    pub verified: bool,
}

/// A store that is not in use.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    /// Which store it is, as the operator calls it.
    #[schemars(length(max = 96))]
    pub store: String,
    /// The claim that holds it; empty where it is on no volume.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub claim: String,
    /// The database that holds it, where that is on a server. The operator never removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub database: Option<String>,
    /// Of a cold copy: whether it was read back as a whole. One that was not is no data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// The version that opened it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub version: Option<String>,
    /// Since when it has not been in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When it is removed by `oldStoreRetention`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_time: Option<Time>,
}
