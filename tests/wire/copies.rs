//! In place with a cold copy: held, stopped, copied, rolled, released.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::support::{
    instance::{instance, set},
    rig::Rig,
};

/// An instance that buys a cold copy before it lets another version at its data.
pub fn copied() -> Value {
    let mut instance = instance("dev");
    set(&mut instance, "/maintenance/preUpgradeSnapshot", json!("Auto"));
    instance
}

/// Runs until the instance is in this phase and stage.
pub async fn until(rig: &Rig, place: (&str, Value)) {
    for _ in 0..40 {
        let _ = rig.pass("dev").await;
        rig.settle();
        if (rig.phase("dev").as_str(), rig.status("dev")["stage"].clone()) == place {
            return;
        }
    }
    panic!("{}", rig.status("dev"));
}

#[tokio::test]
async fn users_are_held_once_the_image_is_proven_and_let_in_again_once_the_new_version_serves() {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Exporting"))).await;
    assert!(!rig.backend.paused.load(Ordering::Relaxed), "held before the image was proven");
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    assert_eq!(rig.status("dev")["upgrade"]["digest"], "sha256:v200", "{}", rig.status("dev"));
    assert!(rig.backend.paused.load(Ordering::Relaxed));
    rig.backend.says("v2");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    assert!(!rig.backend.paused.load(Ordering::Relaxed));
}

/// A function that fails has told nothing, and what nobody knows of may be changing the data.
#[tokio::test]
async fn nobody_is_let_in_while_it_is_not_told_whether_an_import_is_performed() {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.untold.store(true, Ordering::Relaxed);
    rig.backend.says("v2");
    rig.run("dev", 8).await;
    assert_eq!(rig.status("dev")["stage"], "Rolling", "{}", rig.status("dev"));
    assert!(rig.backend.paused.load(Ordering::Relaxed));
    rig.backend.untold.store(false, Ordering::Relaxed);
    until(&rig, ("Ready", Value::Null)).await;
}

/// What cannot be asked any more must not keep anybody from leaving it.
#[tokio::test]
async fn a_target_that_does_not_tell_its_imports_can_be_left_again() {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says("v2");
    rig.backend.untold.store(true, Ordering::Relaxed);
    rig.run("dev", 6).await;
    assert_eq!(rig.status("dev")["stage"], "Rolling", "{}", rig.status("dev"));
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v1")));
    rig.backend.says("v1");
    rig.run("dev", 12).await;
    let pod = rig.server.get("pods", "dev-backend-0").unwrap();
    assert!(pod.to_string().contains("backend:v1"), "{}", rig.status("dev"));
    rig.backend.untold.store(false, Ordering::Relaxed);
    until(&rig, ("Ready", Value::Null)).await;
    assert_eq!(rig.status("dev")["runningVersion"], "v1");
}

/// What is found out with everybody turned away and the backend stopped is found out too late.
#[tokio::test]
async fn a_quota_that_forbids_the_copy_is_told_while_everybody_is_served() {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Exporting"))).await;
    let id = rig.status("dev")["upgrade"]["id"].as_str().unwrap().to_owned();
    let claim = format!("create persistentvolumeclaims/dev-copy-{id}-1");
    let refused = || rig.condition("dev", "Ready") == "False/Forbidden";
    for _ in 0..10 {
        rig.server.fail_next(&claim, 403);
        rig.pass("dev").await.unwrap();
        rig.settle();
    }
    assert!(refused(), "{}", rig.status("dev"));
    assert!(!rig.backend.paused.load(Ordering::Relaxed));
    assert_eq!(rig.server.get("statefulsets", "dev-backend").unwrap()["spec"]["replicas"], 1);
    rig.server.writes();
    // One refusal is still to come; then there is room.
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    assert!(!refused() && rig.backend.paused.load(Ordering::Relaxed));
}

/// A deployment knows no resourceVersion: whoever pauses it, or lets users in again, looks first whether it is still its turn.
#[tokio::test]
async fn a_pass_that_was_overtaken_pauses_nobody_and_lets_nobody_in() {
    let rig = Rig::ready(copied()).await;
    let overtaken = || {
        rig.server.meanwhile("get convexinstances/dev", 0, |server| {
            server.edit("convexinstances", "dev", |it| {
                it["status"]["lifecycle"]["fence"] = json!("999999");
            });
        });
    };
    let fence = || rig.status("dev")["lifecycle"]["fence"].clone();
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Exporting"))).await;
    let before = fence();
    overtaken();
    assert!(rig.pass("dev").await.unwrap_err().is_conflict());
    assert!(!rig.backend.paused.load(Ordering::Relaxed));
    rig.server.edit("convexinstances", "dev", |it| it["status"]["lifecycle"]["fence"] = before);
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says("v2");
    overtaken();
    let mut passes = 0;
    while !rig.pass("dev").await.is_err_and(|error| error.is_conflict()) {
        rig.settle();
        passes += 1;
        assert!(passes < 20, "{}", rig.status("dev"));
    }
    assert_eq!(rig.phase("dev"), "Ready");
    assert!(rig.backend.paused.load(Ordering::Relaxed), "let in by a pass that was overtaken");
}

