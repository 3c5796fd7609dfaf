//! The way in through Gateways: what is made for it, and what goes.

use serde_json::{Value, json};

use crate::support::{
    instance::{instance, set, with},
    rig::Rig,
};

const CONTROLLER: &str = "example.com/gateway-controller";

/// A cluster with a class and a shared Gateway that ends TLS, and an instance with a host behind it.
pub async fn shared() -> Rig {
    let rig = Rig::new().await;
    let features = json!([{"name": "HTTPRoutePathRewrite"}, {"name": "HTTPRouteRequestTimeout"}]);
    let class = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
        "metadata": {"name": "example"}, "spec": {"controllerName": CONTROLLER},
        "status": {"supportedFeatures": features, "conditions": [held("Accepted")]}});
    rig.server.put("gatewayclasses", class);
    rig.server.put("gateways", gateway("public"));
    let networking = json!({"host": "api.example.com", "siteHost": "site.example.com",
        "parentRefs": [{"name": "public", "namespace": "infra"}]});
    rig.server.put("convexinstances", with(instance("dev"), "/networking", networking));
    rig
}

fn held(type_: &str) -> Value {
    json!({"type": type_, "status": "True", "reason": type_, "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

pub fn gateway(name: &str) -> Value {
    let all = json!({"namespaces": {"from": "All"}});
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
    "metadata": {"name": name, "namespace": "infra"},
    "spec": {"gatewayClassName": "example", "listeners": [
        {"name": "web", "protocol": "HTTP", "port": 80, "allowedRoutes": all},
        {"name": "websecure", "protocol": "HTTPS", "port": 443, "allowedRoutes": all},
    ]},
    "status": {"conditions": [held("Accepted"), held("Programmed")]}})
}

pub fn route(rig: &Rig, name: &str) -> Option<Value> {
    rig.server.get("httproutes", name)
}

pub fn sections(route: &Value) -> Vec<String> {
    let parents = route["spec"]["parentRefs"].as_array().unwrap();
    parents.iter().map(|it| it["sectionName"].as_str().unwrap().to_owned()).collect()
}

/// The controller takes every route, or says why not.
pub fn judged(rig: &Rig, accepted: &str, reason: &str) {
    judged_by(CONTROLLER, rig, accepted, reason);
}

pub fn judged_by(controller: &str, rig: &Rig, accepted: &str, reason: &str) {
    for mut route in rig.server.all("httproutes") {
        let parents = route["spec"]["parentRefs"].as_array().unwrap().clone();
        let generation = route["metadata"]["generation"].clone();
        let condition = |type_: &str, status: &str, reason: &str| {
            json!({"type": type_, "status": status, "reason": reason, "message": "so it is",
                "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let conditions = json!([
            condition("Accepted", accepted, reason),
            condition("ResolvedRefs", "True", "ResolvedRefs"),
        ]);
        let entry = |parent: &Value| json!({"parentRef": parent, "controllerName": controller, "conditions": conditions});
        let entries: Vec<_> = parents.iter().map(entry).collect();
        route["status"] = json!({ "parents": entries });
        rig.server.put("httproutes", route);
    }
}

#[tokio::test]
async fn every_host_has_a_route_and_one_for_all_leads_from_plain_http_to_https() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    let api = route(&rig, "dev-api").expect("a route");
    assert_eq!(api["spec"]["hostnames"], json!(["api.example.com"]));
    assert_eq!(sections(&api), ["websecure"]);
    assert_eq!(api["spec"]["rules"][0]["timeouts"]["request"], "0s");
    let redirect = route(&rig, "dev-redirect").expect("a redirect");
    assert_eq!(sections(&redirect), ["web"]);
    let both = json!(["api.example.com", "site.example.com"]);
    assert_eq!(redirect["spec"]["hostnames"], both);
    assert_eq!(rig.server.all("httproutes").len(), 3);
    let told = rig.environment("dev");
    assert_eq!(told["CONVEX_CLOUD_ORIGIN"], "https://api.example.com", "a listener says so");
    assert_eq!(told["CONVEX_SITE_ORIGIN"], "https://site.example.com");
    assert_eq!(rig.condition("dev", "Exposed"), "False/RoutePending");
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
    rig.server.writes();
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.server.writes(), [""; 0], "at rest");
}

