//! What a way in does not let through, and that the operator cannot change.

use std::collections::BTreeSet;

use gateway_api::gatewayclasses::GatewayClass;
use kube::ResourceExt;

use super::seen::{Found, Seen, lists};
use crate::api::{ConvexInstance, Mode};

/// Without it a route cannot say that a request has no end (`pkg/features/httproute.go` of the Gateway API).
const TIMEOUTS: &str = "HTTPRouteRequestTimeout";

/// What those have to know who are let in by these Gateways; empty where there is nothing.
pub(super) fn of(seen: &Seen, instance: &ConvexInstance) -> String {
    let timeless = classes(seen, instance).filter(|it| !lists(it, TIMEOUTS));
    let timeless: BTreeSet<_> = timeless.map(ResourceExt::name_any).collect();
    if timeless.is_empty() {
        return String::new();
    }
    let names: Vec<_> = timeless.iter().map(|it| format!("\"{it}\"")).collect();
    format!(
        "GatewayClass {} does not let a route say how long a request may take: its controller's own limits hold, for long uploads too (docs/networking.md)",
        names.join(" and ")
    )
}

fn classes<'a>(
    seen: &'a Seen,
    instance: &'a ConvexInstance,
) -> impl Iterator<Item = &'a GatewayClass> {
    let networking = &instance.spec.networking;
    let shared = networking.way_in() == Mode::Shared;
    let home = instance.namespace().unwrap_or_default();
    let parents = networking.parent_refs.iter().filter(move |_| shared).filter_map(move |it| {
        match seen.gateway(it.namespace.as_deref().unwrap_or(&home), &it.name) {
            Found::There(gateway) => Some(gateway.spec.gateway_class_name.as_str()),
            Found::Missing | Found::Hidden => None,
        }
    });
    let own = networking.gateway_class_name.as_deref().filter(|_| !shared);
    own.into_iter().chain(parents).filter_map(|name| seen.class(name))
}
