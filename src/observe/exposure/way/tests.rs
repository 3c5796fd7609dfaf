use std::slice;

use serde_json::json;

use super::{super::seen::Within, *};
use crate::fixtures::gateways::{gateway, listener, served_class, serving};

fn public() -> ParentRef {
    ParentRef { name: "public".to_owned(), namespace: Some("infra".to_owned()), section_name: None }
}

fn section(name: &str) -> ParentRef {
    ParentRef { section_name: Some(name.to_owned()), ..public() }
}

fn wanted(parents: &[ParentRef]) -> Wanted<'_> {
    Wanted {
        asked: Asked { host: "api.example.com", from: "shop" },
        secure: Some(true),
        routes: [None, None],
        parents,
        age: Age("2026-01-01T00:10:00Z".parse().unwrap()),
    }
}

fn seen(features: &[&str]) -> Seen {
    let both = json!([listener("web", "HTTP", None, "All"), listener("tls", "HTTPS", None, "All")]);
    Seen {
        gateways: vec![gateway(&both, &serving())],
        classes: Some(vec![served_class(features)]),
        within: Within::Everywhere,
    }
}

fn sections(way: &Way) -> Vec<(Option<&str>, bool)> {
    way.listeners.iter().map(|it| (it.parent.section_name.as_deref(), it.tls)).collect()
}

/// A route of ours that names these listeners.
fn route(parents: &[ParentRef]) -> Arc<HttpRoute> {
    let parents: Vec<_> = parents.iter().map(|it| serde_json::to_value(it).unwrap()).collect();
    let rule = json!({"timeouts": {"request": "0s"}});
    let route = json!({"metadata": {"name": "dev-api"},
        "spec": {"parentRefs": parents, "rules": [rule]}});
    Arc::new(serde_json::from_value(route).unwrap())
}

#[test]
fn a_class_tells_what_a_route_may_say() {
    let (way, wrong) = wanted(&[public()]).way(&seen(&["HTTPRoutePathRewrite"]));
    assert_eq!(wrong, None);
    assert!(way.complete && way.rewrites && !way.timeouts, "{way:?}");
    assert_eq!(sections(&way), [(Some("web"), false), (Some("tls"), true)]);
    let (way, _) = wanted(&[public()]).way(&seen(&["HTTPRouteRequestTimeout"]));
    assert!(!way.rewrites && way.timeouts, "{way:?}");
}

/// One route says one thing to all of its parents.
#[test]
fn of_gateways_of_two_classes_routes_say_what_both_take() {
    let mut both = seen(&["HTTPRoutePathRewrite", "HTTPRouteRequestTimeout"]);
    let (mut class, mut gateway) =
        (served_class(&["HTTPRouteRequestTimeout"]), both.gateways[0].clone());
    class.metadata.name = Some("another".to_owned());
    gateway.metadata.name = Some("private".to_owned());
    "another".clone_into(&mut gateway.spec.gateway_class_name);
    both.classes.as_mut().unwrap().push(class);
    both.gateways.push(gateway);
    let private = ParentRef { name: "private".to_owned(), ..public() };
    for parents in [[public(), private.clone()], [private, public()]] {
        let (way, wrong) = wanted(&parents).way(&both);
        assert_eq!(wrong, None);
        assert!(way.complete && !way.rewrites && way.timeouts, "{way:?}");
    }
}

#[test]
fn a_listener_that_is_named_twice_is_taken_once() {
    let parents = [public(), public(), section("web")];
    let (way, _) = wanted(&parents).way(&seen(&[]));
    assert_eq!(sections(&way), [(Some("web"), false), (Some("tls"), true)]);
}

#[test]
fn a_gateway_that_is_away_finds_the_routes_as_they_were() {
    let (parents, away) = ([public()], Seen { classes: Some(Vec::new()), ..Seen::default() });
    let (main, redirect) = (route(&[section("tls")]), route(&[section("web")]));
    let both = Wanted { routes: [Some(&main), Some(&redirect)], ..wanted(&parents) };
    let (way, wrong) = both.way(&away);
    assert_eq!(sections(&way), [(Some("tls"), true), (Some("web"), false)]);
    let wrong = wrong.unwrap();
    assert_eq!(wrong.reason, "ParentGatewayNotFound");
    assert!(wrong.message.contains("infra/public"), "{wrong:?}");
    assert!(!way.complete && way.timeouts && !way.rewrites, "{way:?}");
    let other = [ParentRef { name: "other".to_owned(), ..public() }];
    let moved = Wanted { parents: &other, ..both };
    assert_eq!(sections(&moved.way(&away).0), [], "what is not asked for any more is left");
    let plain = Wanted { routes: [Some(&main), None], secure: Some(false), ..wanted(&parents) };
    assert_eq!(sections(&plain.way(&away).0), [(Some("tls"), false)]);
}

#[test]
fn a_gateway_that_may_not_be_looked_at_is_taken_at_its_word() {
    let parents = [public()];
    for within in [Within::Namespace("shop".to_owned()), Within::Nowhere] {
        let hidden = Seen { within, ..Seen::default() };
        let (way, wrong) = wanted(&parents).way(&hidden);
        assert_eq!((sections(&way), wrong), (vec![(None, true)], None));
        assert!(!way.complete && !way.redirects());
        let plain = Wanted { secure: Some(false), ..wanted(&parents) };
        assert_eq!(sections(&plain.way(&hidden).0), [(None, false)]);
    }
    let own = ParentRef { namespace: None, ..public() };
    let within = Seen { within: Within::Namespace("shop".to_owned()), ..Seen::default() };
    let (_, wrong) = wanted(slice::from_ref(&own)).way(&within);
    assert_eq!(wrong.unwrap().reason, "ParentGatewayNotFound", "here it may look");
}

#[test]
fn one_gateway_of_two_that_is_away_takes_nothing_from_the_other() {
    let parents = [ParentRef { name: "other".to_owned(), ..public() }, public()];
    let (way, wrong) = wanted(&parents).way(&seen(&[]));
    assert_eq!(sections(&way), [(Some("web"), false), (Some("tls"), true)]);
    assert!(!way.complete);
    assert_eq!(wrong.unwrap().reason, "ParentGatewayNotFound");
}
