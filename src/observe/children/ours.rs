//! Which of the objects that are watched are an instance's own.

use std::sync::Arc;

use k8s_openapi::{
    NamespaceResourceScope,
    api::{batch::v1::Job, core::v1::Pod},
};
use kube::{
    Resource, ResourceExt,
    runtime::reflector::{ObjectRef, Store},
};

use crate::{
    api::ConvexInstance,
    context::Optional,
    plan::{
        labels::{self, Belongs, Part},
        names::Names,
    },
};

/// The one of this name.
pub(super) fn ours<K>(store: &Store<K>, instance: &ConvexInstance, name: &str) -> Option<Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let namespace = instance.namespace().unwrap_or_default();
    let child = store.get(&ObjectRef::new(name).within(&namespace))?;
    (labels::belongs(instance, child.meta()) == Belongs::Ours).then_some(child)
}

/// Those that stand beside the pods of each part, of one kind.
pub(super) fn of_parts<K>(
    watched: &Store<K>,
    instance: &ConvexInstance,
    names: &Names,
) -> Vec<Arc<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + 'static,
{
    let parts = [Part::Backend, Part::Dashboard];
    parts.into_iter().filter_map(|it| ours(watched, instance, &names.of_part(it))).collect()
}

/// Those of this instance, by name.
pub(super) fn readable<K>(seen: &Optional<K>, instance: &ConvexInstance) -> Vec<Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let ours = |it: &K| {
        it.meta().namespace == instance.meta().namespace
            && labels::belongs(instance, it.meta()) == Belongs::Ours
    };
    let mut found: Vec<_> = seen.readable().into_iter().filter(ours).map(Arc::new).collect();
    found.sort_by_key(|it| it.name_any());
    found
}

/// All Jobs.
pub(super) fn jobs(watched: &Store<Job>, instance: &ConvexInstance) -> Vec<Arc<Job>> {
    let mut jobs = watched.state_filter(|job| {
        job.namespace() == instance.namespace()
            && labels::belongs(instance, &job.metadata) == Belongs::Ours
    });
    jobs.sort_by_key(|job| job.name_any());
    jobs
}

/// The pods of a part, by their labels: who made them does not count.
pub(super) fn pods(store: &Store<Pod>, instance: &ConvexInstance, part: Part) -> Vec<Arc<Pod>> {
    let wanted = labels::selector(instance, part);
    let namespace = instance.namespace();
    store.state_filter(|pod| {
        let labels = pod.labels();
        pod.namespace() == namespace
            && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
    })
}
