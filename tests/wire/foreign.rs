//! Objects of other people that have the names of children.

use serde_json::{Value, json};

use crate::support::{
    instance::{foreign, instance, looked_at, with},
    rig::Rig,
};

#[tokio::test]
async fn what_stands_there_before_is_found_before_anything_is_made() {
    let names = [
        ("configmaps", "ConfigMap", "dev-gate"),
        ("services", "Service", "dev-backend"),
        ("statefulsets", "StatefulSet", "dev-backend"),
        ("deployments", "Deployment", "dev-dashboard"),
        ("services", "Service", "dev-dashboard"),
        ("secrets", "Secret", "dev-instance"),
        ("secrets", "Secret", "dev-admin"),
        ("persistentvolumeclaims", "PersistentVolumeClaim", "dev-data"),
    ];
    for (plural, kind, name) in names {
        let rig = Rig::with(instance("dev")).await;
        let there = rig.server.put(plural, foreign(kind, name));
        rig.run("dev", 3).await;
        assert_eq!(rig.phase("dev"), "Pending", "{kind} {name}");
        assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict", "{kind} {name}");
        let children = rig.server.writes().iter().filter(|it| it.starts_with("create ")).count();
        assert_eq!(children, 1, "the Event alone: {kind} {name}");
        let now = rig.server.get(plural, name).unwrap();
        assert_eq!(now["metadata"]["uid"], there["metadata"]["uid"]);
        assert_eq!(now["metadata"]["labels"], Value::Null);
    }
}

#[tokio::test]
async fn what_comes_between_the_look_and_the_creation_is_left_untouched_and_told() {
    let names = [
        ("configmaps", "ConfigMap", "dev-gate"),
        ("statefulsets", "StatefulSet", "dev-backend"),
        ("deployments", "Deployment", "dev-dashboard"),
        ("persistentvolumeclaims", "PersistentVolumeClaim", "dev-data"),
    ];
    for (plural, kind, name) in names {
        let rig = Rig::with(looked_at("dev")).await;
        rig.pass("dev").await.unwrap();
        rig.server.put(plural, foreign(kind, name));
        let there = rig.server.get(plural, name).unwrap();
        for _ in 0..3 {
            rig.pass("dev").await.unwrap();
        }
        assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict", "{kind} {name}");
        assert_eq!(rig.server.get(plural, name).unwrap(), there, "{kind} {name}");
    }
}

#[tokio::test]
async fn nothing_is_built_on_what_belongs_to_somebody_else() {
    for (plural, kind, name) in [
        ("configmaps", "ConfigMap", "dev-gate"),
        ("persistentvolumeclaims", "PersistentVolumeClaim", "dev-data"),
    ] {
        let rig = Rig::with(looked_at("dev")).await;
        rig.pass("dev").await.unwrap();
        rig.server.put(plural, foreign(kind, name));
        rig.run("dev", 3).await;
        assert!(rig.server.get("statefulsets", "dev-backend").is_none(), "{kind}");
    }
}

#[tokio::test]
async fn it_goes_on_by_itself_once_the_name_is_free() {
    let rig = Rig::with(instance("dev")).await;
    rig.server.put("configmaps", foreign("ConfigMap", "dev-gate"));
    rig.run("dev", 3).await;
    rig.server.remove("configmaps", "dev-gate");
    rig.run("dev", 6).await;
    assert_eq!(rig.phase("dev"), "Ready");
}

/// Whoever deletes an instance that could not be made deletes nothing of those who were there before.
#[tokio::test]
async fn what_belongs_to_somebody_else_outlives_an_instance_that_takes_its_data_along() {
    for (plural, kind, name) in [
        ("secrets", "Secret", "dev-instance"),
        ("secrets", "Secret", "dev-admin"),
        ("persistentvolumeclaims", "PersistentVolumeClaim", "dev-data"),
        ("configmaps", "ConfigMap", "dev-gate"),
        ("services", "Service", "dev-backend"),
        ("statefulsets", "StatefulSet", "dev-backend"),
        ("deployments", "Deployment", "dev-dashboard"),
    ] {
        let rig = Rig::with(with(looked_at("dev"), "/deletionPolicy", json!("Delete"))).await;
        let there = rig.server.put(plural, foreign(kind, name));
        rig.run("dev", 2).await;
        rig.server.edit("convexinstances", "dev", |it| {
            it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        });
        rig.run("dev", 6).await;
        assert!(rig.server.get("convexinstances", "dev").is_none(), "{kind} {name}");
        let now = rig.server.get(plural, name);
        assert_eq!(
            now.map(|it| it["metadata"]["uid"].clone()),
            Some(there["metadata"]["uid"].clone()),
            "{kind} {name}"
        );
    }
}

/// The label of an instance proves nothing where another object owns the child.
#[tokio::test]
async fn what_another_object_owns_is_not_ours_whatever_its_labels_say() {
    let rig = Rig::ready(instance("dev")).await;
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "uid": "other",
        "controller": true}]);
    for (plural, name) in [("services", "dev-dashboard"), ("deployments", "dev-dashboard")] {
        rig.server.edit(plural, name, |it| {
            it["metadata"]["ownerReferences"] = owner.clone();
            it["metadata"]["labels"]["example.org/theirs"] = json!("yes");
        });
    }
    let there = rig.server.get("services", "dev-dashboard").unwrap();
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 6).await;
    assert_eq!(rig.server.get("services", "dev-dashboard"), Some(there));
    assert!(rig.server.get("deployments", "dev-dashboard").is_some());
}

/// The pod of somebody else's `StatefulSet` has the name that ours would have.
#[tokio::test]
async fn a_deletion_does_not_wait_for_a_pod_of_somebody_else() {
    let rig = Rig::with(looked_at("dev")).await;
    rig.server.put("statefulsets", foreign("StatefulSet", "dev-backend"));
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "dev-data"}}]);
    rig.server.put("persistentvolumeclaims", foreign("PersistentVolumeClaim", "dev-data"));
    let mut pod = foreign("Pod", "dev-backend-0");
    pod["spec"] = json!({"containers": [], "volumes": volumes});
    rig.server.put("pods", pod);
    rig.pass("dev").await.unwrap();
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    for _ in 0..4 {
        if rig.server.get("convexinstances", "dev").is_some() {
            rig.pass("dev").await.unwrap();
        }
    }
    assert!(rig.server.get("convexinstances", "dev").is_none());
    assert!(rig.server.get("pods", "dev-backend-0").is_some());
}

#[tokio::test]
async fn who_has_no_dashboard_has_no_use_for_its_names() {
    for kind in ["Deployment", "Service"] {
        let without = with(instance("dev"), "/dashboard/enabled", json!(false));
        let rig = Rig::with(without).await;
        let plural = format!("{}s", kind.to_lowercase());
        let there = rig.server.put(&plural, foreign(kind, "dev-dashboard"));
        rig.run("dev", 6).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{kind}");
        assert_eq!(
            rig.server.get(&plural, "dev-dashboard").unwrap()["metadata"]["uid"],
            there["metadata"]["uid"]
        );
    }
}
