//! What is told of the way in through Gateways: what keeps clients out, and what no status would ever say.

use convex_operator::context::Presence;
use serde_json::json;

use super::gateways::{gateway, judged, judged_by, route, shared};
use crate::support::instance::set;

const NGINX: &str = "gateway.nginx.org/nginx-gateway-controller";

#[tokio::test]
async fn what_a_controller_refuses_is_told_and_heals() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    judged(&rig, "False", "NotAllowedByListeners");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "False/NotAllowedByListeners");
    assert_eq!(rig.condition("dev", "Ready"), "False/NotAllowedByListeners");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving", "inside the cluster");
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// No status would ever say so. A Gateway that is away for a moment restarts no backend, and its routes stay.
#[tokio::test]
async fn a_gateway_that_is_not_there_is_found_out_by_looking() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    rig.server.writes();
    rig.server.remove("gateways", "public");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "False/ParentGatewayNotFound");
    assert!(route(&rig, "dev-api").is_some());
    let deeds = rig.server.writes();
    assert!(deeds.iter().all(|it| it.contains("status") || it.contains("event")), "{deeds:?}");
    rig.server.put("gateways", gateway("public"));
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
}

#[tokio::test]
async fn a_cluster_without_the_gateway_api_says_so_and_serves_all_the_same() {
    let rig = shared().await;
    rig.has_gateway_api(Presence::Missing).await;
    rig.run("dev", 12).await;
    assert_eq!(rig.phase("dev"), "Ready");
    assert_eq!(rig.condition("dev", "Exposed"), "False/GatewayAPINotInstalled");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert_eq!(rig.server.all("httproutes"), [json!(null); 0]);
    rig.has_gateway_api(Presence::Watched).await;
    rig.run("dev", 2).await;
    assert!(route(&rig, "dev-api").is_some(), "it heals without a restart");
    rig.has_gateway_api(Presence::Missing).await;
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "False/GatewayAPINotInstalled");
    assert_eq!(rig.phase("dev"), "Ready");
}

/// The watch is about to say so.
#[tokio::test]
async fn a_kind_that_goes_in_this_moment_keeps_nothing_else_from_being_done() {
    for code in [404, 405] {
        let rig = shared().await;
        rig.server.fail_next("create httproutes/dev-api", code);
        rig.run("dev", 12).await;
        assert_eq!(rig.condition("dev", "Available"), "True/Serving");
        assert!(route(&rig, "dev-api").is_some() && route(&rig, "dev-site").is_some());
    }
}

/// Its role does not let it look at Gateways of others, nor at classes.
#[tokio::test]
async fn an_operator_of_one_namespace_takes_the_spec_at_its_word() {
    let mut rig = shared().await;
    rig.sees_only("default");
    rig.run("dev", 12).await;
    let api = route(&rig, "dev-api").expect("a route");
    let as_given = json!([{"name": "public", "namespace": "infra"}]);
    assert_eq!(api["spec"]["parentRefs"], as_given);
    assert_eq!(route(&rig, "dev-redirect"), None);
    assert_eq!(rig.condition("dev", "Exposed"), "False/RoutePending");
    judged(&rig, "False", "NotAllowedByListeners");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "False/NotAllowedByListeners");
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
}

/// Whoever is let in by a Gateway can do without a look at it; whoever is to make one can not.
#[tokio::test]
async fn an_operator_that_may_see_no_gateways_takes_the_spec_at_its_word_and_makes_none() {
    let rig = shared().await;
    rig.may_see_no_gateways().await;
    rig.run("dev", 12).await;
    assert!(route(&rig, "dev-api").is_some(), "{}", rig.status("dev"));
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
    let own = json!({"host": "api.example.com", "gatewayClassName": "example"});
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networking", own));
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Exposed"), "False/GatewayAPIForbidden");
    assert!(rig.server.get("gateways", "dev-public").is_none());
    rig.has_gateway_api(Presence::Refused).await;
    rig.server.edit("convexinstances", "dev", |it| {
        let parents = json!([{"name": "public", "namespace": "infra"}]);
        set(it, "/networking", json!({"host": "api.example.com", "parentRefs": parents}));
    });
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Exposed"), "False/GatewayAPIForbidden", "no routes either");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
}

#[tokio::test]
async fn a_redirect_that_is_refused_is_told_too() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    judged(&rig, "True", "Accepted");
    rig.server.edit("httproutes", "dev-redirect", |it| {
        let condition = &mut it["status"]["parents"][0]["conditions"][0];
        condition["status"] = json!("False");
        condition["reason"] = json!("UnsupportedValue");
    });
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "False/UnsupportedValue");
    let told = rig.status("dev")["conditions"].to_string();
    assert!(told.contains("plain HTTP of api.example.com and site.example.com"), "{told}");
}

#[tokio::test]
async fn nginx_is_told_to_let_large_bodies_through_and_where_it_cannot_be_told_users_are() {
    let rig = shared().await;
    let mut class = rig.server.get("gatewayclasses", "example").unwrap();
    class["spec"]["controllerName"] = json!(NGINX);
    rig.server.put("gatewayclasses", class);
    rig.run("dev", 12).await;
    let policies = || {
        let all = rig.server.all("clientsettingspolicies");
        all.iter().map(|it| it["spec"]["targetRef"]["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(policies(), ["dev-api", "dev-site"]);
    rig.server.edit("clientsettingspolicies", "dev-api", |it| {
        it["spec"]["body"]["maxSize"] = json!("1k");
    });
    rig.pass("dev").await.unwrap();
    let put_right = rig.server.get("clientsettingspolicies", "dev-api").unwrap();
    assert_eq!(put_right["spec"]["body"]["maxSize"], "0");
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/networking/vendorPolicies", json!("Off"));
    });
    rig.run("dev", 2).await;
    assert_eq!(policies(), [json!(null); 0]);
    judged_by(NGINX, &rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
    let told = rig.status("dev")["conditions"].to_string();
    assert!(told.contains("NGINX Gateway Fabric refuses bodies of more than 1 MiB"), "{told}");
}

/// A policy about a route that is not there would be told as an error by whoever serves it.
#[tokio::test]
async fn a_host_that_no_listener_lets_in_has_neither_route_nor_policy() {
    let rig = shared().await;
    let mut class = rig.server.get("gatewayclasses", "example").unwrap();
    class["spec"]["controllerName"] = json!(NGINX);
    rig.server.put("gatewayclasses", class);
    rig.server.edit("gateways", "public", |it| {
        it["spec"]["listeners"][1]["hostname"] = json!("api.example.com");
        it["spec"]["listeners"].as_array_mut().unwrap().remove(0);
    });
    rig.run("dev", 12).await;
    let policies = rig.server.all("clientsettingspolicies");
    let about: Vec<_> = policies.iter().map(|it| &it["spec"]["targetRef"]["name"]).collect();
    assert_eq!(about, ["dev-api"]);
    assert_eq!(route(&rig, "dev-site"), None);
}
