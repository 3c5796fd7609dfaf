//! Who comes after an instance that was deleted before it had let anybody in.

use serde_json::{Value, json};

use super::{
    deeds::{bare, gone, ready, secrets},
    fresh_databases::makes_databases,
    let_in::{is_noted_before_anything_opens_it, record},
};
use crate::support::{instance::set, rig::Rig};

/// One whose backend never answers.
async fn never_ready(rig: &Rig, instance: Value) {
    rig.backend.refuses_keys();
    rig.server.put("convexinstances", instance);
    for _ in 0..8 {
        let _ = rig.pass("dev").await;
        rig.settle();
        let record = record(rig).unwrap_or_default();
        assert_eq!(record["served"], Value::Null, "{}", rig.status("dev"));
    }
    let open = record(rig).is_some_and(|it| it["open"] == true);
    assert!(open && rig.phase("dev") == "Provisioning", "{}", rig.status("dev"));
}

fn successor(uid: &str) -> Value {
    let mut instance = bare(json!({}));
    instance["metadata"]["uid"] = json!(uid);
    set(&mut instance, "/backend/instance", json!({"secretRef": "dev-instance"}));
    instance
}

/// As where the first one was led to the wrong server: what is found empty then was never anybody's.
#[tokio::test]
async fn whoever_comes_after_one_that_never_let_anybody_in_is_as_new() {
    let rig = Rig::with(bare(json!({}))).await;
    secrets(&rig);
    never_ready(&rig, bare(json!({}))).await;
    gone(&rig).await;
    never_ready(&rig, successor("second")).await;
    gone(&rig).await;
    rig.backend.takes_keys();
    rig.server.put("convexinstances", successor("third"));
    rig.run("dev", 14).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    gone(&rig).await;
    rig.server.put("convexinstances", successor("fourth"));
    is_noted_before_anything_opens_it(&rig).await;
}

/// Its data is nowhere: there is no name that it would have to be.
#[tokio::test]
async fn whoever_comes_after_one_that_never_let_anybody_in_may_have_another_name() {
    let rig = Rig::with(bare(json!({}))).await;
    secrets(&rig);
    never_ready(&rig, bare(json!({}))).await;
    gone(&rig).await;
    rig.backend.takes_keys();
    let mut next = successor("second");
    set(&mut next, "/backend/instance", json!({"secretRef": "dev-instance", "name": "orders"}));
    rig.server.put("convexinstances", next);
    rig.run("dev", 14).await;
    assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
    assert_eq!(rig.status("dev")["instanceName"], "orders");
}

/// It may be gone before it has taken over what the first has left: of that it says nothing.
#[tokio::test]
async fn whoever_comes_after_one_that_never_let_anybody_in_to_what_it_was_left_is_not() {
    let rig = ready(bare(json!({}))).await;
    gone(&rig).await;
    rig.backend.refuses_keys();
    for (uid, passes) in [("second", 1), ("third", 8)] {
        rig.server.put("convexinstances", successor(uid));
        rig.run("dev", passes).await;
        assert_ne!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
        gone(&rig).await;
    }
    rig.backend.takes_keys();
    rig.server.put("convexinstances", successor("fourth"));
    is_noted_before_anything_opens_it(&rig).await;
}

/// The claim beside the database says of itself only whose it was.
#[tokio::test]
async fn whoever_comes_after_one_that_never_let_anybody_in_is_as_new_with_its_volume_too() {
    let rig = Rig::with(makes_databases(json!({}))).await;
    secrets(&rig);
    never_ready(&rig, makes_databases(json!({}))).await;
    gone(&rig).await;
    let mut next = makes_databases(json!({}));
    next["metadata"]["uid"] = json!("second");
    set(&mut next, "/backend/instance", json!({"secretRef": "dev-instance"}));
    set(&mut next, "/backend/storage/pvc/existingClaim", json!("dev-data"));
    never_ready(&rig, next).await;
}

/// The Secret that it was told to take up is not its own, and stays.
#[tokio::test]
async fn one_that_takes_its_data_along_says_so_too_where_its_keys_stay() {
    let rig = Rig::with(bare(json!({}))).await;
    secrets(&rig);
    never_ready(&rig, bare(json!({}))).await;
    gone(&rig).await;
    let mut second = successor("second");
    second["spec"]["deletionPolicy"] = json!("Delete");
    never_ready(&rig, second).await;
    gone(&rig).await;
    assert!(rig.server.get("secrets", "dev-instance").is_some());
    never_ready(&rig, successor("third")).await;
}
