//! What those who serve routes say of ours. Everybody's entry for a parent is looked for by that parent and by the name of the
//! controller, where that is known.

use gateway_api::httproutes::{HttpRoute, HttpRouteParentRefs, HttpRouteStatusParents};
use kube::ResourceExt;

use super::{
    super::{Children, Obstacle},
    conditions::{self, About},
    listeners,
    seen::Seen,
};
use crate::{
    api::ConvexInstance,
    plan::{host::Purpose, names::Names, route::Way},
};

/// What keeps the routes to the hosts from being taken.
pub(super) fn routes(
    instance: &ConvexInstance,
    children: &Children,
    ways: &[(Purpose, String, Way)],
    seen: &Seen,
) -> Option<Obstacle> {
    let names = Names::of(&instance.name_any());
    let led = ways.iter().filter(|(_, _, way)| !way.listeners.is_empty());
    let mut wanted = led.flat_map(|(purpose, host, way)| {
        let redirect = way.redirects().then(|| names.redirect(*purpose));
        [Some(names.route(*purpose)), redirect].into_iter().flatten().map(move |name| (name, host))
    });
    wanted.find_map(|(name, host)| {
        let found = children.routes.iter().find(|it| it.name_any() == name);
        let pending = || {
            let message = format!("HTTPRoute \"{name}\" to {host} is not there yet");
            Some(Obstacle::passing("RoutePending", message))
        };
        found.map_or_else(pending, |found| route(found, seen))
    })
}

fn route(found: &HttpRoute, seen: &Seen) -> Option<Obstacle> {
    let told = found.status.as_ref().map(|it| it.parents.as_slice()).unwrap_or_default();
    let wanted = found.spec.parent_refs.as_deref().unwrap_or_default();
    let home = found.namespace().unwrap_or_default();
    let about = About {
        what: format!("HTTPRoute \"{}\"", found.name_any()),
        generation: found.metadata.generation,
    };
    wanted.iter().find_map(|parent| {
        let within = parent.namespace.as_deref().unwrap_or(&home);
        let controller = seen.controller(within, &parent.name);
        let is_of = |it: &&HttpRouteStatusParents| {
            is_same(parent, it, &home) && controller.is_none_or(|name| name == it.controller_name)
        };
        match told.iter().find(is_of) {
            None => Some(unsaid(&about.what, parent)),
            Some(entry) => ["Accepted", "ResolvedRefs"]
                .into_iter()
                .find_map(|type_| conditions::unmet(&about, type_, &entry.conditions))
                .map(|it| with_allowance(it, &home))
                .or_else(|| conditions::unwanted(&about, "PartiallyInvalid", &entry.conditions)),
        }
    })
}

/// What a listener would have to say, word for word.
fn with_allowance(mut obstacle: Obstacle, home: &str) -> Obstacle {
    if obstacle.reason == "NotAllowedByListeners" {
        obstacle = Obstacle::new(
            obstacle.reason,
            format!("{} For example {}", obstacle.message, listeners::allowance(home)),
        );
    }
    obstacle
}

fn unsaid(what: &str, parent: &HttpRouteParentRefs) -> Obstacle {
    Obstacle::passing(
        "RoutePending",
        format!(
            "no controller has said anything of {what} for Gateway \"{}\" yet; where that lasts, see whether the controller of its class runs.",
            parent.name
        ),
    )
}

/// An entry that names no namespace is about a parent in that of the route.
fn is_same(wanted: &HttpRouteParentRefs, told: &HttpRouteStatusParents, home: &str) -> bool {
    let within = |it: &Option<String>| it.as_deref().unwrap_or(home).to_owned();
    let parent = &told.parent_ref;
    wanted.name == parent.name
        && within(&wanted.namespace) == within(&parent.namespace)
        && wanted.section_name == parent.section_name
}

#[cfg(test)]
mod tests;
