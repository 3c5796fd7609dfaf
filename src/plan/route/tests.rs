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

fn made(purpose: Purpose, way: &Way) -> Vec<Value> {
    let routes = built_for(&instance(), |it| routes(it, purpose, "api.example.com", way));
    routes.into_iter().map(|it| serde_json::to_value(it).unwrap()).collect()
}

fn sections(route: &Value) -> Vec<&str> {
    let parents = route["spec"]["parentRefs"].as_array().unwrap();
    parents.iter().map(|it| it["sectionName"].as_str().unwrap()).collect()
}

#[test]
fn a_host_with_https_is_reached_there_and_led_there_from_plain_http() {
    let [route, redirect] = &made(Purpose::Api, &both())[..] else { panic!("two routes") };
    assert_eq!((sections(route), sections(redirect)), (vec!["https"], vec!["http"]));
    assert_eq!(route["metadata"]["name"], "dev-api");
    assert_eq!(route["spec"]["hostnames"], json!(["api.example.com"]));
    let rule = json!([{
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{"name": "dev-backend", "port": 3210}],
        "timeouts": {"request": "0s"},
    }]);
    assert_eq!(route["spec"]["rules"], rule);
    assert_eq!(redirect["metadata"]["name"], "dev-api-redirect");
    let filters = &redirect["spec"]["rules"][0]["filters"];
    let to_https = json!([{"type": "RequestRedirect",
        "requestRedirect": {"scheme": "https", "statusCode": 301}}]);
    assert_eq!(*filters, to_https);
}

#[test]
fn a_host_without_https_has_one_route_and_leads_nowhere_else() {
    let plain = Way { listeners: vec![listener("http", false)], ..Way::default() };
    let [route] = &made(Purpose::Api, &plain)[..] else { panic!("one route") };
    assert_eq!(sections(route), ["http"]);
    assert_eq!(route["spec"]["rules"][0].get("timeouts"), None, "nobody may have timeouts");
    let secure = Way { listeners: vec![listener("https", true)], ..Way::default() };
    assert_eq!(made(Purpose::Api, &secure).len(), 1);
}

#[test]
fn http_actions_go_to_the_port_of_the_api_where_paths_can_be_rewritten() {
    let rule = |way: &Way| made(Purpose::Site, way)[0]["spec"]["rules"][0].clone();
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
    let route = &made(Purpose::Dashboard, &both())[0];
    let to = json!([{"name": "dev-dashboard", "port": 6791}]);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"], to);
    assert_eq!(route["metadata"]["labels"]["app.kubernetes.io/component"], "dashboard");
}
