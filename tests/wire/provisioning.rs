//! A first provisioning, and the rest after it.

use serde_json::json;

use crate::support::{
    instance::{instance, looked_at, with},
    rig::Rig,
};

/// Writes of one pass after another, the cluster settling between them.
async fn passes(rig: &Rig, count: usize) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for _ in 0..count {
        rig.pass("dev").await.unwrap();
        all.push(rig.server.writes());
        rig.settle();
    }
    all
}

#[tokio::test]
async fn status_comes_before_children_and_secrets_before_the_backend() {
    let rig = Rig::with(instance("dev")).await;
    let passes = passes(&rig, 3).await;
    let expected: [&[&str]; 3] = [
        // Nothing is made in the pass that adds the finalizer: a deletion of the same moment may win all the same.
        &["update convexinstances/dev/status", "merge convexinstances/dev"],
        &[
            "create secrets/dev-instance",
            "create secrets/dev-admin",
            "create persistentvolumeclaims/dev-data",
            "create configmaps/dev-gate",
            "create statefulsets/dev-backend",
            "create deployments/dev-dashboard",
            "create services/dev-dashboard",
        ],
        &[
            "update convexinstances/dev/status",
            "create event Ready",
            "create services/dev-backend",
            "update convexinstances/dev/status",
        ],
    ];
    assert_eq!(passes, expected);
    assert_eq!(rig.phase("dev"), "Ready");
}

/// Whoever waits for the condition goes on to the Service in the same moment.
#[tokio::test]
async fn an_instance_is_not_called_ready_before_its_service_is_there() {
    let rig = Rig::with(instance("dev")).await;
    rig.server.fail_next("create services/dev-backend", 409);
    passes(&rig, 2).await;
    rig.pass("dev").await.unwrap_err();
    assert_eq!(rig.phase("dev"), "Ready");
    assert_eq!(rig.condition("dev", "Ready"), "False/TrafficHeld");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// Somebody has looked at it before, so that there may be something: where home is, is found out first.
#[tokio::test]
async fn an_instance_that_may_have_children_settles_before_anything_is_made() {
    let rig = Rig::with(looked_at("dev")).await;
    let passes = passes(&rig, 2).await;
    assert_eq!(passes[0], ["update convexinstances/dev/status"]);
    assert_eq!(
        passes[1][..2],
        ["update convexinstances/dev/status", "create secrets/dev-instance"]
    );
}

#[tokio::test]
async fn the_whole_of_it_takes_thirteen_writes() {
    let rig = Rig::with(instance("dev")).await;
    let writes = passes(&rig, 8).await.concat();
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert!(writes.len() == 13, "{} writes: {writes:#?}", writes.len());
}

#[tokio::test]
async fn nobody_is_let_in_before_the_backend_has_answered() {
    let rig = Rig::with(instance("dev")).await;
    rig.backend.says("another");
    rig.run("dev", 5).await;
    assert_eq!(rig.phase("dev"), "Provisioning");
    assert_eq!(rig.condition("dev", "Ready"), "False/VersionMismatch");
    assert!(rig.server.get("services", "dev-backend").is_none());
}

#[tokio::test]
async fn a_backend_that_refuses_the_admin_key_is_not_ready() {
    let rig = Rig::with(instance("dev")).await;
    rig.backend.refuses_keys();
    rig.run("dev", 5).await;
    assert_eq!(rig.phase("dev"), "Provisioning");
    assert_eq!(rig.condition("dev", "Ready"), "False/AdminKeyRejected");
    assert!(rig.server.get("services", "dev-backend").is_none());
}

#[tokio::test]
async fn at_rest_nothing_is_written() {
    let rig = Rig::ready(instance("dev")).await;
    rig.run("dev", 5).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn after_a_restart_with_nothing_changed_nothing_is_written() {
    let mut rig = Rig::ready(instance("dev")).await;
    rig.restarted();
    rig.run("dev", 5).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_api_server_writes_in_another_way_is_no_drift() {
    let spoken =
        with(instance("dev"), "/backend/resources", json!({"requests": {"memory": "1024Mi"}}));
    let spoken = with(spoken, "/backend/env", json!([{"name": "EMPTY", "value": ""}]));
    let rig = Rig::ready(spoken).await;
    rig.run("dev", 5).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
}
