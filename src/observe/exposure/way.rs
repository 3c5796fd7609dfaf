//! The way from outside to a host through shared Gateways: which listeners let it in, and what is wrong with the others.
//!
//! A route whose parent does not exist gets no status at all, and a Gateway whose class nobody serves waits for ever: what is
//! missing is found out by looking (Gateway API, concepts/troubleshooting).

use gateway_api::{
    gatewayclasses::GatewayClass,
    gateways::{
        Gateway, GatewayListeners, GatewayListenersAllowedRoutesNamespacesFrom as AllowedFrom,
    },
};
use kube::ResourceExt;

use super::super::Obstacle;
use crate::{
    api::{ConvexInstance, ParentRef},
    plan::{
        gateway,
        host::Purpose,
        names::Names,
        route::{Listener, Way},
    },
};

/// The features of a class that routes are made by (`pkg/features/httproute.go` of the Gateway API).
const REWRITES: &str = "HTTPRoutePathRewrite";
const TIMEOUTS: &str = "HTTPRouteRequestTimeout";

/// The Gateways and their classes, as far as they may be seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Gateways {
    /// Every Gateway that may be seen.
    pub(super) gateways: Vec<Gateway>,
    /// Every class.
    pub(super) classes: Vec<GatewayClass>,
}

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
            section_name: Some(gateway::section(purpose, tls)),
        },
        tls,
    };
    let can = |feature| class.is_some_and(|it| lists(it, feature));
    Way {
        listeners: [false, true].into_iter().filter(|it| !it || tls).map(listener).collect(),
        rewrites: can(REWRITES),
        timeouts: can(TIMEOUTS),
    }
}

impl Gateways {
    /// The class of this name.
    pub(super) fn class(&self, name: &str) -> Option<&GatewayClass> {
        self.classes.iter().find(|it| it.name_any() == name)
    }

    /// The way to a host through these parents, for an instance of this namespace, and what is wrong with it.
    pub(super) fn way(
        &self,
        host: &str,
        namespace: &str,
        parents: &[ParentRef],
    ) -> (Way, Vec<Obstacle>) {
        let seen: Vec<_> = parents.iter().map(|it| self.parent(host, namespace, it)).collect();
        let can = |feature| {
            let known = seen.iter().filter_map(|it| it.as_ref().ok());
            !seen.is_empty()
                && known.clone().count() > 0
                && known.clone().all(|(class, _)| lists(class, feature))
        };
        let (rewrites, timeouts) = (can(REWRITES), can(TIMEOUTS));
        let (mut listeners, mut wrong) = (Vec::new(), Vec::new());
        for parent in seen {
            match parent {
                Ok((_, found)) => listeners.extend(found),
                Err(obstacle) => wrong.push(obstacle),
            }
        }
        (Way { listeners, rewrites, timeouts }, wrong)
    }

    fn parent(
        &self,
        host: &str,
        namespace: &str,
        parent: &ParentRef,
    ) -> Result<(&GatewayClass, Vec<Listener>), Obstacle> {
        let within = parent.namespace.as_deref().unwrap_or(namespace);
        let name = format!("{within}/{}", parent.name);
        let named = |it: &&Gateway| {
            it.name_any() == parent.name && it.namespace().as_deref() == Some(within)
        };
        let gateway = self.gateways.iter().find(named).ok_or_else(|| not_found(&name))?;
        let class = &gateway.spec.gateway_class_name;
        let class = self.class(class);
        let class = class.ok_or_else(|| no_class(&name, &gateway.spec.gateway_class_name))?;
        let open = open(gateway, (host, namespace), parent)?;
        let listener = |it: &GatewayListeners| Listener {
            parent: ParentRef { section_name: Some(it.name.clone()), ..parent.clone() },
            tls: it.protocol == "HTTPS",
        };
        Ok((class, open.into_iter().map(listener).collect()))
    }
}

