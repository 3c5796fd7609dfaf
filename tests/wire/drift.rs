//! Children that are edited, deleted, or no longer wanted as they were.

use serde_json::json;

use crate::support::{
    instance::{instance, set, with},
    rig::Rig,
};

#[tokio::test]
async fn an_edited_field_of_ours_is_put_back_by_one_apply() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("statefulsets", "dev-backend", |it| {
        let env = &mut it["spec"]["template"]["spec"]["containers"][0]["env"];
        let of = env.as_array_mut().unwrap().iter_mut().find(|it| it["name"] == "DATA_DIR");
        of.unwrap()["value"] = json!("/elsewhere");
    });
    assert_eq!(rig.environment("dev")["DATA_DIR"], "/elsewhere");
    rig.pass("dev").await.unwrap();
    // Its pod is made anew, which is told.
    let told = ["apply statefulsets/dev-backend", "update convexinstances/dev/status"];
    assert_eq!(rig.server.writes(), told);
    assert_eq!(rig.environment("dev")["DATA_DIR"], "/convex/data");
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), ["update convexinstances/dev/status"], "it is back");
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0]);
}

#[tokio::test]
async fn a_field_of_somebody_else_stays() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("services", "dev-backend", |it| {
        it["metadata"]["annotations"]["mesh.example.com/inject"] = json!("true");
        it["spec"]["type"] = json!("LoadBalancer");
    });
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
    rig.server.edit("services", "dev-backend", |it| it["spec"]["ports"][0]["port"] = json!(80));
    rig.run("dev", 3).await;
    let service = rig.server.get("services", "dev-backend").unwrap();
    assert_eq!(service["spec"]["type"], "LoadBalancer");
    assert_eq!(service["metadata"]["annotations"]["mesh.example.com/inject"], "true");
}

#[tokio::test]
async fn a_deleted_child_is_made_again() {
    for (plural, name) in [
        ("configmaps", "dev-gate"),
        ("services", "dev-backend"),
        ("services", "dev-dashboard"),
        ("deployments", "dev-dashboard"),
        ("statefulsets", "dev-backend"),
        ("secrets", "dev-admin"),
    ] {
        let rig = Rig::ready(instance("dev")).await;
        rig.server.remove(plural, name);
        rig.run("dev", 6).await;
        assert!(rig.server.get(plural, name).is_some(), "{plural}/{name}");
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{plural}/{name}");
    }
}

#[tokio::test]
async fn what_was_set_at_the_creation_and_is_no_longer_wanted_is_taken_away() {
    let extra = json!([{"name": "EXTRA", "value": "1"}, {"name": "KEPT", "value": "2"}]);
    let rig = Rig::ready(with(instance("dev"), "/backend/env", extra)).await;
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/env", json!([{"name": "KEPT", "value": "2"}]));
    });
    rig.run("dev", 6).await;
    let set = rig.server.get("statefulsets", "dev-backend").unwrap();
    let env = set["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
    assert!(!env.contains("EXTRA") && env.contains("KEPT"), "{env}");
    rig.server.writes();
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_changed_spec_is_not_called_ready_before_the_pod_follows() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/env", json!([{"name": "NEW", "value": "1"}]));
    });
    rig.pass("dev").await.unwrap();
    let status = rig.status("dev");
    let seen = status["observedGeneration"] == rig.seen("dev")["metadata"]["generation"];
    assert!(!seen || rig.condition("dev", "Ready").starts_with("False"), "{status}");
    rig.run("dev", 5).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn the_dashboard_goes_and_comes_with_its_switch() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/dashboard/enabled", json!(false)));
    rig.run("dev", 3).await;
    let gone = ["delete deployments/dev-dashboard", "delete services/dev-dashboard"];
    let writes = rig.server.writes();
    assert!(gone.iter().all(|it| writes.contains(&(*it).to_owned())), "{writes:?}");
    assert_eq!(rig.condition("dev", "DashboardReady"), "True/Disabled");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/dashboard/enabled", json!(true)));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "DashboardReady"), "True/Available");
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn a_lost_status_is_rebuilt_from_what_is_there() {
    let rig = Rig::ready(instance("dev")).await;
    let set = rig.server.get("statefulsets", "dev-backend").unwrap();
    rig.server.edit("convexinstances", "dev", |it| it["status"] = json!({}));
    rig.run("dev", 6).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    // What it asks for is the same; only the fence of the rebuild is new.
    let rebuilt = rig.server.get("statefulsets", "dev-backend").unwrap();
    assert_eq!(rebuilt["spec"], set["spec"]);
    assert_eq!(rebuilt["metadata"]["generation"], set["metadata"]["generation"]);
}

/// As a restore of a backup leaves it: neither status nor finalizer, and children that say what the data is.
#[tokio::test]
async fn an_instance_without_any_memory_is_upgraded_from_what_its_children_say() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["status"] = json!({});
        it["metadata"]["finalizers"] = json!([]);
        it["spec"]["version"] = json!("v2");
    });
    rig.backend.says("v2");
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    let history = rig.status("dev")["history"].clone();
    let reasons: Vec<_> =
        history.as_array().unwrap().iter().map(|it| it["reason"].clone()).collect();
    assert_eq!(reasons, ["Provisioning", "Settled", "Ready", "UpgradeStarted", "UpgradeFinished"]);
}

#[tokio::test]
async fn a_claim_that_is_being_deleted_is_a_loss_and_nothing_is_moved() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("persistentvolumeclaims", "dev-data", |it| {
        it["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 3).await;
    assert_eq!(rig.phase("dev"), "Degraded");
    assert_eq!(rig.condition("dev", "Ready"), "False/StoreLost");
    assert_eq!(rig.condition("dev", "StorageReady"), "False/ClaimTerminating");
    assert!(rig.server.get("pods", "dev-backend-0").is_some());
}

/// Nothing is built on the size of a claim.
#[tokio::test]
async fn a_claim_that_may_not_grow_keeps_nothing_else_from_being_put_back() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/storage/pvc/size", json!("1Ti"));
    });
    rig.server.remove("services", "dev-dashboard");
    rig.server.remove("services", "dev-backend");
    rig.server.fail_next("apply persistentvolumeclaims/dev-data", 403);
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "False/VolumeResizeRefused");
    assert_eq!(rig.condition("dev", "StorageReady"), "False/VolumeResizeRefused");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert!(rig.server.get("services", "dev-dashboard").is_some());
    assert!(rig.server.get("services", "dev-backend").is_some());
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// It runs, and nobody is led to it; nobody replaces it either, since its name is taken.
#[tokio::test]
async fn a_pod_that_lost_what_the_service_selects_by_is_said_to_be_astray() {
    for label in ["app.kubernetes.io/component", "convex.icod.de/traffic"] {
        let rig = Rig::ready(instance("dev")).await;
        rig.server.edit("pods", "dev-backend-0", |it| {
            it["metadata"]["labels"].as_object_mut().unwrap().remove(label);
        });
        rig.pass("dev").await.unwrap();
        assert_eq!(rig.condition("dev", "Ready"), "False/PodAstray", "{label}");
        assert!(rig.status("dev")["message"].as_str().unwrap().contains("kubectl delete pod"));
    }
}

#[tokio::test]
async fn what_is_added_to_a_selector_is_taken_away() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("services", "dev-backend", |it| it["spec"]["selector"]["evil"] = json!("yes"));
    rig.run("dev", 2).await;
    let service = rig.server.get("services", "dev-backend").unwrap();
    assert!(service["spec"]["selector"].get("evil").is_none(), "{service}");
    rig.server.writes();
    rig.run("dev", 2).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
}
