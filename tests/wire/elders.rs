//! Of two instances that nobody has given a database yet it is the older one's, unless that one waits for something else.

use serde_json::{Value, json};

use super::{
    requisites::from,
    servers::{given, rig, says, secret, served},
};
use crate::support::{instance::set, rig::Rig};

/// One that was made on this day of a month, for the database `dev`.
fn of_day(name: &str, day: u8) -> Value {
    let mut instance = served(name);
    instance["metadata"]["creationTimestamp"] = json!(format!("2026-01-0{day}T00:00:00Z"));
    set(&mut instance, "/backend/instance", json!({"name": "dev"}));
    instance
}

/// What the younger one is told, beside this older one.
async fn told(older: Value) -> (Rig, String) {
    let rig = rig(older).await;
    rig.server.put("convexinstances", of_day("two", 2));
    rig.run("dev", 6).await;
    rig.run("two", 12).await;
    let told = rig.condition("two", "Ready");
    (rig, told)
}

/// Whichever of them is looked at first.
#[tokio::test]
async fn of_two_new_instances_on_one_database_it_is_the_older_ones() {
    let mut older = served("dev");
    older["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    let mut younger = served("a-two");
    younger["metadata"]["creationTimestamp"] = json!("2026-01-02T00:00:00Z");
    set(&mut younger, "/backend/instance", json!({"name": "dev"}));
    let rig = rig(older).await;
    rig.server.put("convexinstances", younger);
    rig.run("a-two", 4).await;
    assert_eq!(rig.condition("a-two", "Ready"), "False/DatabaseInUse");
    assert!(rig.server.get("secrets", "a-two-database").is_none());
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    rig.run("a-two", 4).await;
    assert_eq!(rig.condition("a-two", "Ready"), "False/DatabaseInUse");
}

/// Where it leads is not known before, and once it is, somebody else is there.
#[tokio::test]
async fn an_older_instance_whose_secret_is_not_there_yet_keeps_nobody_from_a_database() {
    let mut older = served("dev");
    older["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    set(&mut older, "/backend/db/secretRef", json!("to-come"));
    let mut younger = served("two");
    younger["metadata"]["creationTimestamp"] = json!("2026-01-02T00:00:00Z");
    set(&mut younger, "/backend/instance", json!({"name": "dev"}));
    let rig = rig(older).await;
    rig.server.put("convexinstances", younger);
    rig.run("two", 12).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving", "{}", rig.status("two"));
    rig.server.put("secrets", secret("to-come", &[("uri", "postgresql://b:canary-2@pg-rw")]));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/DatabaseInUse");
    rig.run("two", 2).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving");
    // What it has it keeps, by whatever password.
    says(&rig, "postgresql://app:canary-9@pg-rw:5432/app");
    rig.run("two", 4).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving", "{}", rig.status("two"));
    assert!(given(&rig, "two-database", "POSTGRES_URL").contains("canary-9"));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/DatabaseInUse");
}

/// It would keep everybody else from it for as long as it waits.
#[tokio::test]
async fn an_older_instance_that_waits_for_something_else_keeps_nobody_from_a_database() {
    let s3 = json!({"enabled": true, "secretRef": "nowhere", "accessKeyIdKey": "id",
        "secretAccessKeyKey": "key", "bucket": "all", "endpoint": "https://s3.example.com"});
    for (place, value) in [
        ("/backend/db/databaseName", json!("another")),
        ("/backend/envFrom", from("nowhere")),
        ("/backend/s3", s3),
    ] {
        let mut older = of_day("dev", 1);
        set(&mut older, place, value);
        let (rig, told) = told(older).await;
        assert_eq!(told, "True/Serving", "{place}: {}", rig.status("two"));
        assert!(rig.condition("dev", "Ready").starts_with("False/"), "{place}");
    }
    let mut paused = of_day("dev", 1);
    paused["metadata"]["annotations"] = json!({"convex.icod.de/paused": "true"});
    assert_eq!(told(paused).await.1, "True/Serving");
    let mut not_paused = of_day("dev", 1);
    not_paused["metadata"]["annotations"] = json!({"convex.icod.de/paused": "false"});
    assert_eq!(told(not_paused).await.1, "False/DatabaseInUse");
    let mut goes = of_day("dev", 1);
    goes["metadata"]["deletionTimestamp"] = json!("2026-01-03T00:00:00Z");
    goes["metadata"]["finalizers"] = json!(["example.com/kept"]);
    let rig = rig(goes).await;
    rig.server.put("convexinstances", of_day("two", 2));
    rig.run("two", 12).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving", "{}", rig.status("two"));
}

/// It has a database, though nothing says so but its own Secret: the copy of it was deleted, and nobody remembers.
#[tokio::test]
async fn an_older_instance_that_is_in_trouble_has_its_database_still() {
    let mut rig = rig(of_day("dev", 1)).await;
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    rig.server.edit("convexinstances", "dev", |it| {
        let conditions = it["status"]["conditions"].as_array_mut().unwrap();
        let ready = conditions.iter_mut().find(|it| it["type"] == "Ready").unwrap();
        (ready["status"], ready["reason"]) = (json!("False"), json!("CrashLoop"));
    });
    rig.server.remove("secrets", "dev-database");
    rig.restarted();
    rig.server.put("convexinstances", of_day("two", 2));
    rig.run("two", 4).await;
    assert_eq!(rig.condition("two", "Ready"), "False/DatabaseInUse");
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
}

/// It was about to have it when an older one was led there: it gives way, or both would wait for each other.
#[tokio::test]
async fn a_younger_one_that_was_given_nothing_yet_gives_way_to_an_older_one() {
    let mut older = of_day("dev", 1);
    set(&mut older, "/backend/db/secretRef", json!("to-come"));
    let rig = rig(older).await;
    rig.server.put("convexinstances", of_day("two", 2));
    rig.pass("dev").await.unwrap();
    rig.server.fail_next("create secrets/two-database", 500);
    for _ in 0..4 {
        if rig.pass("two").await.is_err() {
            break;
        }
    }
    assert!(rig.server.get("secrets", "two-database").is_none());
    rig.server.put("secrets", secret("to-come", &[("uri", "postgresql://b:canary-2@pg-rw")]));
    rig.pass("dev").await.unwrap();
    rig.run("two", 2).await;
    assert_eq!(rig.condition("two", "Ready"), "False/DatabaseInUse");
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
}

/// It had asked first and was given nothing: a pass by what a watch still showed came after it had gone.
#[tokio::test]
async fn what_an_instance_was_about_to_have_is_free_once_it_has_gone() {
    let rig = rig(of_day("two", 2)).await;
    rig.server.fail_next("create secrets/two-database", 500);
    for _ in 0..4 {
        if rig.pass("two").await.is_err() {
            break;
        }
    }
    assert!(rig.server.get("secrets", "two-database").is_none());
    rig.server.remove("convexinstances", "two");
    rig.server.put("convexinstances", of_day("three", 3));
    rig.run("three", 12).await;
    assert_eq!(rig.condition("three", "Ready"), "True/Serving", "{}", rig.status("three"));
}

/// Its Secret is read where it is, and a name without a namespace is one of its own.
#[tokio::test]
async fn an_older_instance_of_another_namespace_comes_first_too() {
    for (uri, told) in [("pg-rw.shop", "False/DatabaseInUse"), ("pg-rw", "True/Serving")] {
        let rig = rig(of_day("two", 2)).await;
        let mut older = of_day("dev", 1);
        older["metadata"]["namespace"] = json!("other");
        older["metadata"]["uid"] = json!("of-another");
        set(&mut older, "/backend/db/secretRef", json!("theirs"));
        rig.server.put("convexinstances", older);
        let mut theirs = secret("theirs", &[("uri", &format!("postgresql://b:canary-2@{uri}"))]);
        theirs["metadata"]["namespace"] = json!("other");
        rig.server.put("secrets", theirs);
        rig.run("two", 12).await;
        assert_eq!(rig.condition("two", "Ready"), told, "{uri}: {}", rig.status("two"));
        assert!(!rig.status("two").to_string().contains("theirs"), "{}", rig.status("two"));
    }
}
