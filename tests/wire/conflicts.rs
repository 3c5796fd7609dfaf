//! Somebody else writes too, or the API server says no.

use serde_json::json;

use crate::support::{instance::instance, request::Verb, rig::Rig};

#[tokio::test]
async fn a_conflict_on_the_edge_ends_the_pass_with_nothing_applied_and_nothing_told() {
    let rig = Rig::with(instance("dev")).await;
    rig.server.fail_next("update convexinstances/dev/status", 409);
    let error = rig.pass("dev").await.unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(rig.server.writes(), ["update convexinstances/dev/status"]);
}

#[tokio::test]
async fn a_pass_with_an_old_instance_is_refused_before_it_does_anything() {
    let rig = Rig::with(instance("dev")).await;
    rig.watched().await;
    let old = rig.seen("dev");
    rig.pass("dev").await.unwrap();
    rig.server.writes();
    // What this operator wrote itself it knows, and does not even try.
    rig.late_pass(&old).await.unwrap();
    assert!(rig.server.writes().is_empty());
    // What another wrote is refused by the API server.
    rig.forgets("dev");
    let error = rig.late_pass(&old).await.unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(rig.server.writes(), ["update convexinstances/dev/status"]);
}

#[tokio::test]
async fn a_failed_write_of_the_status_tells_no_event() {
    let rig = Rig::with(instance("dev")).await;
    rig.server.fail_next("update convexinstances/dev/status", 500);
    rig.pass("dev").await.unwrap_err();
    assert_eq!(rig.server.writes(), ["update convexinstances/dev/status"]);
}

#[tokio::test]
async fn a_crash_between_the_edge_and_the_children_is_made_up_for() {
    let rig = Rig::with(instance("dev")).await;
    rig.pass("dev").await.unwrap();
    rig.server.fail_next("create secrets/dev-admin", 500);
    rig.pass("dev").await.unwrap_err();
    assert!(rig.server.get("statefulsets", "dev-backend").is_none());
    let secret = rig.server.get("secrets", "dev-instance").unwrap();
    rig.run("dev", 6).await;
    assert_eq!(rig.phase("dev"), "Ready");
    assert_eq!(rig.server.get("secrets", "dev-instance").unwrap(), secret);
}

#[tokio::test]
async fn what_a_policy_refuses_is_told_in_its_own_words_and_tried_again() {
    let rig = Rig::with(instance("dev")).await;
    rig.pass("dev").await.unwrap();
    rig.server.fail_next("create persistentvolumeclaims/dev-data", 403);
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "False/Forbidden");
    assert!(rig.server.get("statefulsets", "dev-backend").is_none());
    rig.run("dev", 5).await;
    assert_eq!(rig.phase("dev"), "Ready");
}

#[tokio::test]
async fn a_child_that_another_pass_made_meanwhile_is_ours_and_not_a_conflict() {
    let rig = Rig::with(instance("dev")).await;
    rig.run("dev", 2).await;
    let read = rig.seen("dev");
    // This pass reads the Secrets, and the watches have not brought the children yet.
    rig.late_pass(&read).await.unwrap();
    assert!(!rig.condition("dev", "Ready").contains("NameConflict"));
    rig.run("dev", 4).await;
    assert_eq!(rig.phase("dev"), "Ready");
}

#[tokio::test]
async fn of_a_phase_that_is_not_known_only_ready_is_said() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["status"]["phase"] = json!("Hibernating");
        it["spec"]["version"] = json!("v2");
    });
    let before = rig.status("dev");
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), ["merge convexinstances/dev/status"]);
    assert_eq!(rig.condition("dev", "Ready"), "Unknown/UnknownPhase");
    let mut after = rig.status("dev");
    let changed = after["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .zip(before["conditions"].as_array().unwrap());
    assert_eq!(changed.filter(|(now, was)| now != was).count(), 1);
    after["conditions"] = before["conditions"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn an_instance_that_cannot_be_read_is_left_alone() {
    let rig = Rig::with(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| it["spec"]["environment"] = json!("moon"));
    rig.pass("dev").await.unwrap_err();
    assert_eq!(rig.server.writes(), ["create event Unreadable"]);
}

/// A pass that is late finds itself refused: all of the law of fences rests on this.
#[tokio::test]
async fn every_write_to_a_child_carries_what_it_was_read_at() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.asked();
    rig.server.edit("services", "dev-backend", |it| it["spec"]["selector"]["b"] = json!("x"));
    rig.server.edit("statefulsets", "dev-backend", |it| it["spec"]["replicas"] = json!(0));
    rig.server.edit("deployments", "dev-dashboard", |it| it["spec"]["replicas"] = json!(7));
    rig.server.edit("persistentvolumeclaims", "dev-data", |it| {
        it["metadata"]["annotations"]["convex.icod.de/store"] = json!("x");
    });
    rig.server.edit("configmaps", "dev-gate", |it| it["data"]["record"] = json!("x"));
    rig.run("dev", 3).await;
    let asked = rig.server.asked();
    let children = asked.iter().filter(|it| {
        matches!(it.verb, Verb::Apply | Verb::Merge) && !it.words().contains("convexinstances")
    });
    let mut written = std::collections::BTreeSet::new();
    for write in children {
        let metadata = &write.body["metadata"];
        assert!(
            metadata["uid"].is_string() && metadata["resourceVersion"].is_string(),
            "{write:?}"
        );
        written.insert(write.words());
    }
    assert!(written.len() == 5, "{written:?}");
}

/// Nobody is kept out of a backend because of a page beside it.
#[tokio::test]
async fn a_dashboard_that_cannot_be_made_keeps_nobody_from_the_backend() {
    for (code, ready) in [(403, "False/Forbidden"), (500, "False/DashboardStarting")] {
        let rig = Rig::with(instance("dev")).await;
        rig.pass("dev").await.unwrap();
        for _ in 0..4 {
            rig.server.fail_next("create deployments/dev-dashboard", code);
            assert_eq!(rig.pass("dev").await.is_ok(), code == 403);
            rig.settle();
        }
        assert_eq!(rig.condition("dev", "Available"), "True/Serving");
        assert_eq!(rig.condition("dev", "Ready"), ready);
        let service = rig.server.get("services", "dev-backend").unwrap();
        assert_eq!(service["spec"]["selector"]["convex.icod.de/traffic"], "flows");
    }
}

/// What the API server says of a webhook that does not answer is a 500.
#[tokio::test]
async fn ready_is_not_said_while_the_service_cannot_be_made() {
    let rig = Rig::with(instance("dev")).await;
    rig.pass("dev").await.unwrap();
    rig.pass("dev").await.unwrap();
    rig.settle();
    for _ in 0..3 {
        rig.server.fail_next("create services/dev-backend", 500);
        let error = rig.pass("dev").await.unwrap_err();
        assert_eq!(error.name(), "Apply");
        assert_eq!(rig.phase("dev"), "Ready");
        assert_eq!(rig.condition("dev", "Ready"), "False/TrafficHeld");
        assert_eq!(rig.condition("dev", "Available"), "False/TrafficHeld");
    }
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}
