//! What still has to go before an instance can.

use k8s_openapi::api::core::v1::Pod;
use kube::{Resource, ResourceExt};

use super::{Children, keys};
use crate::{
    api::ConvexInstance,
    plan::{
        self,
        labels::{self, Belongs},
        names::Names,
    },
};

/// The children that a deletion waits for, by kind and name.
pub(super) fn leftovers(
    instance: &ConvexInstance,
    children: &Children,
    keys: &keys::Seen,
) -> Vec<String> {
    let mut left = Vec::new();
    let pods = children.pods.iter().chain(&children.dashboard_pods);
    left.extend(pods.map(|pod| held(pod)));
    left.extend(children.stateful_set.iter().map(|it| named("statefulset", it.as_ref())));
    left.extend(children.dashboard.iter().map(|it| named("deployment", it.as_ref())));
    left.extend(children.service.iter().map(|it| named("service", it.as_ref())));
    left.extend(children.dashboard_service.iter().map(|it| named("service", it.as_ref())));
    let accounts = children.service_accounts.iter();
    left.extend(accounts.map(|it| named("serviceaccount", it.as_ref())));
    let policies = children.network_policies.iter();
    left.extend(policies.map(|it| named("networkpolicy", it.as_ref())));
    let budgets = children.budgets.iter();
    left.extend(budgets.map(|it| named("poddisruptionbudget", it.as_ref())));
    left.extend(children.ingress.iter().map(|it| named("ingress", it.as_ref())));
    left.extend(children.gateway.iter().map(|it| named("gateway", it.as_ref())));
    left.extend(children.routes.iter().map(|it| named("httproute", it.as_ref())));
    left.extend(children.policies.iter().map(|it| named("clientsettingspolicy", it.as_ref())));
    let goes = plan::data_goes(instance);
    let claims = children.claims.iter().map(|(_, claim)| claim);
    let ours =
        claims.filter(|claim| goes && labels::belongs(instance, &claim.metadata) == Belongs::Ours);
    left.extend(ours.map(|it| named("persistentvolumeclaim", it.as_ref())));
    left.extend(goes.then(|| children.exports.leftover(instance)).flatten());
    let kept = Names::of(&instance.name_any()).instance_secret();
    let backend = &instance.spec.backend;
    let keeps = !goes && (backend.storage.pvc.enabled || backend.db.is_server());
    let secrets = keys.stored.iter().filter(|name| !(keeps && **name == kept));
    left.extend(secrets.map(|name| format!("secret/{name}")));
    left
}

/// A pod, and what keeps it where nobody has asked it to end.
fn held(pod: &Pod) -> String {
    let name = named("pod", pod);
    let controller = pod.owner_references().iter().find(|it| it.controller == Some(true));
    match controller {
        _ if pod.metadata.deletion_timestamp.is_some() => name,
        Some(it) => format!("{name} (kept by {} {})", it.kind, it.name),
        None => format!("{name} (kept by nobody: delete it)"),
    }
}

fn named<K: Resource>(kind: &str, child: &K) -> String {
    format!("{kind}/{}", child.name_any())
}

#[cfg(test)]
mod tests;
