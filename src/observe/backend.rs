//! What the `StatefulSet` asks for and what its pod is, as the machine counts them.

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{Container, Pod, PodSpec},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use statemachine::{
    observed::{self, Health},
    pins::{Backend, Release, Store},
};

use kube::ResourceExt;

use super::{Answer, Children, children::stores};
use crate::plan::{backend::CONTAINER, deed::Deed, labels};

/// What the `StatefulSet` asks for, once its controller has seen it, and it and the gate say so under this fence.
pub(super) fn asked(children: &Children, fence: &str) -> Option<Backend> {
    let set = children.stateful_set.as_deref().filter(|_| children.set_carries(fence))?;
    let record = children.record().filter(|it| it.open && children.gate_carries(fence))?;
    let asked = (replicas(set) > 0 && is_observed(set)).then(|| template(set))?;
    asked.filter(|it| *it == record.backend)
}

/// Whether the `StatefulSet` asks for no pod at all, its controller has seen that, and the gate is closed, all of it
/// under this fence.
pub(super) fn is_stopped(children: &Children, fence: &str) -> bool {
    let set = children.stateful_set.as_deref().filter(|_| children.set_carries(fence));
    set.is_some_and(|set| replicas(set) == 0 && is_observed(set)) && is_shut(children, fence)
}

/// Whether the gate is closed under this fence.
pub(super) fn is_shut(children: &Children, fence: &str) -> bool {
    children.record().is_some_and(|it| !it.open) && children.gate_carries(fence)
}

/// Whether a pod is asked for, or will be as soon as the controller has looked.
pub(super) fn is_started(children: &Children) -> bool {
    children.stateful_set.as_deref().is_some_and(|set| replicas(set) > 0)
}

/// What the data belongs to, as a lost status is rebuilt: the store that it is in, with the release that last opened it by
/// the record, or else by the stamp of its claim. What the `StatefulSet` says comes last: it may lead to a store that was
/// never served from.
pub(super) fn found(children: &Children) -> Option<Backend> {
    let record = children.record();
    // What an earlier instance has left that let nobody in is as new, with a volume beside it too.
    let unserved = |it: &Deed| !it.own && !it.is_inherited();
    if record.is_none() && children.deed.as_ref().is_some_and(unserved) {
        return None;
    }
    let Some((store, claim)) = stores::newest_sealed(&children.claims, record.as_ref()) else {
        let template = || template(children.stateful_set.as_deref()?);
        let recorded = record.map(|it| it.at(&it.home()).unwrap_or(it.backend));
        let deed = || children.deed.as_ref().map(Deed::backend);
        return recorded.or_else(deed).or_else(template);
    };
    // A claim that is taken over is the original store of its new instance, whatever it was to the one before.
    let stamped = || Some(Backend { store: store.clone(), ..stamp(&claim.metadata)? });
    record.and_then(|it| it.at(store)).or_else(stamped)
}

/// Every pod that is not fully gone, and how it is; one that serves may not be migrated yet.
pub(super) fn pods(
    children: &Children,
    answer: Option<&Answer>,
    unmigrated: bool,
) -> Vec<observed::Pod> {
    let set = children.stateful_set.as_deref();
    let seen = |pod: &Pod| {
        let unreached = children.unreached.contains(&pod.name_any());
        let health = match health(pod, answer) {
            Health::Serving if unreached || is_outdated(pod, set) => Health::Starting,
            Health::Serving if unmigrated => Health::Migrating,
            health => health,
        };
        observed::Pod { backend: of_pod(pod), health }
    };
    children.pods.iter().map(|pod| seen(pod)).collect()
}

/// Whether the pod was made from an older template than the one that is asked for now.
pub(super) fn is_outdated(pod: &Pod, set: Option<&StatefulSet>) -> bool {
    let wanted = set.and_then(|set| set.status.as_ref()?.update_revision.as_ref());
    let made = pod.metadata.labels.as_ref().and_then(|it| it.get("controller-revision-hash"));
    wanted.is_some() && made.is_some() && wanted != made
}

/// Whether the backend is meant to be there and is not.
pub(super) fn is_away(children: &Children) -> bool {
    let wanted = children.stateful_set.as_deref().is_none_or(|set| replicas(set) > 0);
    wanted && !children.pods.iter().any(|pod| is_ready(pod))
}

/// Whether Kubernetes holds the pod for ready.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
    let ready = conditions.into_iter().flatten().find(|it| it.type_ == "Ready");
    pod.metadata.deletion_timestamp.is_none() && ready.is_some_and(|it| it.status == "True")
}

fn health(pod: &Pod, answer: Option<&Answer>) -> Health {
    if pod.metadata.deletion_timestamp.is_some() {
        return Health::Terminating;
    }
    let version = of_pod(pod).release.version;
    let serves = answer.is_some_and(|it| it.serves(pod, &version));
    if is_ready(pod) && serves { Health::Serving } else { Health::Starting }
}

fn replicas(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

fn is_observed(set: &StatefulSet) -> bool {
    let seen = set.status.as_ref().and_then(|status| status.observed_generation);
    seen >= set.metadata.generation
}

/// What the `StatefulSet` asks for.
pub(super) fn template(set: &StatefulSet) -> Option<Backend> {
    let template = &set.spec.as_ref()?.template;
    Some(of(template.metadata.as_ref()?, template.spec.as_ref()?))
}

/// What this pod runs on which store.
pub(super) fn of_pod(pod: &Pod) -> Backend {
    pod.spec.as_ref().map(|spec| of(&pod.metadata, spec)).unwrap_or_default()
}

/// The image is read from where it is run, so that a hand that edits it is seen.
fn of(meta: &ObjectMeta, spec: &PodSpec) -> Backend {
    let image = |it: &Container| it.image.clone().filter(|_| it.name == CONTAINER);
    Backend {
        release: Release {
            version: annotation(meta, labels::VERSION).unwrap_or_default(),
            image: spec.containers.iter().find_map(image).unwrap_or_default(),
            engine: annotation(meta, labels::ENGINE).unwrap_or_default(),
        },
        store: store(meta),
    }
}

fn stamp(meta: &ObjectMeta) -> Option<Backend> {
    Some(Backend {
        release: Release {
            version: annotation(meta, labels::VERSION)?,
            image: annotation(meta, labels::IMAGE)?,
            engine: annotation(meta, labels::ENGINE)?,
        },
        store: store(meta),
    })
}

fn store(meta: &ObjectMeta) -> Store {
    annotation(meta, labels::STORE).and_then(|it| Store::try_from(it).ok()).unwrap_or_default()
}

fn annotation(meta: &ObjectMeta, key: &str) -> Option<String> {
    meta.annotations.as_ref()?.get(key).cloned()
}

#[cfg(test)]
mod tests;
