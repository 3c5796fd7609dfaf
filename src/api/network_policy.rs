//! `spec.networkPolicy`: who may open connections to the pods of an instance.

use k8s_openapi::api::networking::v1::NetworkPolicyPeer;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// Who may open connections to the pods. Connections that pods open themselves are not restricted: functions call what they
/// call.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicy {
    /// Whether only those are let in who are named here. Default false. The operator and the instance's own pods are let in always; it takes a network that knows network policies.
    #[serde(default)]
    pub enabled: bool,
    /// Who is let in to the API, to HTTP actions and to the dashboard: applications, and whatever serves a Gateway or an Ingress, by its namespace. Default: every pod of the instance's namespace. An empty list: nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::peers")]
    pub from: Option<Vec<NetworkPolicyPeer>>,
}