#[tokio::test]
async fn a_gateway_of_its_own_has_listeners_for_its_hosts_and_goes_with_what_asked_for_it() {
    let rig = shared().await;
    rig.server.edit("convexinstances", "dev", |it| {
        let networking = json!({"host": "api.example.com", "gatewayClassName": "example",
            "tlsSecretRef": "issued-later", "gatewayAnnotations": {"cert-manager.io/issuer": "x"}});
        set(it, "/networking", networking);
    });
    rig.run("dev", 12).await;
    let made = rig.server.get("gateways", "dev-public").expect("a Gateway");
    let names: Vec<_> =
        made["spec"]["listeners"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["api-http", "api-https"]);
    assert_eq!(made["metadata"]["annotations"]["cert-manager.io/issuer"], "x");
    assert_eq!(sections(&route(&rig, "dev-api").unwrap()), ["api-https"]);
    assert_eq!(sections(&route(&rig, "dev-redirect").unwrap()), ["api-http"]);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networking", json!({})));
    rig.run("dev", 2).await;
    assert_eq!(rig.server.get("gateways", "dev-public"), None);
    assert_eq!(rig.server.all("httproutes"), [json!(null); 0]);
}

#[tokio::test]
async fn routes_and_gateway_go_with_their_instance() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 8).await;
    assert_eq!(rig.server.get("convexinstances", "dev"), None);
    assert_eq!(rig.server.all("httproutes"), [json!(null); 0]);
    assert_eq!(rig.server.all("gateways").len(), 1, "the shared one is nobody's to take away");
}

#[tokio::test]
async fn a_second_gateway_that_comes_later_restarts_nothing_and_joins_the_first() {
    let rig = shared().await;
    let both =
        json!([{"name": "other", "namespace": "infra"}, {"name": "public", "namespace": "infra"}]);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networking/parentRefs", both.clone()));
    rig.run("dev", 12).await;
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "False/ParentGatewayNotFound");
    let origin = rig.environment("dev")["CONVEX_CLOUD_ORIGIN"].clone();
    rig.server.put("gateways", gateway("other"));
    rig.server.writes();
    rig.run("dev", 2).await;
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
    assert_eq!(sections(&route(&rig, "dev-api").unwrap()), ["websecure", "websecure"]);
    assert_eq!(rig.environment("dev")["CONVEX_CLOUD_ORIGIN"], origin);
    rig.server.writes();
    rig.server.remove("gateways", "public");
    rig.run("dev", 2).await;
    let deeds = rig.server.writes();
    assert!(deeds.iter().all(|it| it.contains("status") || it.contains("event")), "{deeds:?}");
}

#[tokio::test]
async fn routes_to_what_is_not_asked_for_any_more_go_though_nothing_takes_their_place() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    assert!(route(&rig, "dev-api").is_some());
    let elsewhere = json!([{"name": "elsewhere", "namespace": "infra"}]);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networking/parentRefs", elsewhere));
    rig.run("dev", 2).await;
    assert_eq!(rig.server.all("httproutes"), [json!(null); 0]);
    assert_eq!(rig.condition("dev", "Exposed"), "False/ParentGatewayNotFound");
}

/// Whoever stands in front ends TLS for a plain listener of ours.
#[tokio::test]
async fn a_gateway_that_is_away_for_a_moment_restarts_nothing_where_origins_are_named() {
    for origin in ["https://api.example.com", "https://edge.example.com"] {
        let rig = shared().await;
        rig.server.edit("gateways", "public", |it| {
            it["spec"]["listeners"].as_array_mut().unwrap().pop();
        });
        rig.server.edit("convexinstances", "dev", |it| {
            set(it, "/networking/siteHost", Value::Null);
            set(it, "/networking/cloudOrigin", json!(origin));
        });
        rig.run("dev", 12).await;
        let before = rig.environment("dev");
        assert_eq!(before["CONVEX_SITE_ORIGIN"], format!("{origin}/http"));
        let kept = rig.server.get("gateways", "public").unwrap();
        rig.server.remove("gateways", "public");
        rig.run("dev", 3).await;
        assert_eq!(rig.environment("dev"), before);
        rig.server.put("gateways", kept);
        rig.run("dev", 3).await;
        assert_eq!(rig.environment("dev"), before);
    }
}
