//! What somebody does by hand to routes and Gateways of ours.

use serde_json::json;

use super::gateways::{route, sections, shared};
use crate::support::instance::set;

/// However deep in what is ours.
#[tokio::test]
async fn what_somebody_adds_within_a_rule_of_a_route_is_taken_away() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    let specs = || {
        let all = ["dev-api", "dev-site", "dev-redirect"].map(|it| route(&rig, it).unwrap());
        all.map(|it| it["spec"].clone())
    };
    let before = specs();
    rig.server.edit("httproutes", "dev-redirect", |it| {
        let filter = &mut it["spec"]["rules"][0]["filters"][0];
        filter["requestRedirect"]["hostname"] = json!("evil.example.com");
    });
    rig.server.edit("httproutes", "dev-site", |it| {
        let filter = &mut it["spec"]["rules"][0]["filters"][0];
        filter["urlRewrite"]["hostname"] = json!("evil.example.com");
    });
    rig.server.edit("httproutes", "dev-api", |it| {
        it["spec"]["parentRefs"][0]["port"] = json!(8443);
        it["spec"]["rules"][0]["matches"][0]["method"] = json!("GET");
        it["spec"]["rules"][0]["backendRefs"][0]["namespace"] = json!("evil");
    });
    rig.run("dev", 2).await;
    assert_eq!(specs(), before);
    rig.server.writes();
    rig.run("dev", 2).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
}

#[tokio::test]
async fn a_door_that_somebody_adds_to_a_route_is_closed() {
    let rig = shared().await;
    rig.run("dev", 12).await;
    rig.server.edit("httproutes", "dev-api", |it| {
        let parents = it["spec"]["parentRefs"].as_array_mut().unwrap();
        parents.push(json!({"name": "private", "namespace": "infra"}));
        let to = it["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap();
        to.push(json!({"name": "evil", "port": 80}));
    });
    rig.pass("dev").await.unwrap();
    let route = route(&rig, "dev-api").unwrap();
    assert_eq!(sections(&route), ["websecure"]);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_door_that_somebody_adds_to_a_gateway_of_its_own_is_closed() {
    let rig = shared().await;
    let own = json!({"host": "api.example.com", "gatewayClassName": "example",
        "tlsSecretRef": "issued-later"});
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networking", own));
    rig.run("dev", 12).await;
    let listeners =
        || rig.server.get("gateways", "dev-public").unwrap()["spec"]["listeners"].clone();
    let before = listeners();
    rig.server.edit("gateways", "dev-public", |it| {
        let theirs = json!({"name": "theirs", "hostname": "theirs.example.com", "port": 80,
            "protocol": "HTTP"});
        it["spec"]["listeners"][0]["allowedRoutes"] = json!({"namespaces": {"from": "All"}});
        it["spec"]["listeners"].as_array_mut().unwrap().push(theirs);
    });
    rig.run("dev", 2).await;
    assert_eq!(listeners(), before);
}
