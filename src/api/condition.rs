//! Conditions: what automation reads. `phase` is for people, conditions are the contract.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One observed aspect of an instance, in the shape of `metav1.Condition`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is said; a newer operator may say what this one does not know.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub type_: String,
    /// Whether it is so.
    pub status: ConditionStatus,
    /// The generation of the spec that it was said about.
    #[serde(default)]
    pub observed_generation: i64,
    /// When `status` last changed.
    pub last_transition_time: Time,
    /// Why, in one CamelCase word.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// Why, in a sentence or two, with what to do.
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It does.
    True,
    /// It does not.
    False,
    /// It cannot be told.
    Unknown,
}

impl From<bool> for ConditionStatus {
    fn from(yes: bool) -> Self {
        if yes { Self::True } else { Self::False }
    }
}

/// What a condition is about. `Reconciling` and `Stalled` are there only while they are true, as
/// kstatus wants it; the others are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionType {
    /// The instance is as its spec wants it.
    Ready,
    /// The operator is at work, or waits for something that comes by itself.
    Reconciling,
    /// Nothing moves before a person does something.
    Stalled,
    /// The backend answers.
    Available,
    /// The instance is on its way to what the spec wants.
    Progressing,
    /// The operator cannot mend this alone.
    Degraded,
    /// An upgrade is under way.
    UpgradeInProgress,
    /// The export of the running upgrade is verified.
    ExportCompleted,
    /// The import of the running upgrade is verified.
    ImportCompleted,
    /// Functions are deployed on a store that an upgrade has made; there only after such an upgrade.
    FunctionsDeployed,
    /// The keys of the instance exist and fit together.
    SecretsReady,
    /// The volume of the instance is there.
    StorageReady,
    /// The one backend is up.
    BackendReady,
    /// The dashboard is as asked for.
    DashboardReady,
    /// The database is reached.
    DatabaseConnected,
    /// The object storage is reached.
    ObjectStorageConnected,
    /// Clients reach the instance as asked for.
    Exposed,
    /// Nothing is done, because an annotation asks for that; there only while it does.
    Paused,
    /// The admin key is readable for everybody who can open the dashboard; there only while it is so.
    AdminKeyPrefilled,
    /// The reserved scaling fields are set and have no effect; there only while they are.
    ScaleReserved,
}
