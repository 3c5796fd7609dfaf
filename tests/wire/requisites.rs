//! What the backend's pod takes from its namespace: nothing asks for what is not there, and a change rolls exactly once.

use serde_json::{Value, json};

use super::variables::{rolls, sourced};

use crate::support::{
    instance::{instance, set, with},
    rig::Rig,
};

pub(crate) fn config(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {"name": name, "namespace": "shop"}})
}

pub(crate) fn from(name: &str) -> Value {
    json!([{"configMapRef": {"name": name}}])
}

pub(crate) fn template(rig: &Rig) -> Value {
    rig.server.get("statefulsets", "dev-backend").unwrap()["spec"]["template"].clone()
}

/// The pod that runs would be gone before it is known that the next one does not start.
#[tokio::test]
async fn what_is_missing_is_told_and_the_backend_that_runs_stays_until_it_is_there() {
    let name = |name: &str| json!({"serviceAccount": {"name": name}});
    let volume = |source: Value| json!({"volumes": [source]});
    for (place, value, plural) in [
        ("/backend/envFrom", from("late"), "configmaps"),
        ("/backend/envFrom", json!([{"secretRef": {"name": "late"}}]), "secrets"),
        ("/backend/pod", name("late"), "serviceaccounts"),
        ("/backend/pod", json!({"priorityClassName": "late"}), "priorityclasses"),
        ("/backend/pod", volume(json!({"name": "x", "configMap": {"name": "late"}})), "configmaps"),
        ("/backend/pod", volume(json!({"name": "x", "secret": {"secretName": "late"}})), "secrets"),
        (
            "/backend/pod",
            volume(json!({"name": "x", "persistentVolumeClaim": {"claimName": "late"}})),
            "persistentvolumeclaims",
        ),
        (
            "/backend/pod",
            volume(json!({"name": "x", "projected": {"sources": [{"secret": {"name": "late"}}]}})),
            "secrets",
        ),
    ] {
        let rig = Rig::ready(instance("dev")).await;
        let before = template(&rig);
        rig.server.edit("convexinstances", "dev", |it| set(it, place, value.clone()));
        rig.run("dev", 4).await;
        assert_eq!(rig.condition("dev", "Ready"), "False/ReferenceMissing", "{value}");
        assert_eq!(rig.condition("dev", "Available"), "True/Serving", "{value}");
        assert_eq!(template(&rig), before, "{value}");
        let object = json!({"metadata": {"name": "late", "namespace":
            if plural == "priorityclasses" { "" } else { "shop" }}, "value": 1});
        rig.server.put(plural, object);
        rig.run("dev", 4).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{value}");
    }
}

#[tokio::test]
async fn an_instance_is_not_begun_before_everything_is_there() {
    let rig = Rig::with(with(instance("dev"), "/backend/envFrom", from("late"))).await;
    rig.run("dev", 6).await;
    assert_eq!((rig.phase("dev"), rig.server.all("statefulsets").len()), ("Pending".to_owned(), 0));
    assert_eq!(rig.condition("dev", "Ready"), "False/ReferenceMissing");
    rig.server.put("configmaps", config("late", &json!({})));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn no_upgrade_begins_whose_pod_would_not_start() {
    let rig = sourced().await;
    rig.server.remove("configmaps", "app");
    rig.server.edit("convexinstances", "dev", |it| it["spec"]["version"] = json!("v2"));
    rig.backend.says("v2");
    rig.run("dev", 6).await;
    assert_eq!((rig.phase("dev"), rolls(&rig)), ("Ready".to_owned(), 0));
    rig.server.put("configmaps", config("app", &json!({"A": "1", "B": "2"})));
    rig.run("dev", 12).await;
    assert_eq!(rig.status("dev")["runningVersion"], "v2");
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn the_data_of_an_instance_is_mounted_nowhere_else() {
    let rig = Rig::ready(instance("dev")).await;
    let before = template(&rig);
    rig.server.edit("convexinstances", "dev", |it| {
        let claim = json!({"name": "x", "persistentVolumeClaim": {"claimName": "dev-data"}});
        set(it, "/backend/pod", json!({"volumes": [claim]}));
    });
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ClaimInUse");
    assert_eq!(template(&rig), before);
}

#[tokio::test]
async fn a_deletion_asks_for_nothing_and_waits_for_nothing() {
    let rig = sourced().await;
    rig.server.remove("configmaps", "app");
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 12).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
}

#[tokio::test]
async fn a_changed_knob_rolls_the_backend_exactly_once() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/tuning", json!({"documentRetention": "72h"}));
        set(it, "/backend/metrics", json!({"enabled": true}));
    });
    rig.run("dev", 6).await;
    assert_eq!(rolls(&rig), 1);
    let environment = rig.environment("dev");
    assert_eq!(environment["DOCUMENT_RETENTION_DELAY"], "259200");
    assert_eq!(environment["DISABLE_METRICS_ENDPOINT"], Value::Null);
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// Neither beside a backend that runs, nor where the claim comes later than the wish.
#[tokio::test]
async fn the_data_of_an_instance_is_not_mounted_into_its_dashboard_either() {
    let claim = json!({"name": "x", "persistentVolumeClaim": {"claimName": "dev-data"}});
    let mounted = json!({"pod": {"volumes": [claim]}});
    let rig = Rig::ready(instance("dev")).await;
    let before = rig.server.get("deployments", "dev-dashboard");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/dashboard", mounted.clone()));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "DashboardReady"), "False/ClaimInUse");
    assert_eq!(rig.condition("dev", "Ready"), "False/ClaimInUse");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert_eq!(rig.server.get("deployments", "dev-dashboard"), before);
    let mut off = mounted.clone();
    off["enabled"] = json!(false);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/dashboard", off));
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "one that is off mounts nothing");
    let rig = Rig::with(with(instance("dev"), "/dashboard", mounted)).await;
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Available"), "True/Serving", "{}", rig.status("dev"));
    assert!(rig.server.all("deployments").is_empty());
}

/// An operator of one namespace may have no right to look at what belongs to the cluster.
#[tokio::test]
async fn a_class_that_may_not_be_looked_up_is_taken_at_the_specs_word() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/pod", json!({"priorityClassName": "important"}));
    });
    rig.server.fail_next("get priorityclasses", 403);
    rig.pass("dev").await.unwrap();
    assert_eq!(template(&rig)["spec"]["priorityClassName"], "important");
}
