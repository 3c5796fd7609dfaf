//! Who lets an upgrade begin, and when.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{
    instance::{instance, set, with},
    rig::Rig,
};

const APPROVE: &str = "convex.icod.de/approve";

fn wishes(rig: &Rig, name: &str, version: &str) {
    rig.server.edit("convexinstances", name, |it| set(it, "/version", json!(version)));
}

pub(crate) fn changes(rig: &Rig, place: &str, value: Value) {
    rig.server.edit("convexinstances", "dev", |it| set(it, place, value));
}

fn approves(rig: &Rig, plan: &str) {
    rig.server
        .edit("convexinstances", "dev", |it| it["metadata"]["annotations"][APPROVE] = json!(plan));
}

/// What was written since the last time, but for words.
pub(crate) fn deeds(rig: &Rig) -> Vec<String> {
    let said = |it: &String| it.contains("/status") || it.starts_with("create event ");
    rig.server.writes().into_iter().filter(|it| !said(it)).collect()
}

/// A window that opens at this time of every day.
pub(crate) fn window(opens: DateTime<Utc>, duration: &str) -> Value {
    json!({"schedule": opens.format("%M %H * * *").to_string(), "duration": duration})
}

#[tokio::test]
async fn an_upgrade_waits_for_approval_of_exactly_this_plan() {
    let rig = Rig::ready(with(instance("dev"), "/maintenance/approval", json!("Manual"))).await;
    wishes(&rig, "dev", "v2");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ApprovalPending");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    let status = rig.status("dev");
    let plan = status["plan"]["id"].as_str().unwrap().to_owned();
    let message = status["message"].as_str().unwrap();
    assert!(message.ends_with(&format!("{APPROVE}={plan}")), "{message}");
    assert!(status["plan"]["steps"].as_array().is_some_and(|it| !it.is_empty()), "{status}");

    approves(&rig, "0000000000");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ApprovalPending");
    assert_eq!(deeds(&rig), [""; 0], "nothing is touched before somebody approves");
    assert_eq!(rig.status("dev")["plan"]["id"], *plan, "the plan is still the same one");

    approves(&rig, &plan);
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.phase("dev"), "Upgrading");
    assert!(rig.status("dev")["plan"].is_null(), "it has begun");
}

#[tokio::test]
async fn what_was_approved_for_one_upgrade_does_not_let_the_next_one_begin() {
    let rig = Rig::ready(with(instance("dev"), "/maintenance/approval", json!("Manual"))).await;
    let mut plans = Vec::new();
    for version in ["v2", "v3"] {
        wishes(&rig, "dev", version);
        rig.run("dev", 3).await;
        assert_eq!(rig.condition("dev", "Ready"), "False/ApprovalPending");
        let plan = rig.status("dev")["plan"]["id"].as_str().unwrap().to_owned();
        approves(&rig, &plan);
        plans.push(plan);
        rig.backend.says(version);
        rig.run("dev", 5).await;
        assert_eq!(rig.status("dev")["runningVersion"], version);
    }
    assert_ne!(plans[0], plans[1]);
}

#[tokio::test]
async fn an_upgrade_waits_for_its_window_and_says_when_that_opens() {
    let now = Utc::now();
    let (later, before) = (now + TimeDelta::hours(2), now - TimeDelta::minutes(2));
    let closed = with(instance("dev"), "/maintenance/window", window(later, "1m"));
    let rig = Rig::ready(closed).await;
    wishes(&rig, "dev", "v2");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/WindowClosed");
    let status = rig.status("dev");
    let opens = later.format("%Y-%m-%dT%H:%M:00Z").to_string();
    assert_eq!(status["nextUpgradeTime"], *opens);
    assert!(status["message"].as_str().unwrap().contains(&opens), "{status}");
    assert!(status["plan"]["id"].is_string(), "{status}");
    assert_eq!(deeds(&rig), [""; 0]);

    changes(&rig, "/maintenance/window", window(before, "1h"));
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.phase("dev"), "Upgrading");
    assert!(rig.status("dev")["nextUpgradeTime"].is_null());
}

