//! Databases on servers: whose they are, and that an old version is never given one that a new one has had.

use serde_json::json;

use super::{
    keys::base64,
    servers::{deeds, ready, rig, says, secret, served, template},
};
use crate::support::{
    instance::{set, with},
    rig::Rig,
};

#[tokio::test]
async fn two_instances_never_get_one_database() {
    let rig = ready(served("dev")).await;
    // Another name of the same server, and a database of the same name.
    let mut two = served("two");
    set(&mut two, "/backend/instance", json!({"name": "dev"}));
    set(&mut two, "/backend/db/secretRef", json!("pg-two"));
    rig.server
        .put("secrets", secret("pg-two", &[("uri", "postgresql://other:canary-2@pg-rw.shop.svc")]));
    rig.server.put("convexinstances", two);
    rig.run("two", 6).await;
    assert_eq!(rig.phase("two"), "Pending");
    assert_eq!(rig.condition("two", "Ready"), "False/DatabaseInUse");
    assert_eq!(rig.condition("two", "DatabaseConnected"), "False/DatabaseInUse");
    let message = rig.status("two")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("that of ConvexInstance \"dev\""), "{message}");
    assert!(!message.contains("pg-rw") && !message.contains("canary"), "{message}");
    assert!(rig.server.get("statefulsets", "two-backend").is_none());
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "who was first keeps it");
    rig.server.edit("secrets", "pg-two", |it| {
        it["data"]["uri"] = json!(base64("postgresql://other:canary-2@elsewhere"));
    });
    rig.run("two", 12).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving");
    // Led to the database of another later on, it stays where it is.
    rig.server.edit("secrets", "pg-two", |it| {
        it["data"]["uri"] = json!(base64("postgresql://other:canary-2@pg-rw"));
    });
    rig.server.writes();
    rig.run("two", 3).await;
    assert_eq!(rig.condition("two", "Ready"), "False/DatabaseInUse");
    assert_eq!(rig.condition("two", "Available"), "True/Serving");
    assert_eq!(deeds(&rig), [""; 0]);
}

#[tokio::test]
async fn an_operator_that_remembers_nothing_finds_out_whose_a_database_is() {
    let mut rig = ready(served("dev")).await;
    rig.restarted();
    let mut two = served("two");
    set(&mut two, "/backend/instance", json!({"name": "dev"}));
    rig.server.put("convexinstances", two);
    rig.run("two", 4).await;
    assert_eq!(rig.condition("two", "Ready"), "False/DatabaseInUse");
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 12).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
    assert!(rig.server.get("secrets", "dev-database").is_none(), "what was given goes along");
    assert!(rig.server.get("secrets", "dev-instance").is_some(), "the keys stay with the data");
    rig.run("two", 12).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving", "{}", rig.status("two"));
}

/// By its name anybody may have made it, and an instance of this name that was before this one.
#[tokio::test]
async fn what_is_not_of_an_instance_says_nothing_of_its_database() {
    for owner in [json!(null), json!("of-one-before")] {
        let rig = rig(served("dev")).await;
        let mut two = served("two");
        set(&mut two, "/backend/instance", json!({"name": "dev"}));
        rig.server.put("convexinstances", two);
        let mut theirs =
            secret("two-database", &[("POSTGRES_URL", "postgresql://x:canary-2@pg-rw")]);
        let refers = json!([{"apiVersion": "convex.icod.de/v1alpha1", "kind": "ConvexInstance",
            "name": "two", "uid": owner, "controller": true}]);
        theirs["metadata"]["ownerReferences"] = if owner.is_null() { json!([]) } else { refers };
        rig.server.put("secrets", theirs);
        rig.run("dev", 12).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{owner}: {}", rig.status("dev"));
    }
}

