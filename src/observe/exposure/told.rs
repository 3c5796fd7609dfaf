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
    api::{ConvexInstance, ParentRef},
    plan::{host::Purpose, names::Names, route::Way},
};

/// What is known of the way to each host.
type Ways = [(Purpose, String, Way)];

/// What keeps the routes to the hosts from being taken, and after them the one that leads from plain HTTP to HTTPS.
pub(super) fn routes(
    instance: &ConvexInstance,
    children: &Children,
    ways: &Ways,
    seen: &Seen,
) -> Option<Obstacle> {
    let names = Names::of(&instance.name_any());
    let found = |name: &str| children.routes.iter().find(|it| it.name_any() == name);
    let mut led = ways.iter().filter(|(.., way)| !way.listeners.is_empty());
    let to_hosts = led.find_map(|(purpose, host, _)| {
        let name = names.route(*purpose);
        let what = |_: &HttpRouteParentRefs| format!("HTTPRoute \"{name}\"");
        let missing = || Some(pending(&format!("HTTPRoute \"{name}\" to {host}")));
        found(&name).map_or_else(missing, |found| route(found, &what, seen))
    });
    to_hosts.or_else(|| {
        let home = instance.namespace().unwrap_or_default();
        let name = names.redirect();
        let any = ways.iter().any(|(.., way)| way.redirects());
        let what = |of: &HttpRouteParentRefs| redirect(&name, of, ways, &home);
        let missing = || Some(pending(&format!("HTTPRoute \"{name}\" from plain HTTP to HTTPS")));
        let found = any.then(|| found(&name));
        found?.map_or_else(missing, |found| route(found, &what, seen))
    })
}

fn pending(what: &str) -> Obstacle {
    Obstacle::passing("RoutePending", format!("{what} is not there yet"))
}

/// It is for several hosts, each of which has listeners of its own: whose plain HTTP it is that is refused is told, too.
fn redirect(name: &str, parent: &HttpRouteParentRefs, ways: &Ways, home: &str) -> String {
    let is_it = |it: &ParentRef| {
        it.name == parent.name
            && it.section_name == parent.section_name
            && it.namespace.as_deref().unwrap_or(home)
                == parent.namespace.as_deref().unwrap_or(home)
    };
    let leads = |way: &Way| way.redirects() && way.listeners.iter().any(|it| is_it(&it.parent));
    let hosts = ways.iter().filter(|(.., way)| leads(way)).map(|(_, host, _)| host.as_str());
    let hosts = hosts.collect::<Vec<_>>().join(" and ");
    let listener = parent.section_name.as_deref().unwrap_or_default();
    format!("HTTPRoute \"{name}\" (plain HTTP of {hosts} at listener \"{listener}\")")
}

/// What is said of a route, in words for each of its parents.
fn route(
    found: &HttpRoute,
    what: &dyn Fn(&HttpRouteParentRefs) -> String,
    seen: &Seen,
) -> Option<Obstacle> {
    let told = found.status.as_ref().map(|it| it.parents.as_slice()).unwrap_or_default();
    let wanted = found.spec.parent_refs.as_deref().unwrap_or_default();
    let home = found.namespace().unwrap_or_default();
    wanted.iter().find_map(|parent| {
        let about = About { what: what(parent), generation: found.metadata.generation };
        let controller =
            seen.controller(parent.namespace.as_deref().unwrap_or(&home), &parent.name);
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
    let parent = &told.parent_ref;
    wanted.name == parent.name
        && wanted.namespace.as_deref().unwrap_or(home)
            == parent.namespace.as_deref().unwrap_or(home)
        && wanted.section_name == parent.section_name
}

#[cfg(test)]
mod tests;
