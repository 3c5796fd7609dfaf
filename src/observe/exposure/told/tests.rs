use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    api::ParentRef,
    fixtures::{
        gateways::{CONTROLLER, condition, gateway, served_class, serving},
        instance,
    },
    plan::route::Listener,
};

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
    let seen = Seen {
        gateways: vec![gateway(&json!([]), &serving())],
        classes: Some(vec![served_class(&[])]),
        ..Seen::default()
    };
    let found = routes(&instance(), &children, &ways, &seen);
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
    assert!(message.contains("so it is"), "{message}");
    assert!(message.contains("kubernetes.io/metadata.name: shop"), "{message}");
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
fn a_route_of_which_only_a_part_is_taken_is_not_taken() {
    let all = [
        condition("Accepted", "True", "Accepted", 2),
        condition("ResolvedRefs", "True", "ResolvedRefs", 2),
        condition("PartiallyInvalid", "True", "UnsupportedValue", 2),
    ];
    assert_eq!(told(CONTROLLER, "web", &all).unwrap().0, "UnsupportedValue");
}

/// Some ignore a field that they do not know, and say so.
#[test]
fn a_field_that_is_ignored_keeps_nobody_out() {
    let all = [
        condition("Accepted", "True", "UnsupportedField", 2),
        condition("ResolvedRefs", "True", "ResolvedRefs", 2),
    ];
    assert_eq!(told(CONTROLLER, "web", &all), None);
}

/// The route that leads to HTTPS, refused by the second of its listeners.
#[test]
fn of_a_redirect_it_is_told_whose_plain_http_is_refused_and_where() {
    let parent = |section: &str| ParentRef {
        name: "public".to_owned(),
        namespace: Some("infra".to_owned()),
        section_name: Some(section.to_owned()),
    };
    let way = |plain: &str| Way {
        listeners: vec![
            Listener { parent: parent(plain), tls: false },
            Listener { parent: parent("tls"), tls: true },
        ],
        ..Way::default()
    };
    let ways = [
        (Purpose::Api, "api.example.com".to_owned(), way("web")),
        (Purpose::Site, "site.example.com".to_owned(), way("other")),
    ];
    let seen = Seen { gateways: vec![gateway(&json!([]), &serving())], ..Seen::default() };
    let made = |name: &str, sections: &[&str], refused: &str| {
        let parents: Vec<_> = sections
            .iter()
            .map(|it| json!({"name": "public", "namespace": "infra", "sectionName": it}))
            .collect();
        let judged = |parent: &Value| {
            let is =
                |type_: &str, status: &str| condition(type_, status, "NotAllowedByListeners", 1);
            let accepted = if parent["sectionName"] == refused { "False" } else { "True" };
            json!({"controllerName": CONTROLLER, "parentRef": parent,
                "conditions": [is("Accepted", accepted), is("ResolvedRefs", "True")]})
        };
        let told: Vec<_> = parents.iter().map(judged).collect();
        let route = json!({"metadata": {"name": name, "namespace": "shop", "generation": 1},
            "spec": {"parentRefs": parents}, "status": {"parents": told}});
        Arc::new(serde_json::from_value(route).unwrap())
    };
    let mut children = Children {
        routes: vec![made("dev-api", &["tls"], ""), made("dev-site", &["tls"], "")],
        ..Children::default()
    };
    let told = |children: &Children| routes(&instance(), children, &ways, &seen);
    let missing = told(&children).unwrap();
    assert_eq!((missing.reason, missing.abnormal), ("RoutePending", false));
    assert!(missing.message.contains("\"dev-redirect\""), "{missing:?}");
    children.routes.push(made("dev-redirect", &["web", "other"], ""));
    assert_eq!(told(&children), None);
    children.routes.pop();
    children.routes.push(made("dev-redirect", &["web", "other"], "other"));
    let refused = told(&children).unwrap();
    assert_eq!((refused.reason, refused.abnormal), ("NotAllowedByListeners", true));
    let whose = "HTTPRoute \"dev-redirect\" (plain HTTP of site.example.com at listener \"other\")";
    assert!(refused.message.contains(whose), "{refused:?}");
}
