//! Claims that were there before, and whoever else has them open.

use serde_json::{Value, json};

use crate::support::{
    instance::{foreign, instance, set, with},
    rig::Rig,
};

#[tokio::test]
async fn two_instances_that_ask_for_one_claim_never_both_get_it() {
    let rig = Rig::new().await;
    rig.server.put("persistentvolumeclaims", foreign("PersistentVolumeClaim", "shared"));
    for name in ["dev", "other"] {
        let wants = with(instance(name), "/backend/storage/pvc/existingClaim", json!("shared"));
        rig.server.put("convexinstances", wants);
    }
    for _ in 0..8 {
        for name in ["dev", "other"] {
            let _ = rig.pass(name).await;
        }
        rig.settle();
    }
    let sets = rig.server.all("statefulsets");
    assert_eq!(sets.len(), 1, "two backends on one volume");
    let told = ["dev", "other"].map(|name| rig.condition(name, "Ready"));
    assert!(told.contains(&"False/ClaimInUse".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_claim_that_was_kept_is_taken_over_only_when_asked_for() {
    let rig = Rig::ready(instance("dev")).await;
    let finalized =
        |it: &mut Value| it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    rig.server.edit("convexinstances", "dev", finalized);
    rig.run("dev", 6).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
    let secret = rig.server.get("secrets", "dev-instance").unwrap();

    rig.server.put("convexinstances", instance("dev"));
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
    assert!(rig.status("dev")["message"].as_str().unwrap().contains("existingClaim: dev-data"));

    rig.server.remove("convexinstances", "dev");
    let again = with(instance("dev"), "/backend/storage/pvc/existingClaim", json!("dev-data"));
    rig.server.put("convexinstances", again);
    rig.run("dev", 8).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    assert_eq!(rig.server.get("secrets", "dev-instance").unwrap()["data"], secret["data"]);
    let uid = rig.seen("dev")["metadata"]["uid"].clone();
    for (plural, name) in [("secrets", "dev-instance"), ("persistentvolumeclaims", "dev-data")] {
        let kept = rig.server.get(plural, name).unwrap();
        assert_eq!(kept["metadata"]["labels"]["convex.icod.de/instance-uid"], uid);
    }
}

/// Whoever looks into the data of a suspended instance keeps it from being opened until they are done.
#[tokio::test]
async fn a_suspended_instance_is_not_resumed_onto_a_claim_that_another_pod_has_open() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| it["spec"]["suspend"] = json!(true));
    rig.run("dev", 4).await;
    let mut pod = foreign("Pod", "somebody");
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "dev-data"}}]);
    pod["spec"] = json!({"containers": [], "volumes": volumes});
    rig.server.put("pods", pod);
    rig.server.edit("convexinstances", "dev", |it| it["spec"]["suspend"] = json!(false));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ClaimInUse");
    assert!(rig.server.get("pods", "dev-backend-0").is_none());
    rig.server.remove("pods", "somebody");
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// Of a pod that a controller keeps there is always another one.
#[tokio::test]
async fn who_has_the_claim_open_is_named_with_who_keeps_it_and_what_has_ended_has_nothing_open() {
    let claim = || foreign("PersistentVolumeClaim", "shared");
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}]);
    let wants = || with(instance("dev"), "/backend/storage/pvc/existingClaim", json!("shared"));
    let told = async |edit: &dyn Fn(&mut Value)| {
        let rig = Rig::with(wants()).await;
        rig.server.put("persistentvolumeclaims", claim());
        let mut pod = foreign("Pod", "other");
        pod["spec"] = json!({"containers": [], "volumes": volumes});
        edit(&mut pod);
        rig.server.put("pods", pod);
        rig.run("dev", 6).await;
        rig.status("dev")["message"].as_str().unwrap().to_owned()
    };
    let alone = told(&|_| {}).await;
    assert!(alone.ends_with("kubectl delete pod other"), "{alone}");
    for (kind, end) in
        [("StatefulSet", "kubectl delete statefulset old"), ("ReplicaSet", "stop what keeps it")]
    {
        let owner = json!([{"apiVersion": "apps/v1", "kind": kind, "name": "old", "uid": "1",
            "controller": true}]);
        let kept = told(&|pod| pod["metadata"]["ownerReferences"] = owner.clone()).await;
        assert!(kept.contains(&format!("(kept by {kind} old)")), "{kept}");
        assert!(kept.ends_with(end), "{kept}");
    }
    for over in ["Succeeded", "Failed"] {
        let message = told(&|pod| pod["status"] = json!({"phase": over})).await;
        assert_eq!(message, "the backend serves v1", "{over}");
    }
}

/// The operator has not made it, and whoever names a claim to try something out does not mean to lose it.
#[tokio::test]
async fn a_claim_that_the_spec_names_is_neither_grown_by_a_default_nor_deleted_by_a_policy() {
    let named = with(instance("dev"), "/backend/storage/pvc/existingClaim", json!("precious"));
    let rig = Rig::with(with(named, "/deletionPolicy", json!("Delete"))).await;
    let mut claim = foreign("PersistentVolumeClaim", "precious");
    claim["spec"] = json!({"resources": {"requests": {"storage": "1Gi"}}});
    rig.server.put("persistentvolumeclaims", claim);
    rig.run("dev", 6).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    let size = || {
        let claim = rig.server.get("persistentvolumeclaims", "precious").unwrap();
        claim["spec"]["resources"]["requests"]["storage"].clone()
    };
    assert_eq!(size(), "1Gi");
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/storage/pvc/size", json!("2Gi"));
    });
    rig.run("dev", 3).await;
    assert_eq!(size(), "2Gi", "it was asked for");
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 6).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
    assert!(rig.server.get("persistentvolumeclaims", "precious").is_some());
    assert!(rig.server.get("secrets", "dev-instance").is_some(), "the keys of that data");
    assert!(rig.server.get("secrets", "dev-admin").is_none());
}
