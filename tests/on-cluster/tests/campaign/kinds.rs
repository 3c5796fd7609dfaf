//! What an operator makes: it is listed in the end, and counted all the time.

use convex_operator::rbac::{RULES, Scope, Verb};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};
use kube::core::ApiResource;

/// Every kind of which an operator makes some on any cluster. Events are left out: they change nothing, and one may be lost with
/// the operator that was about to tell it.
pub fn made() -> [ApiResource; 11] {
    [
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<Ingress>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<PersistentVolumeClaim>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<Secret>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}

/// What it makes besides where there is a Gateway API. The cluster of the campaign has none, and could not be asked for them.
const OF_THE_GATEWAY_API: [&str; 3] = ["clientsettingspolicies", "gateways", "httproutes"];

#[test]
fn everything_that_an_operator_may_make_for_an_instance_is_counted() {
    let makes = RULES.iter().filter(|it| it.verbs.contains(&Verb::Create));
    let here = makes.filter(|it| matches!(it.scope, Scope::Watched));
    let resources = here.flat_map(|it| it.resources).copied();
    let mut allowed: Vec<_> = resources.filter(|it| *it != "events").collect();
    allowed.sort_unstable();
    let counted = made().map(|it| it.plural);
    let mut known: Vec<_> = counted.iter().map(String::as_str).chain(OF_THE_GATEWAY_API).collect();
    known.sort_unstable();
    assert_eq!(allowed, known);
}
