//! Which listeners of a Gateway let a host in, and why the others do not.
//!
//! What they are called and which hosts they have is told to those only who live where the Gateway does: it is others' hosts
//! that are on a shared one.

use gateway_api::gateways::{
    Gateway, GatewayListeners, GatewayListenersAllowedRoutesNamespacesFrom as AllowedFrom,
};
use kube::ResourceExt;

use super::super::Obstacle;
use crate::api::ParentRef;

/// A host, and the namespace that it is asked for from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The host name.
    pub(super) host: &'a str,
    /// The namespace of the instance.
    pub(super) from: &'a str,
}

/// The listeners of a Gateway that let this host in.
///
/// # Errors
/// None does.
pub(super) fn open<'a>(
    gateway: &'a Gateway,
    asked: Asked<'_>,
    parent: &ParentRef,
) -> Result<Vec<&'a GatewayListeners>, Obstacle> {
    let section = parent.section_name.as_deref();
    let http = |it: &&GatewayListeners| matches!(it.protocol.as_str(), "HTTP" | "HTTPS");
    let named = |it: &&GatewayListeners| section.is_none_or(|section| it.name == section);
    let all: Vec<_> = gateway.spec.listeners.iter().filter(http).filter(named).collect();
    if all.is_empty() {
        return Err(none(gateway, asked, section));
    }
    let fits =
        |it: &&GatewayListeners| it.hostname.as_deref().is_none_or(|of| admits(of, asked.host));
    let fitting: Vec<_> = all.iter().copied().filter(fits).collect();
    if fitting.is_empty() {
        return Err(other_hosts(gateway, asked, &all));
    }
    let home = gateway.namespace().unwrap_or_default();
    let open: Vec<_> =
        fitting.iter().copied().filter(|it| is_open(it, &home, asked.from)).collect();
    if open.is_empty() { Err(not_allowed(gateway, asked, &fitting)) } else { Ok(open) }
}

/// Whether the host name of a listener is this host, or a wildcard above it.
fn admits(listener: &str, host: &str) -> bool {
    match listener.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => listener == host,
    }
}

/// A selector is not looked through: whether it fits is told by the status of the route.
fn is_open(listener: &GatewayListeners, home: &str, from: &str) -> bool {
    let namespaces = listener.allowed_routes.as_ref().and_then(|it| it.namespaces.as_ref());
    match namespaces.and_then(|it| it.from.as_ref()) {
        None | Some(AllowedFrom::Same) => home == from,
        Some(AllowedFrom::All | AllowedFrom::Selector) => true,
    }
}

/// What a listener has to say so that it lets the routes of a namespace in.
pub(super) fn allowance(from: &str) -> String {
    format!(
        "allowedRoutes: {{namespaces: {{from: Selector, selector: {{matchLabels: {{kubernetes.io/metadata.name: {from}}}}}}}}}"
    )
}

fn none(gateway: &Gateway, asked: Asked<'_>, section: Option<&str>) -> Obstacle {
    let which = section.map(|it| format!(" \"{it}\"")).unwrap_or_default();
    let there: Vec<_> = gateway.spec.listeners.iter().map(|it| it.name.clone()).collect();
    let there = listed(gateway, asked, "; it has: ", &there);
    Obstacle::new(
        "ListenerNotFound",
        format!("Gateway {} has no listener{which} for HTTP or HTTPS{there}.", named(gateway)),
    )
}

fn other_hosts(gateway: &Gateway, asked: Asked<'_>, all: &[&GatewayListeners]) -> Obstacle {
    let hosts: Vec<_> = all.iter().filter_map(|it| it.hostname.clone()).collect();
    let hosts = listed(gateway, asked, "; they let in: ", &hosts);
    Obstacle::new(
        "NoMatchingListenerHostname",
        format!(
            "no listener of Gateway {} lets host {} in{hosts}. Add a listener for it, or choose a host that one of them admits.",
            named(gateway),
            asked.host
        ),
    )
}

fn not_allowed(gateway: &Gateway, asked: Asked<'_>, fitting: &[&GatewayListeners]) -> Obstacle {
    let fitting: Vec<_> = fitting.iter().map(|it| it.name.clone()).collect();
    let fitting = listed(gateway, asked, ": ", &fitting);
    Obstacle::new(
        "NotAllowedByListeners",
        format!(
            "the listeners of Gateway {} that admit host {} let no routes of namespace {} in{fitting}. Set on one of them: {}",
            named(gateway),
            asked.host,
            asked.from,
            allowance(asked.from)
        ),
    )
}

fn named(gateway: &Gateway) -> String {
    format!("{}/{}", gateway.namespace().unwrap_or_default(), gateway.name_any())
}

fn listed(gateway: &Gateway, asked: Asked<'_>, before: &str, what: &[String]) -> String {
    let at_home = gateway.namespace().as_deref() == Some(asked.from);
    if at_home && !what.is_empty() { format!("{before}{}", what.join(", ")) } else { String::new() }
}

#[cfg(test)]
mod tests;
