use serde_json::{Value, json};

use super::*;
use crate::fixtures::gateways::{class, condition, gateway, listener, served_class, serving};

fn now() -> Age {
    Age("2026-01-01T00:10:00Z".parse().unwrap())
}

fn at_birth() -> Age {
    Age("2026-01-01T00:00:10Z".parse().unwrap())
}

fn seen(class: GatewayClass) -> Seen {
    Seen { classes: Some(vec![class]), ..Seen::default() }
}

fn web() -> Value {
    json!([listener("web", "HTTP", None, "All")])
}

fn reason(conditions: &[Value], age: Age) -> Option<&'static str> {
    let gateway = gateway(&web(), conditions);
    obstacle(&seen(served_class(&[])), &gateway, &["web"], age).map(|it| it.reason)
}

#[test]
fn a_gateway_serves_once_it_is_accepted_and_programmed() {
    assert_eq!(reason(&serving(), now()), None);
    let [accepted, _] = &serving()[..] else { panic!("two") };
    let unaddressed = condition("Programmed", "False", "AddressNotAssigned", 1);
    assert_eq!(reason(&[accepted.clone(), unaddressed], now()), Some("AddressNotAssigned"));
    assert_eq!(reason(std::slice::from_ref(accepted), now()), Some("ControllerPending"));
    let stale = ["Accepted", "Programmed"].map(|type_| condition(type_, "True", type_, 0));
    assert_eq!(reason(&stale, now()), Some("ControllerPending"));
}

#[test]
fn a_class_that_nobody_takes_is_found_out_after_a_while() {
    let waiting = condition("Accepted", "Unknown", "Pending", 1);
    let of = |age| {
        let gateway = gateway(&web(), &[]);
        obstacle(&seen(class(&[], &waiting)), &gateway, &["web"], age).unwrap()
    };
    assert_eq!(of(at_birth()).reason, "ControllerPending");
    let told = of(now());
    assert_eq!((told.reason, told.abnormal), ("NoControllerForGatewayClass", true));
    assert!(told.message.contains("example.com/gateway-controller"), "{told:?}");
    let refused = condition("Accepted", "False", "InvalidParameters", 1);
    let told = obstacle(&seen(class(&[], &refused)), &gateway(&web(), &serving()), &[], now());
    assert_eq!(told.unwrap().reason, "InvalidParameters");
}

#[test]
fn a_gateway_that_nobody_takes_notice_of_is_found_out_after_a_while() {
    let default = ["Accepted", "Programmed"].map(|type_| condition(type_, "Unknown", "Pending", 0));
    assert_eq!(reason(&default, at_birth()), Some("ControllerPending"));
    assert_eq!(reason(&default, now()), Some("NoControllerForGatewayClass"));
    assert_eq!(reason(&[], now()), Some("NoControllerForGatewayClass"));
}

#[test]
fn a_class_that_does_not_exist_is_told_by_its_name_where_classes_may_be_seen() {
    let gateway = gateway(&web(), &serving());
    let none = Seen { classes: Some(Vec::new()), ..Seen::default() };
    let told = obstacle(&none, &gateway, &["web"], now()).unwrap();
    assert_eq!(told.reason, "GatewayClassNotFound");
    assert!(told.message.contains("\"example\""), "{told:?}");
    assert_eq!(obstacle(&Seen::default(), &gateway, &["web"], now()), None);
    assert_eq!(own(&none, None, "example", now()).unwrap().reason, "GatewayClassNotFound");
    assert_eq!(own(&Seen::default(), None, "example", now()).unwrap().reason, "GatewayPending");
}

/// A Gateway whose listener says this.
fn of_listener(conditions: &[Value], used: &str) -> Option<Obstacle> {
    let certificate = json!({"name": "wildcard", "namespace": "certificates"});
    let mut secure = listener("web", "HTTPS", None, "All");
    secure["tls"] = json!({"certificateRefs": [certificate]});
    let mut gateway = serde_json::to_value(gateway(&json!([secure]), &serving())).unwrap();
    gateway["status"]["listeners"] =
        json!([{"name": "web", "attachedRoutes": 0, "conditions": conditions}]);
    let gateway = serde_json::from_value(gateway).unwrap();
    obstacle(&seen(served_class(&[])), &gateway, &[used], now())
}

#[test]
fn a_listener_that_does_not_serve_is_told_where_it_is_used() {
    let refs = |reason| condition("ResolvedRefs", "False", reason, 1);
    let told = of_listener(&[refs("InvalidCertificateRef")], "web").unwrap();
    assert_eq!(told.reason, "InvalidCertificateRef");
    assert!(told.message.contains("listener \"web\" of Gateway infra/public"), "{told:?}");
    assert_eq!(of_listener(&[refs("InvalidCertificateRef")], "other"), None);
    let conflicted = condition("Conflicted", "True", "HostnameConflict", 1);
    assert_eq!(of_listener(&[conflicted], "web").unwrap().reason, "HostnameConflict");
    for (type_, reason) in [("Accepted", "PortUnavailable"), ("Programmed", "Invalid")] {
        let refused = of_listener(&[condition(type_, "False", reason, 1)], "web");
        assert!(refused.is_some_and(|it| it.message.contains(reason)), "{type_}");
    }
    let fine = condition("Conflicted", "False", "NoConflicts", 1);
    let overlaps = condition("OverlappingTLSConfig", "True", "OverlappingCertificates", 1);
    assert_eq!(of_listener(&[fine, overlaps], "web"), None);
}

#[test]
fn a_grant_that_is_missing_is_told_word_for_word() {
    let refused = condition("ResolvedRefs", "False", "RefNotPermitted", 1);
    let told = of_listener(&[refused], "web").unwrap();
    assert_eq!(told.reason, "RefNotPermitted");
    let grant = "in namespace certificates: {from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: infra}], to: [{group: \"\", kind: Secret, name: wildcard}]}";
    assert!(told.message.contains(grant), "{told:?}");
}
