//! `spec.backend.storage` and `spec.backend.s3`: where bytes are kept.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// Where files and, with sqlite, documents are kept.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("self.mode == oldSelf.mode")
    .message("the storage mode is pinned in the data and cannot change; create a new instance and import an export into it"))]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// `sqlite` (default) keeps everything on a volume, `external` keeps documents in a database server. Cannot change.
    #[serde(default)]
    pub mode: StorageMode,
    /// The volume of the instance.
    #[serde(default)]
    pub pvc: Claim,
}

/// Where documents are kept.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum StorageMode {
    /// On the instance's own volume.
    #[default]
    Sqlite,
    /// In a database server.
    External,
}

/// The volume of the instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("self.enabled == oldSelf.enabled")
    .message("the volume holds the data and can neither be added nor taken away; create a new instance and import an export into it"))]
#[x_kube(validation = Rule::new("has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)")
    .message("a claim cannot change its storage class; create a new instance with the class and import an export into it"))]
#[x_kube(validation = Rule::new("self.enabled || !has(self.existingClaim)")
    .message("existingClaim names a volume and enabled: false asks for none; leave one of the two out"))]
#[x_kube(validation = Rule::new("has(self.existingClaim) == has(oldSelf.existingClaim) && (!has(self.existingClaim) || self.existingClaim == oldSelf.existingClaim)")
    .message("existingClaim says where the data is and cannot change; create a new instance that takes the other claim over"))]
#[x_kube(validation = Rule::new("has(oldSelf.size) ? !isQuantity(oldSelf.size) || (has(self.size) && (!isQuantity(self.size) || quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0)) : !has(self.size) || has(self.existingClaim) || !isQuantity(self.size) || quantity(self.size).compareTo(quantity('10Gi')) >= 0")
    .message("a volume can grow and not shrink; set spec.backend.storage.pvc.size back to what it was, or more"))]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Whether there is a volume. Default true; false keeps the data in the pod, which loses it with the pod, and is refused in prod. Cannot change.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The storage class of the claim. Default: the default class of the cluster. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub storage_class_name: Option<String>,
    /// The size of the volume as a quantity, for example `100Gi`. Default 10Gi, and with `existingClaim` what that has. It may only grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = Rule::new("isQuantity(self) && quantity(self).isGreaterThan(quantity('0')) && quantity(self).isLessThan(quantity('1Ei'))")
        .message("must be a quantity greater than 0 and less than 1Ei, for example 100Gi"))]
    pub size: Option<String>,
    /// An existing claim of this namespace to take over, such as the one that an earlier instance of this name left behind. It stays whatever `deletionPolicy` says, and so does the Secret of its data. Default: the claim `<name>-data` is made. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub existing_claim: Option<String>,
}

fn enabled() -> bool {
    true
}

impl Default for Claim {
    fn default() -> Self {
        Self { enabled: enabled(), storage_class_name: None, size: None, existing_claim: None }
    }
}

/// Object storage for files, modules, exports and search indexes.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("!self.enabled || (has(self.autoDetectOBC) && self.autoDetectOBC && (has(self.secretRef) || has(self.configMapRef))) || (has(self.accessKeyIdKey) == has(self.secretAccessKeyKey) && (has(self.secretRef) || !(has(self.accessKeyIdKey) || has(self.bucketKey) || has(self.endpointKey) || has(self.regionKey))) && (has(self.bucketKey) || has(self.bucket) || has(self.buckets) || has(self.configMapRef)) && (has(self.endpointKey) || has(self.endpoint) || has(self.configMapRef) || (has(self.emitS3EndpointUrl) && !self.emitS3EndpointUrl)))")
    .message("object storage needs secretRef, accessKeyIdKey, secretAccessKeyKey (or none of these three, with spec.backend.pod.serviceAccount), bucketKey or bucket or buckets, and endpointKey or endpoint: name what is missing, or set autoDetectOBC together with secretRef or configMapRef, or set spec.backend.s3.enabled to false"))]
#[x_kube(validation = Rule::new("!has(self.buckets) || !(has(self.bucket) || has(self.bucketKey))")
    .message("buckets names one bucket for each purpose, bucket and bucketKey one for all of them; leave one of the two ways out"))]
#[x_kube(validation = Rule::new("!self.enabled || !has(self.emitS3EndpointUrl) || self.emitS3EndpointUrl || has(self.region) || has(self.regionKey) || has(self.configMapRef) || (has(self.autoDetectOBC) && self.autoDetectOBC)")
    .message("AWS itself is reached by its region: set spec.backend.s3.region or spec.backend.s3.regionKey"))]
#[x_kube(validation = Rule::new("self.enabled == oldSelf.enabled")
    .message("where files are kept is pinned in the data and cannot change; create a new instance and import an export into it"))]
#[serde(rename_all = "camelCase")]
pub struct S3 {
    /// Whether object storage is used. Default false. Cannot change.
    #[serde(default)]
    pub enabled: bool,
    /// The Secret of this namespace that holds endpoint and credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub secret_ref: Option<String>,
    /// The key of `secretRef` that holds the endpoint's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub endpoint_key: Option<String>,
    /// The key of `secretRef` that holds the access key id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub access_key_id_key: Option<String>,
    /// The key of `secretRef` that holds the secret access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub secret_access_key_key: Option<String>,
    /// The key of `secretRef` that holds the bucket's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub bucket_key: Option<String>,
    /// The key of `secretRef` that holds the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub region_key: Option<String>,
    /// The region, where it is not in the Secret. Default with an endpoint: us-east-1, which servers other than AWS take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub region: Option<String>,
    /// The endpoint's URL, where it is not in the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::endpoint")]
    pub endpoint: Option<String>,
    /// The bucket's name, where it is not in the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::bucket")]
    pub bucket: Option<String>,
    /// One bucket for each purpose, instead of one for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Buckets>,
    /// A `ConfigMap` of this namespace that holds bucket and endpoint, as an `ObjectBucketClaim` makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub config_map_ref: Option<String>,
    /// Whether the endpoint is told to the backend. Default true; false for AWS itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emit_s3_endpoint_url: Option<bool>,
    /// Whether `ConfigMap` and Secret of an `ObjectBucketClaim` are recognised by their common name.
    #[serde(default, rename = "autoDetectOBC", skip_serializing_if = "Option::is_none")]
    pub auto_detect_obc: Option<bool>,
    /// Whether buckets are part of the path and not of the host, as Ceph and most others besides AWS want it. Default: true with `autoDetectOBC`, else false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_path_style: Option<bool>,
    /// Whether objects are stored without asking for server-side encryption, which not every server knows. Default false.
    #[serde(default, rename = "disableSSE", skip_serializing_if = "Option::is_none")]
    pub disable_sse: Option<bool>,
    /// Whether objects are sent without the checksums that not every server knows. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_checksums: Option<bool>,
}

/// One bucket for each purpose. Every one of them has to exist.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Buckets {
    /// For what `npx convex export` makes.
    #[schemars(schema_with = "schema::bucket")]
    pub exports: String,
    /// For the files of users.
    #[schemars(schema_with = "schema::bucket")]
    pub files: String,
    /// For deployed functions.
    #[schemars(schema_with = "schema::bucket")]
    pub modules: String,
    /// For search indexes.
    #[schemars(schema_with = "schema::bucket")]
    pub search: String,
    /// For what `npx convex import` uploads.
    #[schemars(schema_with = "schema::bucket")]
    pub snapshot_imports: String,
}
