//! When a backend is restarted for its age.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::control::{changes, deeds, window};
use crate::support::{
    instance::{instance, set, with},
    rig::Rig,
};

const RESTARTED: &str = "convex.icod.de/restarted-at";

fn restarted(rig: &Rig) -> Value {
    let backend = rig.server.get("statefulsets", "dev-backend").unwrap();
    backend["spec"]["template"]["metadata"]["annotations"][RESTARTED].clone()
}

/// Its pod says that it was started this long ago.
fn has_run_for(rig: &Rig, age: TimeDelta) {
    let started = (Utc::now() - age).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    rig.server.edit("pods", "dev-backend-0", |it| it["status"]["startTime"] = json!(started));
}

#[tokio::test]
async fn a_backend_that_is_old_enough_is_restarted_once() {
    let rig = Rig::ready(with(instance("dev"), "/maintenance/restartInterval", json!("1h"))).await;
    has_run_for(&rig, TimeDelta::minutes(50));
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0], "nine tenths of the interval are not over");

    has_run_for(&rig, TimeDelta::minutes(70));
    let old = rig.server.get("pods", "dev-backend-0").unwrap()["metadata"]["uid"].clone();
    rig.pass("dev").await.unwrap();
    rig.pass("dev").await.unwrap(); // the old pod is still there
    assert_eq!(deeds(&rig), ["apply statefulsets/dev-backend"]);
    let when = restarted(&rig);
    assert!(DateTime::parse_from_rfc3339(when.as_str().unwrap()).is_ok(), "{when}");

    rig.settle();
    assert_ne!(rig.server.get("pods", "dev-backend-0").unwrap()["metadata"]["uid"], old);
    has_run_for(&rig, TimeDelta::seconds(1));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(deeds(&rig), [""; 0]);
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0], "nor is anything said any more");

    changes(&rig, "/maintenance/restartInterval", Value::Null);
    rig.run("dev", 3).await;
    assert_eq!(deeds(&rig), [""; 0], "nothing rolls where the interval is taken away");
    assert_eq!(restarted(&rig), when);
}

/// The first restart of a backend that was born without an interval brings a new field, and takes none away.
#[tokio::test]
async fn a_backend_is_restarted_once_also_where_the_interval_comes_later() {
    let rig = Rig::ready(instance("dev")).await;
    assert!(restarted(&rig).is_null());
    has_run_for(&rig, TimeDelta::hours(2));
    changes(&rig, "/maintenance/restartInterval", json!("1h"));
    rig.run("dev", 3).await;
    assert_eq!(deeds(&rig), ["apply statefulsets/dev-backend"]);
    assert!(restarted(&rig).is_string());
}

#[tokio::test]
async fn a_restart_waits_for_the_window_and_not_for_an_upgrade() {
    let now = Utc::now();
    let closed = window(now + TimeDelta::hours(2), "1m");
    let mut it = with(instance("dev"), "/maintenance/restartInterval", json!("1h"));
    set(&mut it, "/maintenance/window", closed);
    let rig = Rig::ready(it).await;
    has_run_for(&rig, TimeDelta::hours(20));
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0]);
    changes(&rig, "/maintenance/window", window(now - TimeDelta::minutes(2), "1h"));
    rig.pass("dev").await.unwrap();
    assert_eq!(deeds(&rig), ["apply statefulsets/dev-backend"]);
}
