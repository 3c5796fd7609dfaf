use serde_json::{Value, json};

use super::*;

fn gateways(listeners: &Value) -> Gateways {
    let gateway: Gateway = serde_json::from_value(json!({
        "metadata": {"name": "public", "namespace": "infra"},
        "spec": {"gatewayClassName": "traefik", "listeners": listeners},
    }))
    .unwrap();
    let class: GatewayClass = serde_json::from_value(json!({
        "metadata": {"name": "traefik"},
        "spec": {"controllerName": "traefik.io/gateway-controller"},
        "status": {"supportedFeatures": [{"name": "HTTPRoutePathRewrite"}]},
    }))
    .unwrap();
    Gateways { gateways: vec![gateway], classes: vec![class] }
}

fn listener(name: &str, protocol: &str, hostname: Option<&str>, from: &str) -> Value {
    let mut it = json!({"name": name, "protocol": protocol, "port": 80,
        "allowedRoutes": {"namespaces": {"from": from}}});
    if let Some(hostname) = hostname {
        it["hostname"] = hostname.into();
    }
    it
}

fn parent(section: Option<&str>) -> ParentRef {
    ParentRef {
        name: "public".to_owned(),
        namespace: Some("infra".to_owned()),
        section_name: section.map(str::to_owned),
    }
}

fn way(gateways: &Gateways, section: Option<&str>) -> (Way, Vec<Obstacle>) {
    gateways.way("api.example.com", "shop", &[parent(section)])
}

fn wrong(gateways: &Gateways, section: Option<&str>) -> (&'static str, String) {
    let (way, mut wrong) = way(gateways, section);
    assert_eq!(way.listeners, []);
    let only = wrong.pop().unwrap();
    (only.reason, only.message)
}

#[test]
fn a_host_comes_in_by_every_listener_that_admits_it() {
    let all = gateways(&json!([
        listener("web", "HTTP", None, "All"),
        listener("wild", "HTTPS", Some("*.example.com"), "All"),
        listener("exact", "HTTPS", Some("api.example.com"), "Selector"),
        listener("other", "HTTPS", Some("*.example.org"), "All"),
        listener("apex", "HTTPS", Some("example.com"), "All"),
        listener("same", "HTTPS", None, "Same"),
        listener("tcp", "TCP", None, "All"),
    ]));
    let (way, nothing) = way(&all, None);
    let names = |tls| {
        let of = way.listeners.iter().filter(|it| it.tls == tls);
        of.map(|it| it.parent.section_name.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(false), names(true)),
        (vec!["web".into()], vec!["wild".into(), "exact".into()])
    );
    assert_eq!(nothing, []);
    assert!(way.is_secure() && way.rewrites && !way.timeouts, "{way:?}");
}

#[test]
fn a_section_that_is_named_is_the_only_one() {
    let all = gateways(&json!([
        listener("web", "HTTP", None, "All"),
        listener("tls", "HTTPS", None, "All")
    ]));
    let (way, _) = way(&all, Some("web"));
    assert!(way.listeners.len() == 1 && !way.is_secure());
}

#[test]
fn what_is_missing_is_told_by_its_name_and_with_what_there_is() {
    let (reason, message) = wrong(&Gateways::default(), None);
    assert_eq!(reason, "ParentGatewayNotFound");
    assert!(message.contains("infra/public"), "{message}");
    let mut classless = gateways(&json!([listener("web", "HTTP", None, "All")]));
    classless.classes.clear();
    let (reason, message) = wrong(&classless, None);
    assert_eq!(reason, "GatewayClassNotFound");
    assert!(message.contains("\"traefik\""), "{message}");
    let web = gateways(&json!([listener("web", "HTTP", None, "All")]));
    let (reason, message) = wrong(&web, Some("https"));
    assert_eq!(reason, "ListenerNotFound");
    assert!(
        message.contains("no listener \"https\"") && message.contains("it has: web"),
        "{message}"
    );
}

#[test]
fn a_host_that_is_not_let_in_is_told_why() {
    let elsewhere = gateways(&json!([listener("wild", "HTTPS", Some("*.example.org"), "All")]));
    let (reason, message) = wrong(&elsewhere, None);
    assert_eq!(reason, "NoMatchingListenerHostname");
    assert!(message.contains("*.example.org"), "{message}");
    let own = gateways(&json!([listener("web", "HTTP", None, "Same")]));
    let (reason, message) = wrong(&own, None);
    assert_eq!(reason, "NotAllowedByListeners");
    assert!(message.contains("namespace shop"), "{message}");
}
