//! That users were let in to a database is said in the record of the gate: by it a database that is gone, or empty, is known from one
//! that is new.

use serde_json::{Value, json};

use super::{
    deeds::{bare, gone, loses, ready, secrets},
    servers::{self, says, served},
};
use crate::support::{
    instance::{NAMESPACE, set},
    rig::Rig,
};

pub(crate) fn record(rig: &Rig) -> Option<Value> {
    let record = rig.server.get("configmaps", "dev-gate")?["data"]["record"].clone();
    serde_json::from_str(record.as_str()?).ok()
}

/// Every record that is open while nobody is let in yet says so.
pub(crate) async fn is_noted_before_anything_opens_it(rig: &Rig) {
    let mut opens = 0;
    for _ in 0..14 {
        let _ = rig.pass("dev").await;
        if let Some(record) = record(rig).filter(|it| it["open"] == true) {
            assert_eq!(record["served"], "Original", "{}", rig.status("dev"));
            opens += 1;
        }
        rig.settle();
    }
    assert!(opens > 0 && rig.phase("dev") == "Ready", "{}", rig.status("dev"));
}

/// Else the gate would make an empty one, where the one that was left is gone or the URL leads elsewhere.
#[tokio::test]
async fn nobody_who_comes_after_makes_a_database_that_users_were_let_in_to() {
    let rig = ready(bare(json!({}))).await;
    gone(&rig).await;
    let mut second = bare(json!({}));
    second["metadata"]["uid"] = json!("second");
    set(&mut second, "/backend/instance", json!({"secretRef": "dev-instance"}));
    rig.server.put("convexinstances", second);
    is_noted_before_anything_opens_it(&rig).await;
    loses(&rig, &["configmaps/dev-gate"]);
    is_noted_before_anything_opens_it(&rig).await;
    // As where the operator ended after it had put its name into the Secret.
    loses(&rig, &["configmaps/dev-gate", "statefulsets/dev-backend"]);
    is_noted_before_anything_opens_it(&rig).await;
}

/// By it the gate knows a database that is gone from one that was never made.
#[tokio::test]
async fn a_database_that_is_made_on_demand_is_noted_once_users_are_let_in() {
    let rig = ready(bare(json!({}))).await;
    rig.run("dev", 4).await;
    assert_eq!(record(&rig).unwrap()["served"], "Original");
    rig.server.writes();
    rig.run("dev", 4).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
}

/// As where the operator ended between the edge and the note, and finds that nothing may be rolled.
#[tokio::test]
async fn it_is_noted_where_nothing_can_be_rolled_too() {
    let mut instance = bare(json!({}));
    set(&mut instance, "/backend/envFrom", json!([{"configMapRef": {"name": "more"}}]));
    let rig = Rig::with(instance).await;
    secrets(&rig);
    let more = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"MORE": "1"},
        "metadata": {"name": "more", "namespace": NAMESPACE}});
    rig.server.put("configmaps", more);
    rig.run("dev", 12).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    let mut unsaid = record(&rig).unwrap();
    assert_eq!(unsaid["served"].take(), "Original");
    rig.server
        .edit("configmaps", "dev-gate", |it| it["data"]["record"] = unsaid.to_string().into());
    rig.server.remove("configmaps", "more");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ReferenceMissing");
    assert_eq!(record(&rig).unwrap()["served"], "Original");
}

async fn is_known_to_have_served_before_it_rolls(lead: impl Fn(&Rig)) {
    let rig = servers::ready(served("dev")).await;
    rig.run("dev", 4).await;
    assert_eq!(record(&rig).unwrap()["served"], Value::Null);
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
    lead(&rig);
    rig.run("dev", 6).await;
    assert_eq!(record(&rig).unwrap()["served"], "Original");
    let writes = rig.server.writes();
    let of = |what: &str| writes.iter().position(|it| it.contains(what)).unwrap();
    assert!(of("configmaps/dev-gate") < of("statefulsets/dev-backend"), "{writes:?}");
    rig.run("dev", 4).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
}

/// In the writes that are made anyhow: another server is looked at before anything is opened there.
#[tokio::test]
async fn whoever_is_led_to_another_server_is_known_to_have_served() {
    is_known_to_have_served_before_it_rolls(|rig| says(rig, "postgresql://app:canary-1@elsewhere"))
        .await;
}

#[tokio::test]
async fn whoever_is_made_anew_for_anything_else_is_known_to_have_served() {
    is_known_to_have_served_before_it_rolls(|rig| {
        rig.server.edit("convexinstances", "dev", |it| {
            set(it, "/backend/tuning", json!({"maxConcurrentQueries": 7}));
        });
    })
    .await;
}

/// Nobody was let in yet: the first database may be as empty as it is.
#[tokio::test]
async fn whoever_is_led_to_another_server_before_anybody_was_let_in_is_not() {
    let rig = servers::rig(served("dev")).await;
    rig.backend.refuses_keys();
    rig.run("dev", 6).await;
    assert_eq!(rig.phase("dev"), "Provisioning", "{}", rig.status("dev"));
    says(&rig, "postgresql://app:canary-1@elsewhere");
    rig.run("dev", 6).await;
    assert_eq!(record(&rig).unwrap()["served"], Value::Null);
}

/// It is no sign of a record that was lost: nobody was let in yet.
#[tokio::test]
async fn a_record_that_only_the_watch_does_not_show_yet_makes_no_database_one_that_has_served() {
    let rig = Rig::with(bare(json!({}))).await;
    secrets(&rig);
    rig.backend.refuses_keys();
    rig.run("dev", 5).await;
    assert!(rig.server.get("statefulsets", "dev-backend").is_some(), "{}", rig.status("dev"));
    for _ in 0..3 {
        rig.server.edit("configmaps", "dev-gate", |it| {
            it["metadata"]["labels"].as_object_mut().unwrap().clear();
        });
        let _ = rig.pass("dev").await;
        assert_eq!(record(&rig).unwrap()["served"], Value::Null, "{}", rig.status("dev"));
    }
}
