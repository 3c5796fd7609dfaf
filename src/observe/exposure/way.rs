//! The way from outside to a host: through the listeners of shared Gateways, or through those that we make.
//!
//! A route whose parent does not exist gets no status at all, and a Gateway whose class nobody serves waits for ever: what is
//! missing is found out by looking (Gateway API, concepts/troubleshooting).

use std::sync::Arc;

use gateway_api::{gatewayclasses::GatewayClass, gateways::Gateway, httproutes::HttpRoute};
use kube::ResourceExt;

use super::{
    super::Obstacle,
    gateway::{self, Age},
    listeners::{self, Asked},
    seen::{Found, Seen, lists},
};
use crate::{
    api::{ConvexInstance, ParentRef},
    plan::{
        gateway::section,
        host::Purpose,
        names::Names,
        route::{Listener, Way},
    },
};

/// The features of a class that routes are made by (`pkg/features/httproute.go` of the Gateway API).
const REWRITES: &str = "HTTPRoutePathRewrite";
const TIMEOUTS: &str = "HTTPRouteRequestTimeout";

/// The way through a Gateway of its own: the listeners that we make for the host.
pub(super) fn own(
    instance: &ConvexInstance,
    purpose: Purpose,
    class: Option<&GatewayClass>,
) -> Way {
    let tls = instance.spec.networking.tls_secret_ref.is_some();
    let name = Names::of(&instance.name_any()).way_in();
    let listener = |tls| Listener {
        parent: ParentRef {
            name: name.clone(),
            namespace: None,
            section_name: Some(section(purpose, tls)),
        },
        tls,
    };
    let can = |feature| class.is_some_and(|it| lists(it, feature));
    Way {
        listeners: [false, true].into_iter().filter(|it| !it || tls).map(listener).collect(),
        rewrites: can(REWRITES),
        timeouts: can(TIMEOUTS),
        complete: true,
    }
}

/// A host that is to be reached through shared Gateways.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The host, and from where it is asked for.
    pub(super) asked: Asked<'a>,
    /// Whether clients came by HTTPS when that was last told; none where it never was.
    pub(super) secure: Option<bool>,
    /// The route to it, and the one that leads from plain HTTP to HTTPS where it does so for this host, as they were found.
    pub(super) routes: [Option<&'a Arc<HttpRoute>>; 2],
    /// The Gateways that the spec names.
    pub(super) parents: &'a [ParentRef],
    /// How long something may take.
    pub(super) age: Age,
}

/// What came of one parent.
struct Parent<'a> {
    class: Option<&'a GatewayClass>,
    listeners: Vec<Listener>,
    complete: bool,
    wrong: Option<Obstacle>,
}

impl Wanted<'_> {
    /// The way to the host, and the first thing that is wrong with it.
    pub(super) fn way(&self, seen: &Seen) -> (Way, Option<Obstacle>) {
        let parents: Vec<_> = self.parents.iter().map(|it| self.parent(seen, it)).collect();
        let classes = || parents.iter().filter_map(|it| it.class);
        let can =
            |feature| classes().next().is_some() && classes().all(|class| lists(class, feature));
        let complete = parents.iter().all(|it| it.complete);
        let before = self.routes[0].filter(|_| !complete);
        let (rewrites, timeouts) =
            before.map_or_else(|| (can(REWRITES), can(TIMEOUTS)), |it| says(it));
        let (mut listeners, mut wrong) = (Vec::<Listener>::new(), None);
        for parent in parents {
            let new = parent.listeners.into_iter().filter(|it| !self.names(&listeners, it));
            let new: Vec<_> = new.collect();
            listeners.extend(new);
            wrong = wrong.or(parent.wrong);
        }
        (Way { listeners, rewrites, timeouts, complete }, wrong)
    }

    /// A route names a listener once, whichever way it is named.
    fn names(&self, known: &[Listener], one: &Listener) -> bool {
        let key = |it: &Listener| {
            (self.home(&it.parent), it.parent.name.clone(), it.parent.section_name.clone())
        };
        known.iter().any(|it| key(it) == key(one))
    }

    fn home(&self, parent: &ParentRef) -> String {
        parent.namespace.clone().unwrap_or_else(|| self.asked.from.to_owned())
    }

    fn parent<'s>(&self, seen: &'s Seen, parent: &ParentRef) -> Parent<'s> {
        let home = self.home(parent);
        match seen.gateway(&home, &parent.name) {
            Found::There(gateway) => self.there(seen, gateway, parent),
            // Its listeners are not known, so it is taken at its word; that it is safe is what can be hoped for.
            Found::Hidden => {
                let tls = self.secure.unwrap_or(true);
                let listeners = vec![Listener { parent: parent.clone(), tls }];
                Parent { class: None, listeners, complete: false, wrong: None }
            }
            Found::Missing => Parent {
                class: None,
                listeners: self.kept(parent),
                complete: false,
                wrong: Some(not_found(&home, &parent.name)),
            },
        }
    }

    fn there<'s>(&self, seen: &'s Seen, gateway: &'s Gateway, parent: &ParentRef) -> Parent<'s> {
        let class = seen.class(&gateway.spec.gateway_class_name);
        match listeners::open(gateway, self.asked, parent) {
            Err(wrong) => {
                Parent { class, listeners: self.kept(parent), complete: false, wrong: Some(wrong) }
            }
            Ok(open) => {
                let names: Vec<_> = open.iter().map(|it| it.name.as_str()).collect();
                let wrong = gateway::obstacle(seen, gateway, &names, self.age);
                let listener = |it: &&gateway_api::gateways::GatewayListeners| Listener {
                    parent: ParentRef { section_name: Some(it.name.clone()), ..parent.clone() },
                    tls: it.protocol == "HTTPS",
                };
                let listeners = open.iter().map(listener).collect();
                Parent { class, listeners, complete: true, wrong }
            }
        }
    }

    /// What our routes name of a parent that lets nobody in now: one that is away for a moment finds them as they were.
    fn kept(&self, parent: &ParentRef) -> Vec<Listener> {
        let [route, redirect] = self.routes;
        let secure = redirect.is_some() || self.secure.unwrap_or(true);
        let of = |route: Option<&Arc<HttpRoute>>, tls| {
            let named = route.and_then(|it| it.spec.parent_refs.clone()).unwrap_or_default();
            let theirs = named.into_iter().map(|it| ParentRef {
                name: it.name,
                namespace: it.namespace,
                section_name: it.section_name,
            });
            let theirs = theirs.filter(|it| {
                it.name == parent.name
                    && self.home(it) == self.home(parent)
                    && (parent.section_name.is_none() || parent.section_name == it.section_name)
            });
            theirs.map(|parent| Listener { parent, tls }).collect::<Vec<_>>()
        };
        [of(route, secure), of(redirect, false)].concat()
    }
}

/// Whether a route rewrites paths, and says how long a request lasts.
fn says(route: &HttpRoute) -> (bool, bool) {
    let rules = route.spec.rules.as_deref().unwrap_or_default();
    (rules.iter().any(|it| it.filters.is_some()), rules.iter().any(|it| it.timeouts.is_some()))
}

fn not_found(namespace: &str, name: &str) -> Obstacle {
    Obstacle::new(
        "ParentGatewayNotFound",
        format!(
            "Gateway {namespace}/{name} of spec.networking.parentRefs does not exist; create it, or name another one."
        ),
    )
}

#[cfg(test)]
mod tests;
