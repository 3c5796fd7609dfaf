//! Further volumes of pods: a few kinds of what the restricted Pod Security Standard lets in.

use k8s_openapi::api::core::v1::{
    CSIVolumeSource, ConfigMapVolumeSource, EmptyDirVolumeSource,
    PersistentVolumeClaimVolumeSource, ProjectedVolumeSource, SecretVolumeSource,
};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// A further volume of one kind.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("[has(self.configMap), has(self.secret), has(self.emptyDir), has(self.persistentVolumeClaim), has(self.projected), has(self.csi)].filter(given, given).size() == 1")
    .message("a volume is one of configMap, secret, emptyDir, persistentVolumeClaim, projected and csi; a path of a node (hostPath) is not to be had"))]
#[serde(rename_all = "camelCase")]
pub struct ExtraVolume {
    /// What mounts call it.
    #[schemars(schema_with = "schema::volume_name")]
    pub name: String,
    /// Files of a `ConfigMap` of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::terse::<ConfigMapVolumeSource>")]
    pub config_map: Option<ConfigMapVolumeSource>,
    /// Files of a Secret of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::terse::<SecretVolumeSource>")]
    pub secret: Option<SecretVolumeSource>,
    /// An empty folder that goes with the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::terse::<EmptyDirVolumeSource>")]
    pub empty_dir: Option<EmptyDirVolumeSource>,
    /// A claim of this namespace, other than those of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::terse::<PersistentVolumeClaimVolumeSource>")]
    pub persistent_volume_claim: Option<PersistentVolumeClaimVolumeSource>,
    /// Several of these in one folder; no token of a service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::projected")]
    pub projected: Option<ProjectedVolumeSource>,
    /// What a driver mounts, such as secrets of a store outside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::terse::<CSIVolumeSource>")]
    pub csi: Option<CSIVolumeSource>,
}

/// Where a further volume is mounted.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExtraMount {
    /// The name of the volume.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The folder or file in the container, where nothing of Convex, of the operator or of the system is.
    #[schemars(schema_with = "schema::mount_path")]
    pub mount_path: String,
    /// What of the volume is mounted there. Default: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::sub_path")]
    pub sub_path: Option<String>,
    /// Whether it can only be read. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
}
