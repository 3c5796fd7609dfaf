//! The reasons of the Gateway API, each with what to do about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::super::Obstacle;

/// The reasons that a condition may have where it is false (`apis/v1` of the Gateway API), as ours, and what to do.
const REMEDIES: [(&str, &str); 25] = [
    (
        "NotAllowedByListeners",
        "set allowedRoutes.namespaces of a listener of the Gateway so that it lets this namespace in.",
    ),
    (
        "NoMatchingListenerHostname",
        "add a listener for the host to the Gateway, or choose a host that one of them admits.",
    ),
    ("NoMatchingParent", "name a Gateway and a listener that exist in spec.networking.parentRefs."),
    (
        "UnsupportedValue",
        "the controller does not know something in the route; use another controller, or a newer one.",
    ),
    (
        "IncompatibleFilters",
        "the controller does not take the filters of the route together; use another controller, or a newer one.",
    ),
    (
        "RefNotPermitted",
        "a ReferenceGrant is missing: make one in the namespace of what is referred to, from kind and namespace of what refers to it.",
    ),
    ("InvalidKind", "the controller does not lead routes to Services; use another one."),
    ("BackendNotFound", "the Service of the instance is not seen by the controller yet."),
    (
        "UnsupportedProtocol",
        "the controller does not speak the protocol of the Service; use another controller, or a newer one.",
    ),
    ("ListenersNotValid", "a listener of the Gateway cannot be served: kubectl describe it."),
    (
        "InvalidParameters",
        "the class of the Gateway has parameters that its controller does not take: ask who looks after the class.",
    ),
    (
        "UnsupportedAddress",
        "the Gateway asks for an address of a kind that its controller does not give.",
    ),
    (
        "AddressNotAssigned",
        "the Gateway has no address: the cluster gives no LoadBalancer, or none is left.",
    ),
    (
        "AddressNotUsable",
        "the address that the Gateway asks for cannot be had: free it, or ask for another one.",
    ),
    (
        "NoResources",
        "the controller has nothing left to serve the Gateway with: ask who looks after it.",
    ),
    ("Invalid", "the controller does not take the Gateway as it is: kubectl describe it."),
    (
        "InvalidCertificateRef",
        "the TLS Secret is not there or is none: create it, or wait for who issues it.",
    ),
    ("InvalidRouteKinds", "a listener takes no HTTPRoutes: allow them in its allowedRoutes.kinds."),
    ("PortUnavailable", "a port of the Gateway is in use: choose another one."),
    ("HostnameConflict", "two listeners of the Gateway have one host and port: give each its own."),
    (
        "ProtocolConflict",
        "two listeners of the Gateway have one port and two protocols: give each its own port.",
    ),
    (
        "PartiallyInvalid",
        "the controller leaves a part of the route out: use another one, or a newer one.",
    ),
    (
        "UnsupportedVersion",
        "the controller knows another version of the Gateway API than the cluster has: bring the two together.",
    ),
    (
        "Unsupported",
        "the controller does not serve this class of Gateways: ask who looks after it.",
    ),
    ("Pending", "the controller has not come to it yet; where that lasts, see whether it runs."),
];

/// A condition that is not what it should be, in the words of who says so, and what to do about it.
pub(super) fn refused(of: &str, type_: &str, told: &Condition) -> Obstacle {
    let known = REMEDIES.iter().find(|(reason, _)| *reason == told.reason);
    let (reason, remedy) = known
        .copied()
        .unwrap_or(("NotAccepted", "see what the controller says, and ask who looks after it."));
    let message = format!(
        "{type_} of {of} is {}, {}: {}. Remedy: {remedy}",
        told.status, told.reason, told.message
    );
    let passing = matches!(reason, "Pending" | "BackendNotFound");
    if passing { Obstacle::passing(reason, message) } else { Obstacle::new(reason, message) }
}
