//! An instance goes away.

use serde_json::{Value, json};

use crate::support::{
    instance::{instance, set},
    request::Verb,
    rig::Rig,
};

fn deleted(instance: &mut Value) {
    instance["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
}

#[tokio::test]
async fn users_go_first_then_what_writes_then_what_is_left_and_the_finalizer_last() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", deleted);
    let mut passes = Vec::new();
    while rig.server.get("convexinstances", "dev").is_some() && passes.len() < 8 {
        rig.pass("dev").await.unwrap();
        passes.push(rig.server.writes());
        rig.settle();
    }
    let expected: [&[&str]; 3] = [
        &[
            "update convexinstances/dev/status",
            "create event Deleting",
            "apply configmaps/dev-gate",
            "delete services/dev-backend",
            "delete deployments/dev-dashboard",
            "delete services/dev-dashboard",
            "delete statefulsets/dev-backend",
        ],
        &["delete secrets/dev-admin"],
        &["delete configmaps/dev-gate", "merge convexinstances/dev"],
    ];
    assert_eq!(passes, expected);
    assert!(rig.server.get("convexinstances", "dev").is_none());
}

#[tokio::test]
async fn what_is_deleted_is_exactly_what_was_seen() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", deleted);
    rig.server.asked();
    rig.run("dev", 6).await;
    let deletes: Vec<_> =
        rig.server.asked().into_iter().filter(|it| it.verb == Verb::Delete).collect();
    assert_eq!(deletes.len(), 6);
    for delete in deletes {
        let held = &delete.body["preconditions"];
        assert!(held["uid"].is_string() && held["resourceVersion"].is_string(), "{delete:?}");
    }
}

#[tokio::test]
async fn nothing_that_the_backend_needs_goes_while_its_pod_is_there() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", deleted);
    for _ in 0..4 {
        rig.pass("dev").await.unwrap();
    }
    assert!(rig.server.get("secrets", "dev-admin").is_some());
    assert!(rig.server.get("convexinstances", "dev").is_some());
    assert!(rig.status("dev")["message"].as_str().unwrap().contains("pod/dev-backend-0"));
}

/// Not before three minutes: most of what is waited for passes.
#[tokio::test]
async fn a_deletion_that_lasts_says_what_keeps_it() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", deleted);
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "False/ChildrenLeaving");
    rig.server.edit("convexinstances", "dev", |it| {
        it["status"]["phaseTransitionTime"] = json!("2026-01-01T00:00:00Z");
    });
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "False/ChildrenStuck");
    let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("pod/dev-backend-0"), "{message}");
}

#[tokio::test]
async fn data_stays_by_default_with_the_secret_that_belongs_to_it() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", deleted);
    rig.run("dev", 6).await;
    assert!(rig.server.get("persistentvolumeclaims", "dev-data").is_some());
    assert!(rig.server.get("secrets", "dev-instance").is_some());
    assert!(rig.server.get("secrets", "dev-admin").is_none());
}

#[tokio::test]
async fn data_goes_where_the_policy_says_so() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/deletionPolicy", json!("Delete"));
        deleted(it);
    });
    rig.run("dev", 6).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
    assert!(rig.server.get("persistentvolumeclaims", "dev-data").is_none());
    assert!(rig.server.get("secrets", "dev-instance").is_none());
}

#[tokio::test]
async fn what_somebody_else_put_in_place_of_a_child_stays() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.remove("configmaps", "dev-gate");
    rig.server.put(
        "configmaps",
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "dev-gate", "namespace": "shop"}}),
    );
    rig.server.edit("convexinstances", "dev", deleted);
    rig.run("dev", 6).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
    assert!(rig.server.get("configmaps", "dev-gate").is_some());
}

#[tokio::test]
async fn an_instance_that_never_got_anywhere_goes_at_once() {
    let rig = Rig::with(crate::support::instance::with(
        instance("dev"),
        "/backend/s3",
        json!({"enabled": true, "autoDetectOBC": true}),
    ))
    .await;
    rig.run("dev", 2).await;
    rig.server.edit("convexinstances", "dev", deleted);
    rig.run("dev", 3).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
}

/// The watch does not bring it any more, and it may well be writing.
#[tokio::test]
async fn a_pod_that_lost_its_labels_is_waited_for() {
    let rig = Rig::ready(instance("dev")).await;
    let pod = rig.server.get("pods", "dev-backend-0").unwrap();
    rig.server.edit("convexinstances", "dev", deleted);
    for _ in 0..6 {
        rig.pass("dev").await.unwrap();
        rig.settle();
        let mut stray = pod.clone();
        stray["metadata"]["labels"] = json!({});
        rig.server.remove("pods", "dev-backend-0");
        rig.server.put("pods", stray);
    }
    assert!(rig.server.get("convexinstances", "dev").is_some(), "it went before its pod");
    rig.server.remove("pods", "dev-backend-0");
    rig.run("dev", 4).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
}

/// Whatever its policy was, nobody can read it: the data stays, and the object does not hang.
#[tokio::test]
async fn an_instance_that_cannot_be_decoded_is_let_go_and_its_data_stays() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server
        .edit("convexinstances", "dev", |it| it["spec"]["dashboard"]["replicas"] = json!("many"));
    rig.pass("dev").await.unwrap_err();
    assert_eq!(rig.server.writes(), ["create event Unreadable"]);
    rig.server.edit("convexinstances", "dev", deleted);
    rig.pass("dev").await.unwrap_err();
    assert_eq!(rig.server.writes(), ["create event LetGo", "merge convexinstances/dev"]);
    assert!(rig.server.get("convexinstances", "dev").is_none());
    for (plural, name) in [("persistentvolumeclaims", "dev-data"), ("secrets", "dev-instance")] {
        let kept = rig.server.get(plural, name).unwrap();
        assert_eq!(kept["metadata"]["ownerReferences"], Value::Null, "{name}");
    }
}

#[tokio::test]
async fn the_finalizers_of_others_stay() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["finalizers"].as_array_mut().unwrap().push(json!("example.org/theirs"));
        deleted(it);
    });
    rig.run("dev", 6).await;
    let left = rig.seen("dev")["metadata"]["finalizers"].clone();
    assert_eq!(left, json!(["example.org/theirs"]));
}
