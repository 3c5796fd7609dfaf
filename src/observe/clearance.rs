//! What still has to go before an instance can.

use kube::{Resource, ResourceExt};

use super::{Children, keys};
use crate::{
    api::{ConvexInstance, DeletionPolicy},
    plan::labels::{self, Belongs},
    plan::names::Names,
};

/// The children that a deletion waits for, by kind and name.
pub(super) fn leftovers(
    instance: &ConvexInstance,
    children: &Children,
    keys: &keys::Seen,
) -> Vec<String> {
    let mut left = Vec::new();
    left.extend(children.pods.iter().map(|it| named("pod", it.as_ref())));
    left.extend(children.dashboard_pods.iter().map(|it| named("pod", it.as_ref())));
    left.extend(children.stateful_set.iter().map(|it| named("statefulset", it.as_ref())));
    left.extend(children.dashboard.iter().map(|it| named("deployment", it.as_ref())));
    left.extend(children.service.iter().map(|it| named("service", it.as_ref())));
    left.extend(children.dashboard_service.iter().map(|it| named("service", it.as_ref())));
    left.extend(children.config.iter().map(|it| named("configmap", it.as_ref())));
    let goes = instance.spec.deletion_policy == DeletionPolicy::Delete;
    let claim = children
        .claim
        .iter()
        .filter(|claim| goes && labels::belongs(instance, &claim.metadata) == Belongs::Ours);
    left.extend(claim.map(|it| named("persistentvolumeclaim", it.as_ref())));
    let kept = Names::of(&instance.name_any()).instance_secret();
    let keeps = !goes && instance.spec.backend.storage.pvc.enabled;
    let secrets = keys.stored.iter().filter(|name| !(keeps && **name == kept));
    left.extend(secrets.map(|name| format!("secret/{name}")));
    left
}

fn named<K: Resource>(kind: &str, child: &K) -> String {
    format!("{kind}/{}", child.name_any())
}

#[cfg(test)]
mod tests;