/// The listeners of a Gateway that let this host of this namespace in.
fn open<'a>(
    gateway: &'a Gateway,
    (host, namespace): (&str, &str),
    parent: &ParentRef,
) -> Result<Vec<&'a GatewayListeners>, Obstacle> {
    let name = format!("{}/{}", gateway.namespace().unwrap_or_default(), gateway.name_any());
    let section = parent.section_name.as_deref();
    let http = |it: &&GatewayListeners| matches!(it.protocol.as_str(), "HTTP" | "HTTPS");
    let named = |it: &&GatewayListeners| section.is_none_or(|section| it.name == section);
    let all: Vec<_> = gateway.spec.listeners.iter().filter(http).filter(named).collect();
    if all.is_empty() {
        return Err(no_listener(&name, section, gateway));
    }
    let fits = |it: &&&GatewayListeners| it.hostname.as_deref().is_none_or(|of| admits(of, host));
    let fitting: Vec<_> = all.iter().filter(fits).copied().collect();
    if fitting.is_empty() {
        return Err(no_host(&name, host, &all));
    }
    let home = gateway.namespace().unwrap_or_default();
    let open: Vec<_> = fitting.into_iter().filter(|it| is_open(it, &home, namespace)).collect();
    if open.is_empty() { Err(not_allowed(&name, namespace)) } else { Ok(open) }
}

fn lists(class: &GatewayClass, feature: &str) -> bool {
    let features = class.status.as_ref().and_then(|it| it.supported_features.as_ref());
    features.is_some_and(|all| all.iter().any(|it| it.name == feature))
}

/// Whether the host name of a listener is this host, or a wildcard above it.
fn admits(listener: &str, host: &str) -> bool {
    match listener.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => listener == host,
    }
}

/// A selector is not looked through: whether it fits is told by the status of the route.
fn is_open(listener: &GatewayListeners, home: &str, namespace: &str) -> bool {
    let namespaces = listener.allowed_routes.as_ref().and_then(|it| it.namespaces.as_ref());
    match namespaces.and_then(|it| it.from.as_ref()) {
        None | Some(AllowedFrom::Same) => home == namespace,
        Some(AllowedFrom::All | AllowedFrom::Selector) => true,
    }
}

fn not_found(name: &str) -> Obstacle {
    Obstacle::new(
        "ParentGatewayNotFound",
        format!(
            "Gateway {name} of spec.networking.parentRefs does not exist, or the operator may not see it; create it, or name another one."
        ),
    )
}

fn no_class(name: &str, class: &str) -> Obstacle {
    Obstacle::new(
        "GatewayClassNotFound",
        format!(
            "Gateway {name} is of class \"{class}\", which does not exist; install the controller that brings it, or name another Gateway."
        ),
    )
}

fn no_listener(name: &str, section: Option<&str>, gateway: &Gateway) -> Obstacle {
    let there: Vec<_> = gateway.spec.listeners.iter().map(|it| it.name.as_str()).collect();
    let which = section.map_or_else(
        || "no listener for HTTP or HTTPS".to_owned(),
        |section| format!("no listener \"{section}\" for HTTP or HTTPS"),
    );
    Obstacle::new(
        "ListenerNotFound",
        format!("Gateway {name} has {which}; it has: {}.", there.join(", ")),
    )
}

fn no_host(name: &str, host: &str, listeners: &[&GatewayListeners]) -> Obstacle {
    let theirs = listeners.iter().filter_map(|it| it.hostname.as_deref());
    let theirs: Vec<_> = theirs.collect();
    Obstacle::new(
        "NoMatchingListenerHostname",
        format!(
            "no listener of Gateway {name} lets host {host} in; they let in: {}. Add a listener for it, or choose a host below one of them.",
            theirs.join(", ")
        ),
    )
}

fn not_allowed(name: &str, namespace: &str) -> Obstacle {
    Obstacle::new(
        "NotAllowedByListeners",
        format!(
            "the listeners of Gateway {name} let no routes of namespace {namespace} in; set allowedRoutes.namespaces.from of a listener to All, or to Selector with one that fits the namespace."
        ),
    )
}

#[cfg(test)]
mod tests;