/// The data is in a store that knows of its pause, and nobody remembers who made it.
#[tokio::test]
async fn a_pause_that_is_not_known_to_be_ours_stays_and_is_told_until_it_is_over() {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says("v2");
    rig.server.edit("convexinstances", "dev", |it| it["status"] = json!({}));
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 3).await;
    assert!(rig.backend.paused.load(Ordering::Relaxed));
    let message = || rig.status("dev")["message"].as_str().unwrap().to_owned();
    assert!(message().contains("unpause_deployment"), "{}", message());
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(rig.condition("dev", "Available"), "False/Paused");
    assert_eq!(rig.status("dev")["traffic"], "Paused");
    rig.server.writes();
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new(), "at rest while it is paused");
    rig.backend.paused.store(false, Ordering::Relaxed);
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert!(!message().contains("unpause_deployment"), "{}", message());
    assert_eq!(rig.status("dev")["traffic"], Value::Null);
}

#[tokio::test]
async fn an_owner_who_has_paused_finds_the_deployment_paused_after_the_upgrade() {
    let rig = Rig::ready(copied()).await;
    rig.backend.paused.store(true, Ordering::Relaxed);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says("v2");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 3).await;
    assert!(rig.backend.paused.load(Ordering::Relaxed));
    assert_eq!(rig.condition("dev", "Available"), "False/Paused");
}

/// Whose pause it is cannot be told while nobody answers: then nobody is paused before it is known.
#[tokio::test]
async fn a_pause_of_the_owner_is_known_for_his_also_where_the_upgrade_begins_while_nobody_answers()
{
    let rig = Rig::ready(copied()).await;
    rig.backend.paused.store(true, Ordering::Relaxed);
    let ready = |status: &'static str| {
        rig.server.edit("pods", "dev-backend-0", |pod| {
            pod["status"]["conditions"] = json!([{"type": "Ready", "status": status}]);
        });
    };
    ready("False");
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.status("dev")["stage"], "Exporting");
    assert_eq!(rig.status("dev")["traffic"], Value::Null);
    ready("True");
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says("v2");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 3).await;
    assert!(rig.backend.paused.load(Ordering::Relaxed));
    assert_eq!(rig.status("dev")["traffic"], "Paused");
}

#[tokio::test]
async fn an_upgrade_from_a_version_that_is_broken_says_that_no_way_back_can_be_made_of_it() {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("pods", "dev-backend-0", |pod| {
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
        pod["status"]["containerStatuses"][0]["ready"] = json!(false);
        pod["status"]["containerStatuses"][0]["restartCount"] = json!(7);
        pod["status"]["containerStatuses"][0]["state"] =
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}});
        pod["status"]["containerStatuses"][0]["lastState"] =
            json!({"terminated": {"exitCode": 1, "message": "out of cheese"}});
    });
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.run("dev", 4).await;
    assert_eq!(rig.status("dev")["stage"], "Exporting");
    let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("out of cheese"), "{message}");
    assert!(message.contains("no way back can be made of v1"), "{message}");
    assert!(message.contains("preUpgradeSnapshot"), "{message}");
    assert!(!rig.backend.paused.load(Ordering::Relaxed));
}

/// What does not answer for a moment may be written to: it is neither stopped nor copied, nor taken for one that knows no pause.
#[tokio::test]
async fn a_deployment_that_says_nothing_of_itself_is_left_running() {
    let rig = Rig::ready(copied()).await;
    rig.backend.mute.store(true, Ordering::Relaxed);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.run("dev", 6).await;
    assert_eq!(rig.status("dev")["stage"], "Exporting");
    let set_of = || rig.server.get("statefulsets", "dev-backend").unwrap();
    assert_eq!(set_of()["spec"]["replicas"], 1, "{}", rig.status("dev"));
    let copies = rig.server.all("jobs").into_iter().filter(|it| it.to_string().contains("-copy-"));
    assert_eq!(copies.count(), 0);
    rig.backend.mute.store(false, Ordering::Relaxed);
    until(&rig, ("Upgrading", json!("Rolling"))).await;
}
