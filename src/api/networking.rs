//! `spec.networking`: how clients reach the instance.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// How clients reach the instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.mode) || [has(self.parentRefs), has(self.gatewayClassName), has(self.ingress)].filter(given, given).size() <= 1")
    .message("parentRefs, gatewayClassName and ingress are three ways in: give one of them, or say in mode which one counts."))]
#[x_kube(validation = Rule::new("!has(self.mode) || self.mode != 'Shared' || has(self.parentRefs)")
    .message("mode Shared needs parentRefs: the Gateways that routes are attached to."))]
#[x_kube(validation = Rule::new("!has(self.mode) || self.mode != 'OwnGateway' || has(self.gatewayClassName)")
    .message("mode OwnGateway needs gatewayClassName: who serves the Gateway."))]
#[x_kube(validation = Rule::new("has(self.host) || (has(self.mode) ? self.mode == 'None' : !(has(self.parentRefs) || has(self.gatewayClassName) || has(self.ingress)))")
    .message("a way in needs host: set spec.networking.host to the host name of the API, or mode to None."))]
#[x_kube(validation = Rule::new("(!has(self.gatewayAnnotations) || self.gatewayAnnotations.all(key, !key.contains('snippet') && !key.startsWith('convex.icod.de/'))) && (!has(self.ingress) || !has(self.ingress.annotations) || self.ingress.annotations.all(key, !key.contains('snippet') && !key.startsWith('convex.icod.de/')))")
    .message("snippets of a proxy's configuration reach what their author may not, and annotations of convex.icod.de are the operator's own: remove them."))]
#[x_kube(validation = Rule::new("!(has(self.siteHost) || has(self.dashboardHost)) || has(self.host)")
    .message("siteHost and dashboardHost need host: the dashboard and the functions have to know where the API is."))]
#[x_kube(validation = Rule::new("!has(self.host) || (!has(self.siteHost) || self.siteHost != self.host) && (!has(self.dashboardHost) || self.dashboardHost != self.host) && (!has(self.siteHost) || !has(self.dashboardHost) || self.siteHost != self.dashboardHost)")
    .message("host, siteHost and dashboardHost are three hosts: each needs a name of its own."))]
pub struct Networking {
    /// The way in. Default: `Shared` with parentRefs, `OwnGateway` with gatewayClassName, `Ingress` with ingress, else `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
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
    /// An Ingress, where the cluster has no Gateway API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// Shared Gateways that routes are attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 8))]
    pub parent_refs: Vec<ParentRef>,
    /// Whether what no field of the Gateway API can say is said by the policies of a vendor, where the cluster has them: that NGINX
    /// Gateway Fabric lets bodies of more than 1 MiB through. Default `Auto`; with `"Off"` none is made.
    #[serde(default)]
    pub vendor_policies: VendorPolicies,
    /// The URL of the API as browsers reach it, told to the dashboard. Default: follows from the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::origin")]
    pub deployment_url: Option<String>,
    /// `CONVEX_CLOUD_ORIGIN` of the backend: the public origin of its API. Default: follows from the host, else the Service inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::origin")]
    pub cloud_origin: Option<String>,
    /// `CONVEX_SITE_ORIGIN` of the backend: the public origin of HTTP actions. Default: that of `siteHost`, else `/http` below `cloudOrigin` or the host, else the Service inside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::url")]
    pub site_origin: Option<String>,
}

/// The way in from outside the cluster.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Routes of the instance are attached to Gateways that others look after.
    Shared,
    /// A Gateway of its own.
    OwnGateway,
    /// An Ingress of its own.
    Ingress,
    /// None: it is reached inside the cluster only.
    #[default]
    None,
}

/// Whether policies of vendors are made.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VendorPolicies {
    /// Where the cluster has them and the class of the Gateway is of that vendor.
    #[default]
    Auto,
    /// Never.
    Off,
}

impl Networking {
    /// The way in that is asked for; none without a host, for there is nothing to let in.
    #[must_use]
    pub const fn way_in(&self) -> Mode {
        match self.mode {
            _ if self.host.is_none() => Mode::None,
            Some(mode) => mode,
            None if !self.parent_refs.is_empty() => Mode::Shared,
            None if self.gateway_class_name.is_some() => Mode::OwnGateway,
            None if self.ingress.is_some() => Mode::Ingress,
            None => Mode::None,
        }
    }
}

/// An Ingress of its own.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    /// The class of the Ingress. Default: the cluster's default class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub class_name: Option<String>,
    /// Annotations that are passed to the Ingress.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::annotations")]
    pub annotations: BTreeMap<String, String>,
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
