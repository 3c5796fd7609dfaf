use serde_json::{Value, json};

use super::*;
use crate::fixtures::{built_for, instance};

fn listener(section: &str, tls: bool) -> Listener {
    let parent = ParentRef {
        name: "public".to_owned(),
        namespace: Some("infra".to_owned()),
        section_name: Some(section.to_owned()),
    };
    Listener { parent, tls }
}

fn both() -> Way {
    let listeners = vec![listener("http", false), listener("https", true)];
    Way { listeners, rewrites: true, timeouts: true, complete: true }
}

fn made(purpose: Purpose, way: &Way) -> Value {
    let route = built_for(&instance(), |it| route(it, purpose, "api.example.com", way));
    serde_json::to_value(route).unwrap()
}

/// The one that leads to HTTPS, for these hosts.
fn led(ways: &[(Purpose, &str, Way)]) -> Option<Value> {
    let ways: Vec<_> =
        ways.iter().map(|(of, host, way)| (*of, (*host).to_owned(), way.clone())).collect();
    let redirect = built_for(&instance(), |it| redirect(it, &ways));
    redirect.map(|it| serde_json::to_value(it).unwrap())
}

fn sections(route: &Value) -> Vec<&str> {
    let parents = route["spec"]["parentRefs"].as_array().unwrap();
    parents.iter().map(|it| it["sectionName"].as_str().unwrap()).collect()
}

#[test]
fn a_host_with_https_is_reached_there() {
    let route = made(Purpose::Api, &both());
    assert_eq!(sections(&route), ["https"]);
    assert_eq!(route["metadata"]["name"], "dev-api");
    assert_eq!(route["spec"]["hostnames"], json!(["api.example.com"]));
    let rule = json!([{
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{"name": "dev-backend", "port": 3210}],
        "timeouts": {"request": "0s"},
    }]);
    assert_eq!(route["spec"]["rules"], rule);
}

#[test]
fn one_route_leads_there_from_plain_http_for_every_host_that_has_both() {
    let own = Way { listeners: vec![listener("own", false), listener("tls", true)], ..both() };
    let plain = Way { listeners: vec![listener("http", false)], ..Way::default() };
    let secure = Way { listeners: vec![listener("https", true)], ..Way::default() };
    let redirect = led(&[
        (Purpose::Api, "api.example.com", both()),
        (Purpose::Site, "site.example.com", plain),
        (Purpose::Dashboard, "dashboard.example.com", own),
    ]);
    let redirect = redirect.expect("two hosts have both");
    assert_eq!(redirect["metadata"]["name"], "dev-redirect");
    let hosts = json!(["api.example.com", "dashboard.example.com"]);
    assert_eq!(redirect["spec"]["hostnames"], hosts);
    assert_eq!(sections(&redirect), ["http", "own"]);
    let filters = &redirect["spec"]["rules"][0]["filters"];
    let to_https = json!([{"type": "RequestRedirect",
        "requestRedirect": {"scheme": "https", "statusCode": 301}}]);
    assert_eq!(*filters, to_https);
    assert_eq!(led(&[(Purpose::Api, "api.example.com", secure)]), None);
}

#[test]
fn a_listener_that_several_hosts_come_by_is_named_once_however_it_is_named() {
    let mut at_home = both();
    for it in &mut at_home.listeners {
        it.parent.namespace = instance().metadata.namespace;
    }
    let mut unsaid = at_home.clone();
    for it in &mut unsaid.listeners {
        it.parent.namespace = None;
    }
    let redirect = led(&[
        (Purpose::Api, "api.example.com", at_home.clone()),
        (Purpose::Site, "site.example.com", at_home),
        (Purpose::Dashboard, "dashboard.example.com", unsaid),
    ]);
    assert_eq!(sections(&redirect.unwrap()), ["http"]);
}

#[test]
fn a_host_without_https_is_reached_by_plain_http_and_led_nowhere_else() {
    let plain = Way { listeners: vec![listener("http", false)], ..Way::default() };
    let route = made(Purpose::Api, &plain);
    assert_eq!(sections(&route), ["http"]);
    assert_eq!(route["spec"]["rules"][0].get("timeouts"), None, "nobody may have timeouts");
    assert_eq!(led(&[(Purpose::Api, "api.example.com", plain)]), None);
}

#[test]
fn http_actions_go_to_the_port_of_the_api_where_paths_can_be_rewritten() {
    let rule = |way: &Way| made(Purpose::Site, way)["spec"]["rules"][0].clone();
    let rewritten = rule(&both());
    assert_eq!(rewritten["backendRefs"][0]["port"], 3210);
    let path = json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/http/"});
    assert_eq!(rewritten["filters"][0]["urlRewrite"]["path"], path);
    assert_eq!(rewritten["filters"][0]["type"], "URLRewrite");
    let as_it_is = rule(&Way { rewrites: false, ..both() });
    assert_eq!(as_it_is["backendRefs"][0]["port"], 3211);
    assert_eq!(as_it_is.get("filters"), None);
}

#[test]
fn the_dashboard_has_a_service_of_its_own() {
    let route = made(Purpose::Dashboard, &both());
    let to = json!([{"name": "dev-dashboard", "port": 6791}]);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"], to);
    assert_eq!(route["metadata"]["labels"]["app.kubernetes.io/component"], "dashboard");
}