/// Else nobody would be served until the window opens.
#[tokio::test]
async fn who_drops_the_copy_while_its_window_is_closed_is_served_meanwhile() {
    let rig = Rig::ready(with(instance("dev"), "/maintenance", json!({}))).await;
    wishes(&rig, "dev", "v2");
    for _ in 0..9 {
        let _ = rig.pass("dev").await;
        if rig.server.get("statefulsets", "dev-backend").unwrap()["spec"]["replicas"] == 0 {
            break;
        }
        rig.settle();
    }
    rig.settle();
    assert_eq!(rig.status("dev")["stage"], "Exporting");
    assert!(rig.server.get("pods", "dev-backend-0").is_none());
    let closed = window(Utc::now() + TimeDelta::hours(2), "1m");
    changes(&rig, "/maintenance", json!({"preUpgradeSnapshot": "Off", "window": closed}));
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.phase("dev"), "Provisioning", "{}", rig.status("dev"));
    rig.run("dev", 6).await;
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert_eq!(rig.condition("dev", "Ready"), "False/WindowClosed");
    assert_eq!(rig.status("dev")["runningVersion"], "v1");
}

#[tokio::test]
async fn a_window_that_cannot_be_read_is_said_at_once_and_lets_nothing_begin() {
    let rig = Rig::ready(instance("dev")).await;
    let bad = json!({"schedule": "0 2 31 2 *", "duration": "1h"});
    changes(&rig, "/maintenance/window", bad);
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/WindowInvalid");
    assert_eq!(rig.condition("dev", "Stalled"), "True/WindowInvalid");
    wishes(&rig, "dev", "v2");
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/WindowInvalid");
    assert_eq!(deeds(&rig), [""; 0]);
    changes(&rig, "/maintenance/window", Value::Null);
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.phase("dev"), "Upgrading");
}

/// Two instances that are Ready at v1, of an operator that upgrades one at a time.
async fn two() -> Rig {
    let mut rig = Rig::ready(instance("dev")).await;
    rig.allows(1);
    rig.server.put("convexinstances", instance("two"));
    rig.run("two", 12).await;
    assert_eq!(rig.phase("two"), "Ready");
    rig.server.writes();
    rig
}

#[tokio::test]
async fn of_two_that_ask_at_once_one_begins_and_the_other_after_it() {
    let rig = two().await;
    wishes(&rig, "dev", "v2");
    wishes(&rig, "two", "v2");
    rig.run("two", 2).await;
    assert_eq!(rig.condition("two", "Ready"), "False/TurnPending");
    let message = rig.status("two")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("to begin before it: shop/dev."), "{message}");
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.phase("dev"), "Upgrading");
    rig.run("two", 2).await;
    assert_eq!(rig.phase("two"), "Ready", "the other one is at it");
    rig.backend.says("v2");
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    rig.run("two", 5).await;
    assert_eq!(rig.condition("two", "Ready"), "True/Serving");
    assert_eq!(rig.status("two")["runningVersion"], "v2");
}

/// What the watch has not brought yet is known to who wrote it.
#[tokio::test]
async fn who_has_just_begun_is_counted_though_the_watch_does_not_tell_yet() {
    let rig = two().await;
    wishes(&rig, "two", "v2");
    rig.pass("two").await.unwrap();
    assert_eq!(rig.phase("two"), "Upgrading");
    wishes(&rig, "dev", "v2");
    rig.late_pass(&rig.seen("dev")).await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "False/TurnPending");
}

/// Its turn would never come to an end.
#[tokio::test]
async fn who_can_not_begin_at_all_does_not_keep_the_others_waiting() {
    let rig = two().await;
    wishes(&rig, "dev", "v2");
    rig.backend.says("v2");
    rig.run("dev", 5).await;
    wishes(&rig, "dev", "v1");
    wishes(&rig, "two", "v2");
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ReleaseOutgrown");
    rig.pass("two").await.unwrap();
    assert_eq!(rig.phase("two"), "Upgrading");
}
