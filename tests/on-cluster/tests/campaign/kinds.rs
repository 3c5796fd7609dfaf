//! What an operator makes: it is listed in the end, and counted all the time.

use convex_operator::rbac::{RULES, Scope, Verb};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service},
};
use kube::core::ApiResource;

/// Every kind of which an operator makes some. Events are left out: they change nothing, and one may be lost with the
/// operator that was about to tell it.
pub fn made() -> [ApiResource; 7] {
    [
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<PersistentVolumeClaim>(&()),
        ApiResource::erase::<Secret>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}

#[test]
fn everything_that_an_operator_may_make_for_an_instance_is_counted() {
    let makes = RULES.iter().filter(|it| it.verbs.contains(&Verb::Create));
    let here = makes.filter(|it| matches!(it.scope, Scope::Watched));
    let resources = here.flat_map(|it| it.resources).copied();
    let mut allowed: Vec<_> = resources.filter(|it| *it != "events").collect();
    allowed.sort_unstable();
    assert_eq!(allowed, made().map(|it| it.plural));
}
