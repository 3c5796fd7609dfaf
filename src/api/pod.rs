//! What the pods of a part are besides what runs in them, in Kubernetes' own words: the same for backend and dashboard.
//!
//! What is not here cannot be asked for: no namespace of a host, no path of a node, no node by its name, no token, and
//! no other container.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, LocalObjectReference, Toleration, TopologySpreadConstraint,
};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{ExtraMount, ExtraVolume, schema};

/// The pods of a part: where they run, as whom, and what else is mounted.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.volumeMounts) || self.volumeMounts.all(mount, has(self.volumes) && self.volumes.exists(volume, volume.name == mount.name))")
    .message("every mount takes one of the volumes beside it by its name: add the volume to volumes, or remove the mount"))]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// Labels of the pods, beside the operator's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::pod_labels")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the pods, beside the operator's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::pod_annotations")]
    pub annotations: BTreeMap<String, String>,
    /// Secrets of this namespace with which images are pulled. The Jobs of upgrades have those of the backend, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pull_secrets")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Labels that a node must have. The Jobs of upgrades run where the backend may.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::node_selector")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that are put up with, other than those of the control plane. The Jobs of upgrades have those of the backend, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::tolerations")]
    pub tolerations: Vec<Toleration>,
    /// Which nodes and which other pods of this namespace are sought and avoided. The Jobs of upgrades follow the backend's `nodeAffinity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::affinity")]
    pub affinity: Option<Affinity>,
    /// How pods are spread over nodes and zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::spread")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// The `PriorityClass` of the pods, which has to exist. The Jobs of upgrades have that of the backend, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::priority_class")]
    pub priority_class_name: Option<String>,
    /// As whom the pods are known to the cluster and to clouds. Default: the account `default` of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccount>,
    /// Further volumes. `hostPath` is not to be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::volumes")]
    pub volumes: Vec<ExtraVolume>,
    /// Where those volumes are mounted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::volume_mounts")]
    pub volume_mounts: Vec<ExtraMount>,
}

/// As whom pods are known. They never have a token of the API server; what a cloud's own webhook puts into them for an
/// identity of the cloud's does not depend on that.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("has(self.name) != (has(self.annotations) && size(self.annotations) > 0)")
    .message("give either the name of an account that exists, or annotations with which the operator makes one"))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    /// An account of this namespace that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub name: Option<String>,
    /// Annotations of an account that the operator makes, such as `eks.amazonaws.com/role-arn`. It is bound to no role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::annotations")]
    pub annotations: BTreeMap<String, String>,
}

impl ServiceAccount {
    /// Whether the operator makes it.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.name.is_none() && !self.annotations.is_empty()
    }
}

/// How many pods a drain of nodes leaves.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(validation = Rule::new("has(self.minAvailable) != has(self.maxUnavailable)")
    .message("a budget says one of the two: give minAvailable or maxUnavailable"))]
#[serde(rename_all = "camelCase")]
pub struct DisruptionBudget {
    /// How many pods stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub min_available: Option<i32>,
    /// How many pods may go at a time. 0 lets no node be drained that one of them is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub max_unavailable: Option<i32>,
}
