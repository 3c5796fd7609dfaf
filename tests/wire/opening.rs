//! How an instance with hosts becomes Ready: what is written for it, and what is not.

use serde_json::json;

use crate::{
    gateways::{gateway, judged, route, shared},
    support::{
        instance::{instance, set},
        rig::Rig,
    },
};

/// Its routes are made, its backend serves and its Service leads there; nobody has said anything of its routes.
async fn served() -> Rig {
    let rig = shared().await;
    rig.run("dev", 4).await;
    assert_eq!(rig.phase("dev"), "Ready");
    rig
}

/// A controller says what it makes of this route alone, as it does before there is a Service and once there is one.
fn judge(rig: &Rig, name: &str, resolved: (&str, &str)) {
    rig.server.edit("httproutes", name, |route| {
        let generation = route["metadata"]["generation"].clone();
        let condition = |type_: &str, (status, reason): (&str, &str)| {
            json!({"type": type_, "status": status, "reason": reason, "message": "so it is",
                "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let conditions =
            [condition("Accepted", ("True", "Accepted")), condition("ResolvedRefs", resolved)];
        let parents = route["spec"]["parentRefs"].as_array().unwrap();
        let entry = |it| {
            json!({"parentRef": it, "controllerName": "example.com/gateway-controller",
                "conditions": conditions})
        };
        let told: Vec<_> = parents.iter().map(entry).collect();
        route["status"] = json!({ "parents": told });
    });
}

const FOUND: (&str, &str) = ("True", "ResolvedRefs");
const NOT_FOUND: (&str, &str) = ("False", "BackendNotFound");
const ROUTES: [&str; 3] = ["dev-api", "dev-site", "dev-redirect"];

/// Whoever waits for the condition goes on to a host in the same moment.
#[tokio::test]
async fn an_instance_is_not_called_ready_before_its_routes_are_taken() {
    let rig = served().await;
    assert_eq!(rig.condition("dev", "Ready"), "False/RoutePending");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving", "it is reached in the cluster");
    assert!(rig.server.get("services", "dev-backend").is_some());
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
}

#[tokio::test]
async fn routes_are_written_with_the_backend_and_told_with_its_being_ready() {
    let rig = shared().await;
    let mut writes = Vec::new();
    for turn in 0..8 {
        rig.pass("dev").await.unwrap();
        writes.extend(rig.server.writes());
        rig.settle();
        // Whoever serves routes is late, and sees no Service before there is one.
        let resolved = match turn {
            2 => NOT_FOUND,
            4 => FOUND,
            _ => continue,
        };
        for name in ROUTES {
            judge(&rig, name, resolved);
        }
    }
    let expected = [
        "update convexinstances/dev/status",
        "merge convexinstances/dev",
        "create secrets/dev-instance",
        "create secrets/dev-admin",
        "create persistentvolumeclaims/dev-data",
        "create configmaps/dev-gate",
        "create statefulsets/dev-backend",
        "create deployments/dev-dashboard",
        "create services/dev-dashboard",
        "create httproutes/dev-api",
        "create httproutes/dev-site",
        "create httproutes/dev-redirect",
        "update convexinstances/dev/status",
        "create event Ready",
        "create services/dev-backend",
        "update convexinstances/dev/status",
    ];
    assert_eq!(writes, expected);
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn a_controller_that_takes_one_route_after_another_costs_one_write_for_all() {
    let rig = served().await;
    rig.server.writes();
    for words in [NOT_FOUND, FOUND] {
        for name in ROUTES {
            rig.pass("dev").await.unwrap();
            assert_eq!(rig.server.writes(), [""; 0], "before {name} is {words:?}");
            judge(&rig, name, words);
        }
    }
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.server.writes(), ["update convexinstances/dev/status"]);
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn what_is_wrong_with_a_route_is_told_at_once_with_a_warning() {
    let rig = served().await;
    rig.server.writes();
    judged(&rig, "False", "NotAllowedByListeners");
    rig.pass("dev").await.unwrap();
    let told = ["update convexinstances/dev/status", "create event NotAllowedByListeners"];
    assert_eq!(rig.server.writes(), told);
    assert_eq!(rig.condition("dev", "Ready"), "False/NotAllowedByListeners");
}

/// Nobody may be there who would take them.
#[tokio::test]
async fn an_instance_waits_a_minute_for_its_routes_and_no_longer() {
    let rig = served().await;
    assert_eq!(rig.condition("dev", "Ready"), "False/RoutePending");
    rig.server.edit("services", "dev-backend", |it| {
        it["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(rig.condition("dev", "Exposed"), "False/RoutePending");
}

#[tokio::test]
async fn a_route_that_is_awaited_takes_nothing_from_an_instance_that_is_ready() {
    let rig = served().await;
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/networking/dashboardHost", json!("dashboard.example.com"));
    });
    rig.pass("dev").await.unwrap();
    rig.settle();
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Exposed"), "False/RoutePending");
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    judged(&rig, "True", "Accepted");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/Accepted");
}

/// As an operator of an earlier build made them: one for each host.
#[tokio::test]
async fn redirects_of_single_hosts_go_once_there_is_the_one_for_all() {
    let rig = served().await;
    let mut single = route(&rig, "dev-redirect").unwrap();
    for field in ["resourceVersion", "uid"] {
        single["metadata"].as_object_mut().unwrap().remove(field);
    }
    single["metadata"]["name"] = json!("dev-api-redirect");
    rig.server.put("httproutes", single);
    rig.server.writes();
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.server.writes(), ["delete httproutes/dev-api-redirect"]);
    assert!(route(&rig, "dev-redirect").is_some());
}

/// A Gateway that is away for a moment finds of the one redirect what belongs to each host.
#[tokio::test]
async fn a_gateway_that_is_away_leaves_the_redirect_to_the_hosts_that_had_one() {
    let rig = shared().await;
    let mut uneven = gateway("public");
    let listeners = uneven["spec"]["listeners"].as_array_mut().unwrap();
    listeners[0]["hostname"] = json!("site.example.com");
    rig.server.put("gateways", uneven);
    rig.run("dev", 4).await;
    let before = route(&rig, "dev-redirect").expect("the site has both");
    assert_eq!(before["spec"]["hostnames"], json!(["site.example.com"]));
    rig.server.remove("gateways", "public");
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Exposed"), "False/ParentGatewayNotFound");
    assert_eq!(route(&rig, "dev-redirect").unwrap()["spec"], before["spec"]);
    let api = route(&rig, "dev-api").unwrap();
    assert_eq!(api["spec"]["parentRefs"].as_array().unwrap().len(), 1);
}

/// The Service is made right after the edge: where that is not worth a write of its own, it is still told where it fails.
#[tokio::test]
async fn a_service_that_is_refused_is_told_though_routes_are_awaited() {
    let rig = shared().await;
    rig.run("dev", 2).await;
    rig.server.fail_next("create services/dev-backend", 403);
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.phase("dev"), "Ready");
    assert_eq!(rig.condition("dev", "Ready"), "False/Forbidden");
    assert_eq!(rig.condition("dev", "Available"), "False/TrafficHeld");
    let history = rig.status("dev")["history"].as_array().cloned().unwrap_or_default();
    assert_eq!(history.last().map(|it| &it["reason"]), Some(&json!("Ready")));
}

/// A dashboard of a version that lacks something is no matter of waiting.
#[tokio::test]
async fn what_is_wrong_with_the_dashboard_when_the_backend_serves_is_told_with_a_warning() {
    let rig = Rig::with(instance("dev")).await;
    rig.run("dev", 1).await;
    rig.pass("dev").await.unwrap();
    rig.settle();
    rig.server.edit("deployments", "dev-dashboard", |it| {
        let failure = json!({"type": "ReplicaFailure", "status": "True", "message": "quota"});
        it["status"] = json!({"conditions": [failure]});
    });
    rig.server.writes();
    rig.pass("dev").await.unwrap();
    let told: Vec<String> = rig.server.writes();
    assert!(told.contains(&"create event PodRefused".to_owned()), "{told:?}");
    assert_eq!(rig.condition("dev", "Ready"), "False/PodRefused");
}