/// A volume beside a database holds files only.
#[tokio::test]
async fn no_copy_of_a_volume_is_taken_for_a_way_back_of_a_database() {
    let mut instance = served("dev");
    set(&mut instance, "/maintenance", json!({"preUpgradeSnapshot": "Copy"}));
    let rig = ready(instance).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/WayBackUnobtainable");
    assert_eq!(deeds(&rig), [""; 0], "nothing is begun");
    let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("preUpgradeSnapshot to Auto"), "{message}");
}

/// The old version must not be let at what the new one has migrated, neither by policy nor by a version that is put back.
#[tokio::test]
async fn an_upgrade_of_a_database_that_fails_is_not_gone_back_by_itself() {
    let mut instance = served("dev");
    let maintenance = json!({"onFailure": "Rollback", "rolloutDeadlineSeconds": 0});
    set(&mut instance, "/maintenance", maintenance);
    let mut rig = ready(instance).await;
    for version in ["v2", "v1"] {
        rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!(version)));
        rig.run("dev", 15).await;
        assert_eq!(rig.phase("dev"), "Degraded", "{}", rig.status("dev"));
        let marks = template(&rig)["metadata"]["annotations"].clone();
        assert_eq!(marks["convex.icod.de/version"], "v2");
        assert_eq!(marks["convex.icod.de/store"], "Original");
        assert_eq!(rig.server.all("persistentvolumeclaims").len(), 2, "data and exports");
        let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
        assert!(message.contains("into a new database, by hand"), "{message}");
    }
    // What has stopped it may be a password that is void: a new one is taken up.
    let before = template(&rig)["metadata"].clone();
    says(&rig, "postgresql://app:canary-2@pg-rw:5432/app");
    rig.run("dev", 3).await;
    assert_ne!(template(&rig)["metadata"], before);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.backend.says("v2");
    rig.restarted();
    rig.run("dev", 8).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
}

/// Nothing of it is on a volume, and its exports are where its files are.
#[tokio::test]
async fn an_instance_that_is_on_servers_wholly_is_upgraded_after_an_export_and_keeps_no_claim() {
    let s3 = json!({"enabled": true, "secretRef": "bucket", "accessKeyIdKey": "id",
        "secretAccessKeyKey": "key", "bucket": "all", "endpoint": "https://s3.example.com"});
    let mut instance = with(served("dev"), "/backend/s3", s3);
    set(&mut instance, "/backend/storage/pvc", json!({"enabled": false}));
    set(&mut instance, "/maintenance", json!({}));
    let rig = Rig::with(instance).await;
    rig.server.put("secrets", secret("bucket", &[("id", "canary-id"), ("key", "canary-key")]));
    rig.server.put("secrets", secret("pg-app", &[("uri", "postgresql://app:canary-1@pg-rw")]));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(rig.condition("dev", "StorageReady"), "True/External");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.backend.says("v2");
    rig.run("dev", 20).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert_eq!(rig.status("dev")["runningVersion"], "v2");
    // No claim remembers the name of the data, which is that of the database too.
    let before = template(&rig);
    rig.server.edit("secrets", "dev-instance", |it| {
        it["data"]["INSTANCE_NAME"] = json!(base64("other"));
    });
    rig.server.remove("secrets", "dev-admin");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/InstanceNameChanged");
    assert_eq!(template(&rig), before);
    assert!(rig.server.all("persistentvolumeclaims").is_empty());
}

/// It serves on, and another backend would take it from it.
#[tokio::test]
async fn who_has_a_database_keeps_it_though_its_instance_cannot_be_decoded_any_more() {
    let rig = ready(served("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/backend/db", json!("no object")));
    assert!(rig.pass("dev").await.is_err(), "it can be decoded");
    let mut two = served("two");
    set(&mut two, "/backend/instance", json!({"name": "dev"}));
    rig.server.put("convexinstances", two);
    rig.run("two", 6).await;
    assert_eq!(rig.condition("two", "Ready"), "False/DatabaseInUse", "{}", rig.status("two"));
}
