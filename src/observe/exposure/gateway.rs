//! What those who serve Gateways say of them, and what nobody says.

use std::time::Duration;

use gateway_api::{
    gatewayclasses::GatewayClass,
    gateways::{Gateway, GatewayListeners, GatewayStatusListeners},
};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::ResourceExt;

use super::{
    super::Obstacle,
    conditions::{self, About},
    seen::Seen,
};

/// A controller that runs has taken notice by then; one that does not has nobody who would say so.
const NOTICED: Duration = Duration::from_mins(1);

/// How old things are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Age(pub(super) Timestamp);

impl Age {
    /// Whether this has been there for long enough to be noticed.
    pub(super) fn is_noticed(self, object: &impl ResourceExt) -> bool {
        object
            .creation_timestamp()
            .is_some_and(|born| self.0.duration_since(born.0).unsigned_abs() >= NOTICED)
    }
}

/// What keeps a Gateway of ours from serving.
pub(super) fn own(seen: &Seen, found: Option<&Gateway>, class: &str, age: Age) -> Option<Obstacle> {
    if seen.lacks_class(class) {
        return Some(no_class("spec.networking.gatewayClassName", class));
    }
    let Some(found) = found else {
        return Some(Obstacle::passing("GatewayPending", "the Gateway is not there yet"));
    };
    let listeners: Vec<_> = found.spec.listeners.iter().map(|it| it.name.as_str()).collect();
    obstacle(seen, found, &listeners, age)
}

/// What keeps a Gateway from serving these listeners.
pub(super) fn obstacle(
    seen: &Seen,
    gateway: &Gateway,
    listeners: &[&str],
    age: Age,
) -> Option<Obstacle> {
    let class = &gateway.spec.gateway_class_name;
    if seen.lacks_class(class) {
        return Some(no_class(&format!("the class of {}", about(gateway).what), class));
    }
    seen.class(class)
        .and_then(|it| unserved(it, age))
        .or_else(|| served(gateway, age))
        .or_else(|| listeners.iter().find_map(|name| listener(gateway, name)))
}

/// Whether anybody serves the class, and takes it as it is.
pub(super) fn unserved(class: &GatewayClass, age: Age) -> Option<Obstacle> {
    let told = class.status.as_ref().and_then(|it| it.conditions.as_deref()).unwrap_or_default();
    let about = About {
        what: format!("GatewayClass \"{}\"", class.name_any()),
        generation: class.metadata.generation,
    };
    let obstacle = conditions::unmet(&about, "Accepted", told)?;
    let silent = !obstacle.abnormal && age.is_noticed(class);
    Some(if silent { nobody(class) } else { obstacle })
}

fn served(gateway: &Gateway, age: Age) -> Option<Obstacle> {
    let told = gateway.status.as_ref().and_then(|it| it.conditions.as_deref()).unwrap_or_default();
    let about = about(gateway);
    let unmet = |type_| conditions::unmet(&about, type_, told);
    let accepted = unmet("Accepted").map(|it| {
        let silent = !it.abnormal && is_untouched(told) && age.is_noticed(gateway);
        if silent { unnoticed(gateway) } else { it }
    });
    accepted.or_else(|| unmet("Programmed"))
}

/// Nothing is said but what the CRD says by default.
fn is_untouched(told: &[Condition]) -> bool {
    told.iter().all(|it| it.status == "Unknown" && it.reason == "Pending")
}

fn listener(gateway: &Gateway, name: &str) -> Option<Obstacle> {
    let all = gateway.status.as_ref().and_then(|it| it.listeners.as_deref()).unwrap_or_default();
    let GatewayStatusListeners { conditions: told, .. } = all.iter().find(|it| it.name == name)?;
    let mut about = about(gateway);
    about.what = format!("listener \"{name}\" of {}", about.what);
    let conflicted = conditions::unwanted(&about, "Conflicted", told);
    let refused = |type_| {
        let obstacle = conditions::unmet(&about, type_, told).filter(|it| it.abnormal)?;
        Some(if obstacle.reason == "RefNotPermitted" { ungranted(gateway, name) } else { obstacle })
    };
    conflicted.or_else(|| ["Accepted", "ResolvedRefs", "Programmed"].into_iter().find_map(refused))
}

fn about(gateway: &Gateway) -> About {
    let namespace = gateway.namespace().unwrap_or_default();
    About {
        what: format!("Gateway {namespace}/{}", gateway.name_any()),
        generation: gateway.metadata.generation,
    }
}

fn no_class(of: &str, class: &str) -> Obstacle {
    Obstacle::new(
        "GatewayClassNotFound",
        format!(
            "there is no GatewayClass \"{class}\", which is {of}; install the controller that brings it, or name another one."
        ),
    )
}

fn nobody(class: &GatewayClass) -> Obstacle {
    Obstacle::new(
        "NoControllerForGatewayClass",
        format!(
            "nobody has taken GatewayClass \"{}\"; see whether its controller \"{}\" is installed and runs.",
            class.name_any(),
            class.spec.controller_name
        ),
    )
}

fn unnoticed(gateway: &Gateway) -> Obstacle {
    Obstacle::new(
        "NoControllerForGatewayClass",
        format!(
            "no controller has taken notice of {}; see whether that of its class \"{}\" runs.",
            about(gateway).what,
            gateway.spec.gateway_class_name
        ),
    )
}

/// The grant that a listener lacks for its certificates, word for word.
fn ungranted(gateway: &Gateway, listener: &str) -> Obstacle {
    let home = gateway.namespace().unwrap_or_default();
    let named = |it: &&GatewayListeners| it.name == listener;
    let tls = gateway.spec.listeners.iter().find(named).and_then(|it| it.tls.as_ref());
    let refs = tls.and_then(|it| it.certificate_refs.as_deref()).unwrap_or_default();
    let elsewhere = |it: &&gateway_api::gateways::GatewayListenersTlsCertificateRefs| {
        it.namespace.as_deref().is_some_and(|namespace| namespace != home)
    };
    let grants: Vec<_> = refs
        .iter()
        .filter(elsewhere)
        .map(|it| {
            format!(
                "in namespace {}: {{from: [{{group: gateway.networking.k8s.io, kind: Gateway, namespace: {home}}}], to: [{{group: \"\", kind: Secret, name: {}}}]}}",
                it.namespace.as_deref().unwrap_or_default(),
                it.name
            )
        })
        .collect();
    Obstacle::new(
        "RefNotPermitted",
        format!(
            "listener \"{listener}\" of {} may not use its certificate: a ReferenceGrant is missing {}",
            about(gateway).what,
            grants.join(", and ")
        ),
    )
}

#[cfg(test)]
mod tests;
