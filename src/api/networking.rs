//! `spec.networking`: how clients reach the instance.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// How clients reach the instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Networking {
    /// The host name of the API, without scheme or path, for example `api.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::host")]
    pub host: Option<String>,
    /// The host name of HTTP actions. Default: `https://<host>/http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::host")]
    pub site_host: Option<String>,
    /// The host name of the dashboard. Default: the dashboard is not exposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::host")]
    pub dashboard_host: Option<String>,
    /// The TLS Secret of this namespace for an own Gateway or Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub tls_secret_ref: Option<String>,
    /// The class of an own Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub gateway_class_name: Option<String>,
    /// Annotations that are passed to an own Gateway.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::annotations")]
    pub gateway_annotations: BTreeMap<String, String>,
    /// Shared Gateways that routes are attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub parent_refs: Vec<ParentRef>,
    /// The URL of the API as browsers reach it, told to the dashboard. Default: follows from the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::origin")]
    pub deployment_url: Option<String>,
    /// `CONVEX_CLOUD_ORIGIN` of the backend: the public origin of its API. Default: follows from the host, else the Service inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::origin")]
    pub cloud_origin: Option<String>,
    /// `CONVEX_SITE_ORIGIN` of the backend: the public origin of HTTP actions. Default: follows from the host, else the Service inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::url")]
    pub site_origin: Option<String>,
}

/// A shared Gateway that routes are attached to.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// The name of the Gateway.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// The namespace of the Gateway. Default: the namespace of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub namespace: Option<String>,
    /// The listener of the Gateway. Default: every listener that admits the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub section_name: Option<String>,
}
