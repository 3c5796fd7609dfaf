//! The root of the resource: what an instance is, and the rules that span its parts.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Backend, ConvexInstanceStatus, Dashboard, Maintenance, NetworkPolicy, Networking};

/// One self-hosted Convex: a backend with its data, and a dashboard.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "convex.icod.de",
    version = "v1alpha1",
    kind = "ConvexInstance",
    plural = "convexinstances",
    shortname = "cvx",
    category = "convex",
    namespaced,
    status = "ConvexInstanceStatus",
    derive = "PartialEq",
    doc = "A self-hosted Convex: a backend with its data, and a dashboard. Read its life in the columns, wait with `kubectl wait --for=condition=Ready`.",
    selectable = ".status.phase",
    selectable = ".spec.version",
    selectable = ".spec.environment",
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", description = "The version that was last seen to answer."),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase", description = "Where the instance is in its life."),
    printcolumn(name = "Stage", type_ = "string", json_path = ".status.stage", description = "How far an upgrade has come, or Suspended."),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status", description = "Whether the instance is as its spec wants it."),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason", description = "Why it is, or is not, ready."),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", description = "When the instance was created."),
    printcolumn(name = "Target", type_ = "string", json_path = ".status.target", priority = 1, description = "The version that the spec asks for."),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.endpoints.apiUrl", priority = 1, description = "Where clients reach the backend."),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1, description = "What the instance is waiting for."),
    validation = Rule::new("size(self.metadata.name) <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name must be at most 52 characters of a-z, 0-9 and '-', and begin with a letter: Services and Pods are named after it; choose a shorter or simpler name"),
    validation = Rule::new("self.spec.environment != 'prod' || self.spec.backend.storage.mode != 'sqlite' || self.spec.backend.storage.pvc.enabled")
        .message("environment prod refuses a store that would not survive its pod: set spec.backend.storage.pvc.enabled to true, or use a database engine")
)]
#[x_kube(validation = Rule::new("self.backend.db.engine != 'sqlite' || self.backend.storage.mode == 'sqlite'")
    .message("engine sqlite keeps its data on a volume: set spec.backend.storage.mode to sqlite"))]
#[x_kube(validation = Rule::new("self.backend.db.engine == 'sqlite' || self.backend.storage.mode == 'external'")
    .message("engines postgres and mysql keep their data in a server: set spec.backend.storage.mode to external"))]
#[x_kube(validation = Rule::new("self.backend.db.engine == 'sqlite' || self.maintenance.preUpgradeSnapshot != 'Copy'")
    .message("a copy of the volume is no way back for a database on a server: set spec.maintenance.preUpgradeSnapshot to Auto or Export"))]
#[x_kube(validation = Rule::new("self.backend.db.engine == 'sqlite' || self.maintenance.upgradeStrategy != 'exportImport' || self.maintenance.exportImport.into != 'FreshStore' || (has(self.backend.db.createDatabase) && self.backend.db.createDatabase == 'IfMissing')")
    .message("a fresh store on a server is a new database, which its user has to make: set spec.backend.db.createDatabase to IfMissing and let the user of the URL create databases, or set spec.maintenance.exportImport.into to SameStore"))]
#[x_kube(validation = Rule::new("self.backend.s3.enabled || !((has(self.maintenance.snapshots.destination) && self.maintenance.snapshots.destination == 'ObjectStorage') || has(self.maintenance.snapshots.bucket))")
    .message("exports go to a bucket by spec.backend.s3: set spec.backend.s3.enabled to true, or set spec.maintenance.snapshots.destination to Claim and remove its bucket"))]
#[x_kube(validation = Rule::new("!self.networkPolicy.enabled || !has(self.networking.host) || has(self.networkPolicy.from)")
    .message("what serves spec.networking.host runs in some namespace, and the network policy has to let it in: name it in spec.networkPolicy.from"))]
#[serde(rename_all = "camelCase")]
pub struct ConvexInstanceSpec {
    /// What the instance is for. `prod` adds resource requests to the pods, redacts logs sent to clients, and refuses a store that would not survive its pod; `dev` adds none of these.
    pub environment: Environment,
    /// The tag of the backend and dashboard images, which must match. Changing it starts an upgrade. Convex publishes full commit ids as tags; `latest` moves and is refused.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$')")
        .message("must be an image tag: letters, digits, '_', '.' and '-', for example a commit id that Convex has published"))]
    #[x_kube(validation = Rule::new("self != 'latest'")
        .message("latest moves without notice and would upgrade the data unasked; name the tag of a release"))]
    pub version: String,
    /// The backend: the one process that owns the data.
    pub backend: Backend,
    /// The dashboard: a stateless web page that talks to the backend from the browser.
    #[serde(default = "Dashboard::enabled")]
    pub dashboard: Dashboard,
    /// How clients reach the instance. Left out, it is reached inside the cluster only.
    #[serde(default)]
    pub networking: Networking,
    /// Who may open connections to the pods. Default: whoever reaches them.
    #[serde(default)]
    pub network_policy: NetworkPolicy,
    /// Reserved: accepted and not acted on, since a Convex backend is exactly one process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// How the instance is upgraded and how long each step may take.
    #[serde(default)]
    pub maintenance: Maintenance,
    /// Stops the backend and keeps every volume and Secret. Default false; back to false starts it again.
    #[serde(default)]
    pub suspend: bool,
    /// What becomes of claim and instance Secret when the instance is deleted. Default Retain: both stay, labelled with the instance they belonged to. What is on a database server or in buckets always stays.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// What an instance is for.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    /// Trying things out: no resource requests, and a store that dies with its pod is allowed.
    Dev,
    /// Data that matters.
    Prod,
}

/// What becomes of stored data when the instance is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// The claim and the instance Secret stay.
    #[default]
    Retain,
    /// The claim and the instance Secret go with the instance.
    Delete,
}

/// Reserved knobs for scaling.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Scale {
    /// Reserved for the backend; see `spec.scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendScale>,
}

/// Reserved knobs for scaling the backend.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BackendScale {
    /// Reserved: a CPU utilisation in percent. It has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub cpu_target_utilization: Option<i32>,
    /// Reserved: a memory bound as a quantity. It has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub max_memory: Option<String>,
}
