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
    told_in("infra", controller, section, conditions)
}

/// The same of a parent in this namespace.
fn told_in(
    namespace: &str,
    controller: &str,
    section: &str,
    conditions: &[Value],
) -> Option<(&'static str, String)> {
    let route: HttpRoute = serde_json::from_value(json!({
        "metadata": {"name": "dev-api", "namespace": "shop", "generation": 2},
        "spec": {"parentRefs": [{"name": "public", "namespace": "infra", "sectionName": "web"}]},
        "status": {"parents": [{"controllerName": controller, "conditions": conditions,
            "parentRef": {"name": "public", "namespace": namespace, "sectionName": section}}]},
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
    assert_eq!(told_in("shop", CONTROLLER, "web", &both(2)).unwrap().0, "RoutePending");
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

fn parent(section: &str) -> ParentRef {
    ParentRef {
        name: "public".to_owned(),
        namespace: Some("infra".to_owned()),
        section_name: Some(section.to_owned()),
    }
}

/// A host that comes in by this listener for plain HTTP, and by the one for HTTPS that there is.
fn way(purpose: Purpose, host: &str, plain: &str) -> (Purpose, String, Way) {
    let listener = |section, tls| Listener { parent: parent(section), tls };
    let listeners = vec![listener(plain, false), listener("tls", true)];
    (purpose, host.to_owned(), Way { listeners, ..Way::default() })
}

/// A route by these listeners, which all of them take but this one.
fn by(name: &str, sections: &[&str], refused: Option<&str>) -> Arc<HttpRoute> {
    let judged = |section: &&str| {
        let is = |type_: &str, status: &str| condition(type_, status, "NotAllowedByListeners", 1);
        let accepted = if refused == Some(*section) { "False" } else { "True" };
        json!({"controllerName": CONTROLLER, "parentRef": parent(section),
            "conditions": [is("Accepted", accepted), is("ResolvedRefs", "True")]})
    };
    let told: Vec<_> = sections.iter().map(judged).collect();
    let parents: Vec<_> = sections.iter().map(|it| parent(it)).collect();
    let route = json!({"metadata": {"name": name, "namespace": "shop", "generation": 1},
        "spec": {"parentRefs": parents}, "status": {"parents": told}});
    Arc::new(serde_json::from_value(route).unwrap())
}

/// What is told of two hosts with listeners of their own, where this is the redirect.
fn told_of_both(redirect: Option<Arc<HttpRoute>>) -> Option<Obstacle> {
    let ways = [
        way(Purpose::Api, "api.example.com", "web"),
        way(Purpose::Site, "site.example.com", "other"),
    ];
    let seen = Seen { gateways: vec![gateway(&json!([]), &serving())], ..Seen::default() };
    let to_hosts = [by("dev-api", &["tls"], None), by("dev-site", &["tls"], None)];
    let made = to_hosts.into_iter().chain(redirect).collect();
    let children = Children { routes: made, ..Children::default() };
    routes(&instance(), &children, &ways, &seen)
}

#[test]
fn a_redirect_is_awaited_and_taken_like_a_route() {
    let missing = told_of_both(None).unwrap();
    assert_eq!((missing.reason, missing.abnormal), ("RoutePending", false));
    assert!(missing.message.contains("\"dev-redirect\""), "{missing:?}");
    assert_eq!(told_of_both(Some(by("dev-redirect", &["web", "other"], None))), None);
}

#[test]
fn of_a_redirect_it_is_told_whose_plain_http_is_refused_and_where() {
    let refused = by("dev-redirect", &["web", "other"], Some("other"));
    let refused = told_of_both(Some(refused)).unwrap();
    assert_eq!((refused.reason, refused.abnormal), ("NotAllowedByListeners", true));
    let whose = "\"dev-redirect\" (plain HTTP of site.example.com at listener \"other\")";
    assert!(refused.message.contains(whose), "{refused:?}");
}
