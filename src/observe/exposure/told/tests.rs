use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{api::ParentRef, fixtures::instance, plan::route::Listener};

const CONTROLLER: &str = "traefik.io/gateway-controller";

fn condition(type_: &str, status: &str, reason: &str, generation: i64) -> Value {
    json!({"type": type_, "status": status, "reason": reason, "message": "so it is",
        "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

/// The route to the API, of generation 2, of which this controller says this for this listener.
fn told(controller: &str, section: &str, conditions: &[Value]) -> Option<(&'static str, String)> {
    let route: HttpRoute = serde_json::from_value(json!({
        "metadata": {"name": "dev-api", "namespace": "shop", "generation": 2},
        "spec": {"parentRefs": [{"name": "public", "namespace": "infra", "sectionName": "web"}]},
        "status": {"parents": [{"controllerName": controller, "conditions": conditions,
            "parentRef": {"name": "public", "namespace": "infra", "sectionName": section}}]},
    }))
    .unwrap();
    let children = Children { routes: vec![Arc::new(route)], ..Children::default() };
    let parent = ParentRef {
        name: "public".to_owned(),
        namespace: None,
        section_name: Some("web".to_owned()),
    };
    let listeners = vec![Listener { parent, tls: false }];
    let way = Way { listeners, ..Way::default() };
    let ways = [(Purpose::Api, "api.example.com".to_owned(), way)];
    let found = routes(&instance(), &children, &ways, &[CONTROLLER.to_owned()]);
    found.map(|it| (it.reason, it.message))
}

#[test]
fn a_route_is_taken_once_its_controller_says_so_of_the_generation_that_there_is() {
    let both = |generation| {
        [
            condition("Accepted", "True", "Accepted", generation),
            condition("ResolvedRefs", "True", "ResolvedRefs", generation),
        ]
    };
    assert_eq!(told(CONTROLLER, "web", &both(2)), None);
    assert_eq!(told(CONTROLLER, "web", &both(1)).unwrap().0, "ControllerPending");
    assert_eq!(told(CONTROLLER, "other", &both(2)).unwrap().0, "RoutePending");
    assert_eq!(told("example.com/else", "web", &both(2)).unwrap().0, "RoutePending");
}

#[test]
fn what_a_controller_refuses_is_told_in_its_words_with_a_remedy() {
    let refused = |reason| {
        let accepted = condition("Accepted", "False", reason, 2);
        told(CONTROLLER, "web", &[accepted]).unwrap()
    };
    let (reason, message) = refused("NotAllowedByListeners");
    assert_eq!(reason, "NotAllowedByListeners");
    assert!(message.contains("so it is") && message.contains("allowedRoutes"), "{message}");
    let (reason, message) = refused("SomethingNew");
    assert_eq!(reason, "NotAccepted");
    assert!(message.contains("SomethingNew"), "{message}");
    let refs = [
        condition("Accepted", "True", "Accepted", 2),
        condition("ResolvedRefs", "False", "RefNotPermitted", 2),
    ];
    assert_eq!(told(CONTROLLER, "web", &refs).unwrap().0, "RefNotPermitted");
}

#[test]
fn a_gateway_serves_once_it_is_accepted_and_programmed() {
    let class: GatewayClass = serde_json::from_value(json!({
        "metadata": {"name": "traefik"}, "spec": {"controllerName": CONTROLLER},
    }))
    .unwrap();
    let of = |conditions: Value| {
        let found: Gateway = serde_json::from_value(json!({
            "metadata": {"name": "dev-public", "generation": 1},
            "spec": {"gatewayClassName": "traefik", "listeners": []},
            "status": {"conditions": conditions},
        }))
        .unwrap();
        gateway(Some(&found), Some(&class), "traefik").map(|it| it.reason)
    };
    let accepted = || condition("Accepted", "True", "Accepted", 1);
    let programmed = |status, reason| condition("Programmed", status, reason, 1);
    assert_eq!(of(json!([accepted(), programmed("True", "Programmed")])), None);
    let unaddressed = json!([accepted(), programmed("False", "AddressNotAssigned")]);
    assert_eq!(of(unaddressed), Some("AddressNotAssigned"));
    assert_eq!(of(json!([accepted()])), Some("ControllerPending"));
    assert_eq!(gateway(None, Some(&class), "traefik").unwrap().reason, "GatewayPending");
    assert_eq!(gateway(None, None, "nginx").unwrap().reason, "GatewayClassNotFound");
}
