//! What stands beside the pods of each part: accounts, network policies, disruption budgets.

use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use kube::{Resource, runtime::reflector::Store};

use super::ours;
use crate::{
    api::ConvexInstance,
    plan::{labels::Part, names::Names},
};

/// Those of one kind that are this instance's.
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
