//! An annotation leaves everything as it is until it is gone.

use serde_json::{Value, json};

use crate::support::{
    instance::{instance, set},
    request::Asked,
    rig::Rig,
};

const PAUSED: &str = "convex.icod.de/paused";

fn asks(rig: &Rig, value: &Value) {
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["annotations"][PAUSED] = value.clone();
    });
}

#[tokio::test]
async fn nothing_is_read_or_written_but_one_status_that_says_so() {
    let rig = Rig::ready(instance("dev")).await;
    let ready = rig.condition("dev", "Ready");
    asks(&rig, &json!("true"));
    rig.server.remove("services", "dev-backend");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.server.asked();
    rig.run("dev", 4).await;
    let asked: Vec<_> = rig.server.asked().iter().map(Asked::words).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(rig.condition("dev", "Paused"), "True/Paused");
    assert_eq!((rig.condition("dev", "Ready"), rig.phase("dev")), (ready, "Ready".to_owned()));
    let told = rig.status("dev")["conditions"].to_string();
    assert!(told.contains("kubectl annotate convexinstance dev convex.icod.de/paused-"), "{told}");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v3")));
    rig.run("dev", 2).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new(), "a change of the spec is none of its");
}

#[tokio::test]
async fn once_it_is_gone_everything_goes_on_and_nothing_says_so_any_more() {
    let rig = Rig::ready(instance("dev")).await;
    asks(&rig, &json!("true"));
    rig.run("dev", 2).await;
    rig.server.remove("services", "dev-backend");
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["annotations"].as_object_mut().unwrap().remove(PAUSED);
    });
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Paused"), "");
    rig.run("dev", 3).await;
    assert!(rig.server.get("services", "dev-backend").is_some());
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn a_deletion_goes_on_all_the_same() {
    let rig = Rig::ready(instance("dev")).await;
    asks(&rig, &json!("true"));
    rig.run("dev", 2).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 12).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
}

#[tokio::test]
async fn an_instance_that_was_never_looked_at_is_not_begun() {
    let mut paused = instance("dev");
    paused["metadata"]["annotations"] = json!({PAUSED: "true"});
    let rig = Rig::with(paused).await;
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Paused"), "True/Paused");
    assert_eq!(rig.seen("dev")["metadata"]["finalizers"], Value::Null);
    asks(&rig, &json!("false"));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}
