//! A deployment that does not let itself be resumed once its upgrade is over.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    copies::{copied, until},
    support::{instance::set, rig::Rig},
};

#[tokio::test]
async fn who_is_still_turned_away_after_an_upgrade_is_told_why_and_let_in_once_it_can_be() {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says("v2");
    rig.backend.stuck.store(true, Ordering::Relaxed);
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert!(rig.backend.paused.load(Ordering::Relaxed));
    assert_eq!(rig.status("dev")["traffic"], "Held", "it is still ours to lift");
    assert_eq!(rig.condition("dev", "Ready"), "False/TrafficHeld");
    // What starts again says no for a moment, too: why is told once it lasts.
    let began = Instant::now();
    let message = || rig.status("dev")["message"].as_str().unwrap().to_owned();
    while !message().contains("does not let itself be resumed") {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", message());
        rig.run("dev", 1).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(message().contains("503"), "{}", message());
    rig.backend.stuck.store(false, Ordering::Relaxed);
    rig.run("dev", 4).await;
    assert!(!rig.backend.paused.load(Ordering::Relaxed));
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}
