//! `spec.backend`: the one process that owns the data.

use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, PodSecurityContext, ResourceRequirements, SecurityContext,
};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Database, DisruptionBudget, Logging, Metrics, Pod, S3, Storage, Tuning, confinement, schema,
};

/// The backend: the one process that owns the data.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.security) || self.security.profile != 'Image' || (has(oldSelf.security) && oldSelf.security.profile == 'Image')")
    .message("root without capabilities cannot write what a user that is not root has made; leave spec.backend.security.profile at Restricted, or create a new instance and import an export into it"))]
#[x_kube(validation = Rule::new("self.db.engine == 'sqlite' || self.s3.enabled || self.storage.pvc.enabled")
    .message("a database server holds documents only; modules and files need object storage or a volume: set spec.backend.s3.enabled or spec.backend.storage.pvc.enabled to true"))]
#[x_kube(validation = Rule::new("!self.s3.enabled || has(self.s3.accessKeyIdKey) || (has(self.s3.autoDetectOBC) && self.s3.autoDetectOBC) || (has(self.pod) && has(self.pod.serviceAccount))")
    .message("object storage without keys knows the backend by its ServiceAccount: set spec.backend.pod.serviceAccount, or accessKeyIdKey and secretAccessKeyKey of spec.backend.s3"))]
#[x_kube(validation = Rule::new("self.db.engine != 'sqlite' || !has(self.tuning.maxDatabaseConnections)")
    .message("sqlite is in the backend's own process and has no connections: remove spec.backend.tuning.maxDatabaseConnections"))]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// The image, by tag or by digest. Default: the operator's backend repository at `spec.version`. Changing it starts an upgrade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::image")]
    pub image: Option<String>,
    /// Requests and limits of the backend container. Default in prod: requests of 500m CPU and 1Gi memory; in dev none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::compact::<ResourceRequirements>")]
    pub resources: Option<ResourceRequirements>,
    /// The name and the secret that admin keys are made of. Default: both are made by the operator and kept in the Secret `<name>-instance`.
    #[serde(default)]
    pub instance: Instance,
    /// The database that holds the documents.
    pub db: Database,
    /// Where files and, with sqlite, documents are kept.
    #[serde(default)]
    pub storage: Storage,
    /// Object storage for files, modules, exports and search indexes.
    #[serde(default)]
    pub s3: S3,
    /// Further environment of the backend container. Names that the operator or the image sets itself are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
    /// Further environment from all keys of Secrets and `ConfigMap`s of this namespace; `env` counts before it. A key that makes a refused name is said and keeps the backend as it is. A change restarts the backend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env_from")]
    pub env_from: Vec<EnvFromSource>,
    /// Where the pod runs, as whom, and what else is mounted. A change restarts the backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Pod>,
    /// Whether a node may be drained that the backend is on. Default: no budget, it may. There is one pod: `maxUnavailable: 0` or `minAvailable: 1` keeps every drain waiting until somebody suspends the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_disruption_budget: Option<DisruptionBudget>,
    /// How much the backend does at a time, and for how long it keeps what. A change restarts the backend.
    #[serde(default)]
    pub tuning: Tuning,
    /// What the backend tells those who measure it.
    #[serde(default)]
    pub metrics: Metrics,
    /// How the pod is confined. Default: the restricted Pod Security Standard, as a user that is not root.
    #[serde(default)]
    pub security: Security,
    /// What the backend tells its makers.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// What the backend logs, and to whom.
    #[serde(default)]
    pub logging: Logging,
}

/// The name and the secret that admin keys are made of.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.secretKey) || has(self.secretRef)")
    .message("secretKey names a key of secretRef: set spec.backend.instance.secretRef too"))]
#[x_kube(validation = Rule::new("has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)")
    .message("spec.backend.instance.name is part of every admin key and of the stored data and cannot change; create a new instance and import an export into it"))]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// `INSTANCE_NAME` of the backend; part of every admin key. Default: the name of the resource. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$')")
        .message("must be a-z, 0-9, '-' and '_', beginning and ending with a letter or digit"))]
    pub name: Option<String>,
    /// An existing Secret of this namespace that holds `INSTANCE_SECRET`, for sealed secrets or for adopting a deployment. It is read, never written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub secret_ref: Option<String>,
    /// The key of `secretRef` that holds 64 hexadecimal characters. Default: `INSTANCE_SECRET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub secret_key: Option<String>,
}

/// How the backend's pod is confined.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new(confinement::POWERLESS)
    .message("the backend needs no privileges: remove privileged, allowPrivilegeEscalation, procMount and capabilities.add from spec.backend.security.container, and keep ALL in its capabilities.drop"))]
#[x_kube(validation = Rule::new(confinement::CONFINED)
    .message("pods of the backend stay confined: remove sysctls, Unconfined profiles, and users, roles and types of SELinux other than those of containers from spec.backend.security"))]
#[x_kube(validation = Rule::new(format!("self.profile == 'Image' || ({})", confinement::NOT_ROOT))
    .message("user 0 is root: set spec.backend.security.profile to Image to run the image as it is, or name another user and leave runAsNonRoot out"))]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// `Restricted` (default) runs the backend as a user that is not root, from a copy of its files; `Image` runs the image as it is, as root with all capabilities dropped.
    #[serde(default)]
    pub profile: Profile,
    /// Settings that are laid over the pod's own security context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::compact::<PodSecurityContext>")]
    pub pod: Option<PodSecurityContext>,
    /// Settings that are laid over the container's own security context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::compact::<SecurityContext>")]
    pub container: Option<SecurityContext>,
}

/// Which user the backend runs as.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// A user that is not root; the pod passes the restricted Pod Security Standard.
    #[default]
    Restricted,
    /// The user of the image, which is root.
    Image,
}

/// What the backend tells its makers.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Telemetry {
    /// Turns off the anonymous usage beacon that the backend sends every hour. Default false.
    #[serde(default)]
    pub disable_beacon: bool,
}
