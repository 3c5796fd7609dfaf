//! `spec.dashboard`: a stateless web page that talks to the backend from the browser.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSecurityContext, ResourceRequirements, SecurityContext};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{DisruptionBudget, Pod, confinement, schema};

/// The dashboard.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Whether there is a dashboard. Default true; it can be toggled at any time.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The image, by tag or by digest. Default: the operator's dashboard repository at the version that the backend runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::image")]
    pub image: Option<String>,
    /// How many pods serve the page. Default 1.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 10))]
    pub replicas: i32,
    /// Requests and limits of the dashboard container. Default in prod: requests of 50m CPU and 128Mi memory; in dev none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::compact::<ResourceRequirements>")]
    pub resources: Option<ResourceRequirements>,
    /// Puts the admin key into the page, readable for everybody who can open it. Default false. A condition says so while it is on.
    #[serde(default)]
    pub prefill_admin_key: bool,
    /// Where the pods run, as whom, and what else is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Pod>,
    /// How many pods a drain of nodes leaves. Default: no budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_disruption_budget: Option<DisruptionBudget>,
    /// How the pods are confined.
    #[serde(default)]
    pub security: DashboardSecurity,
    /// How the Service of the dashboard is exposed, for a load balancer of a private network such as a tailnet.
    #[serde(default)]
    pub service: DashboardService,
}

/// How the Service of the dashboard is exposed.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new("!has(self.annotations) || self.annotations.all(key, !key.startsWith('convex.icod.de/'))")
    .message("annotations of convex.icod.de are the operator's own: leave them out"))]
#[serde(rename_all = "camelCase")]
pub struct DashboardService {
    /// Annotations that are passed to the Service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::annotations")]
    pub annotations: BTreeMap<String, String>,
    /// The class of the load balancer that the Service asks for, such as `tailscale`; it makes the Service one of type `LoadBalancer`.
    /// Left out, the Service is reached inside the cluster only. To change it, leave it out first: Kubernetes does not let it change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::class")]
    pub load_balancer_class: Option<String>,
}

impl Dashboard {
    /// The dashboard that an instance has where its spec does not mention one.
    #[must_use]
    pub fn enabled() -> Self {
        Self {
            enabled: true,
            image: None,
            replicas: one(),
            resources: None,
            prefill_admin_key: false,
            pod: None,
            pod_disruption_budget: None,
            security: DashboardSecurity::default(),
            service: DashboardService::default(),
        }
    }
}

fn yes() -> bool {
    true
}

fn one() -> i32 {
    1
}

/// How the dashboard's pods are confined.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new(confinement::POWERLESS)
    .message("the dashboard needs no privileges: remove privileged, allowPrivilegeEscalation, procMount and capabilities.add from spec.dashboard.security.container, and keep ALL in its capabilities.drop"))]
#[x_kube(validation = Rule::new(confinement::CONFINED)
    .message("pods of the dashboard stay confined: remove sysctls, Unconfined profiles, and users, roles and types of SELinux other than those of containers from spec.dashboard.security"))]
#[x_kube(validation = Rule::new(confinement::NOT_ROOT)
    .message("user 0 is root: name another user, and leave runAsNonRoot out of spec.dashboard.security"))]
#[serde(rename_all = "camelCase")]
pub struct DashboardSecurity {
    /// Settings that are laid over the pods' own security context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::compact::<PodSecurityContext>")]
    pub pod: Option<PodSecurityContext>,
    /// Settings that are laid over the container's own security context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::compact::<SecurityContext>")]
    pub container: Option<SecurityContext>,
}
