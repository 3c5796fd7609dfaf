//! What those who serve Gateways and routes say of them.
//!
//! A condition counts where it is about the generation that there is (Gateway API, geps/gep-1364). Everybody's entry for a
//! parent is looked for by that parent and by the name of the controller.

use gateway_api::{
    gatewayclasses::GatewayClass,
    gateways::Gateway,
    httproutes::{HttpRoute, HttpRouteParentRefs, HttpRouteStatusParents},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use super::super::{Children, Obstacle};
use super::parents;
use crate::{
    api::ConvexInstance,
    plan::{host::Purpose, names::Names, route::Way},
};

/// What keeps a Gateway of ours from serving.
pub(super) fn gateway(
    found: Option<&Gateway>,
    class: Option<&GatewayClass>,
    named: &str,
) -> Option<Obstacle> {
    if class.is_none() {
        return Some(Obstacle::new(
            "GatewayClassNotFound",
            format!(
                "GatewayClass \"{named}\" of spec.networking.gatewayClassName does not exist; install the controller that brings it, or name another class."
            ),
        ));
    }
    let Some(found) = found else {
        return Some(Obstacle::passing("GatewayPending", "the Gateway is not there yet"));
    };
    let conditions = found.status.as_ref().and_then(|it| it.conditions.as_deref());
    let conditions = conditions.unwrap_or_default();
    let of = format!("Gateway \"{}\"", found.name_any());
    ["Accepted", "Programmed"]
        .into_iter()
        .find_map(|type_| unmet(&of, type_, conditions, found.metadata.generation))
}

/// What keeps the routes to the hosts from being taken.
pub(super) fn routes(
    instance: &ConvexInstance,
    children: &Children,
    ways: &[(Purpose, String, Way)],
    controllers: &[String],
) -> Option<Obstacle> {
    let names = Names::of(&instance.name_any());
    let led = ways.iter().filter(|(_, _, way)| !way.listeners.is_empty());
    let mut wanted = led.map(|(purpose, host, _)| (names.route(*purpose), host));
    wanted.find_map(|(name, host)| {
        let found = children.routes.iter().find(|it| it.name_any() == name);
        let pending = || {
            let message = format!("the route to {host} is not there yet");
            Some(Obstacle::passing("RoutePending", message))
        };
        found.map_or_else(pending, |found| route(found, controllers))
    })
}

fn route(found: &HttpRoute, controllers: &[String]) -> Option<Obstacle> {
    let told = found.status.as_ref().map(|it| it.parents.as_slice()).unwrap_or_default();
    let wanted = found.spec.parent_refs.as_deref().unwrap_or_default();
    let of = format!("HTTPRoute \"{}\"", found.name_any());
    wanted.iter().find_map(|parent| {
        let is_of = |it: &&HttpRouteStatusParents| {
            is_same(parent, it, found) && controllers.contains(&it.controller_name)
        };
        let Some(entry) = told.iter().find(is_of) else {
            return Some(Obstacle::passing(
                "RoutePending",
                format!(
                    "no controller has said anything of {of} for Gateway \"{}\" yet; where that lasts, see whether the controller of its class runs.",
                    parent.name
                ),
            ));
        };
        ["Accepted", "ResolvedRefs"]
            .into_iter()
            .find_map(|type_| unmet(&of, type_, &entry.conditions, found.metadata.generation))
    })
}

/// An entry that names no namespace is about a parent in that of the route.
fn is_same(wanted: &HttpRouteParentRefs, told: &HttpRouteStatusParents, route: &HttpRoute) -> bool {
    let home = route.metadata.namespace.as_deref();
    let within = |it: Option<&String>| it.map(String::as_str).or(home).map(str::to_owned);
    let parent = &told.parent_ref;
    wanted.name == parent.name
        && within(wanted.namespace.as_ref()) == within(parent.namespace.as_ref())
        && wanted.section_name == parent.section_name
}

/// Why a condition does not hold.
fn unmet(of: &str, type_: &str, all: &[Condition], generation: Option<i64>) -> Option<Obstacle> {
    let current = |it: &&Condition| {
        it.type_ == type_ && it.observed_generation.is_none_or(|seen| Some(seen) >= generation)
    };
    match all.iter().find(current) {
        Some(it) if it.status == "True" => None,
        Some(it) if it.status == "False" => Some(parents::refused(of, type_, it)),
        _ => Some(Obstacle::passing(
            "ControllerPending",
            format!(
                "{type_} of {of} is not told yet; where that lasts, see whether the controller of its class runs."
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
