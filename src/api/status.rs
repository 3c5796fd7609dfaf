//! `status`: what the operator saw and what it must remember.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{KubeSchema, core::Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statemachine::{Phase, Pins, phase::Wire};

use super::{Condition, schema};

mod upgrade;

pub use self::upgrade::{SnapshotStatus, StoreStatus, UpgradePlan, UpgradeStatus};

/// What the operator saw, and what it must remember because it cannot be observed again.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = legal_edges())]
#[serde(rename_all = "camelCase")]
pub struct ConvexInstanceStatus {
    /// Where the instance is in its life. For people: automation reads conditions, and new phases may come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub phase: Option<String>,
    /// How far an upgrade has come, or Suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub stage: Option<String>,
    /// What the instance is waiting for, or that it serves, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// The generation of the spec that this status is about; -1 before the operator has seen it.
    #[serde(default)]
    pub observed_generation: i64,
    /// The version that was last seen to answer, shortened for display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub version: Option<String>,
    /// The version that the spec asks for, shortened for display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub target: Option<String>,
    /// The version that was last seen to answer, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub running_version: Option<String>,
    /// The image of the backend that was last seen to answer, by digest where the node told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub image: Option<String>,
    /// Where the database is on a server: the name of the deployment that holds the data (`INSTANCE_NAME`); its database has that name with `_` for `-`. An upgrade into a new database changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub instance_name: Option<String>,
    /// When the phase was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_transition_time: Option<Time>,
    /// Where the instance is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// The parts of the instance, one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<Components>,
    /// The servers that the backend depends on, as its pod found them before it started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub dependencies: Vec<DependencyStatus>,
    /// What keeps the instance where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub blocked_by: Vec<Blocked>,
    /// The last ten edges of the lifecycle, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub history: Vec<Transition>,
    /// The upgrade that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<UpgradeStatus>,
    /// What the next upgrade would do, while it waits to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<UpgradePlan>,
    /// When the window opens that the next upgrade waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_upgrade_time: Option<Time>,
    /// Every verified export that is kept, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub snapshots: Vec<SnapshotStatus>,
    /// Every store besides the one in use: cold copies, and what upgrades left behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub stores: Vec<StoreStatus>,
    /// The value of `convex.icod.de/retry` that was last acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub retry: Option<String>,
    /// Whether users are let in, or held for an upgrade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub traffic: Option<String>,
    /// What automation reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// What the lifecycle remembers: commitments and resolved inputs. Not for editing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::kept")]
    pub lifecycle: Option<Pins>,
}

/// The edges of the machine as a transition rule. A status without a phase was lost or never written,
/// and may become anything: the machine rebuilds it. A phase that is not known here is a newer
/// operator's, which this definition must not stop.
fn legal_edges() -> Rule {
    let rule = statemachine::edges::cel();
    let known = Phase::ALL.into_iter().filter(|phase| *phase != Phase::Unknown).map(Wire::from);
    let known: Vec<_> = known
        .map(|Wire { phase, stage }| match stage.as_str() {
            "" => format!("'{phase}'"),
            stage => format!("'{phase}/{stage}'"),
        })
        .collect();
    let known = known.join(", ");
    let now = "(has(self.stage) ? self.phase + '/' + self.stage : self.phase)";
    Rule::new(format!(
        "!has(self.phase) || !has(oldSelf.phase) || !({now} in [{known}]) || ({rule})"
    ))
    .message("the lifecycle has no such edge: let the operator alone write status, and change spec instead")
}

/// Where the instance is reached.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// The URL of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub api_url: Option<String>,
    /// The URL of HTTP actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub site_url: Option<String>,
    /// The URL of the dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub dashboard_url: Option<String>,
}

/// The parts of an instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Components {
    /// The backend, which owns the data.
    #[serde(default)]
    pub backend: Component,
    /// The dashboard; absent where none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<Component>,
}

/// One part of an instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// Whether it is up.
    #[serde(default)]
    pub ready: bool,
    /// The image that it is meant to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub image: Option<String>,
    /// Why it is not up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// A server that the backend depends on.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DependencyStatus {
    /// `database` or `objectStorage`; where buckets differ, followed by what this one is for.
    #[schemars(length(max = 128))]
    pub name: String,
    /// Whether the backend can use it.
    pub connected: bool,
    /// How long it took to get in, when that was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<i64>,
    /// When it was last found to be usable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_connected_time: Option<Time>,
    /// Why it cannot be used, or what should be known though it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// A guard of the lifecycle that says no, and why.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// The guard that refused.
    #[schemars(length(max = 64))]
    pub guard: String,
    /// Why, in one CamelCase word.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// Why, in a sentence or two, with what to do.
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// An edge of the lifecycle that was taken.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// When the edge was taken.
    pub time: Time,
    /// How long the phase or stage that was left had lasted, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// The phase left, with its stage after a slash.
    #[schemars(length(max = 64))]
    pub from: String,
    /// The phase entered, with its stage after a slash.
    #[schemars(length(max = 64))]
    pub to: String,
    /// What the edge is called.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// What was said about it.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub message: String,
}

impl ConvexInstanceStatus {
    /// The phase as the machine knows it.
    #[must_use]
    pub fn phase(&self) -> Phase {
        Phase::from(Wire {
            phase: self.phase.clone().unwrap_or_default(),
            stage: self.stage.clone().unwrap_or_default(),
        })
    }
}
