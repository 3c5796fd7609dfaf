//! The simplest upgrade: in place, without a way back.

use serde_json::json;

use crate::support::{
    instance::{instance, set},
    rig::Rig,
};

#[tokio::test]
async fn a_new_version_is_ready_once_it_has_answered_itself() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.pass("dev").await.unwrap();
    rig.settle();
    assert_eq!(rig.phase("dev"), "Upgrading");
    assert_eq!(rig.status("dev")["stage"], "Rolling");
    rig.backend.says("v2");
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    let status = rig.status("dev");
    assert_eq!(status["runningVersion"], "v2");
    // Nothing says the old version any longer, not even for the seconds in which words may be old.
    assert_eq!(status["message"], "the backend serves v2");
    let image = status["components"]["backend"]["image"].as_str().unwrap();
    assert!(image.ends_with(":v2"), "{image}");
    let ready = status["conditions"].as_array().unwrap().iter().find(|it| it["type"] == "Ready");
    assert_eq!(ready.unwrap()["message"], "the backend serves v2");
    let gate = rig.server.get("configmaps", "dev-gate").unwrap();
    let record = gate["data"]["record"].as_str().unwrap();
    assert!(record.contains(r#""opened":{"Original":["v1","v2"]}"#), "{record}");
}

/// Every upgrade tells of itself, also where the one before it is not long ago, and in its own words, whatever
/// the spec says by now.
#[tokio::test]
async fn each_upgrade_is_an_event_of_its_own() {
    let rig = Rig::ready(instance("dev")).await;
    for version in ["v2", "v3"] {
        rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!(version)));
        rig.pass("dev").await.unwrap();
        // Meanwhile it is wished for another one.
        rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v9")));
        rig.pass("dev").await.unwrap();
        let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("upgrading to {version}, ")), "{message}");
        rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!(version)));
        rig.backend.says(version);
        rig.run("dev", 4).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    }
    let events = rig.server.all("events");
    let notes = |reason: &str| -> Vec<String> {
        let of = events.iter().filter(|it| it["reason"] == reason);
        of.map(|it| it["note"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let begun = notes("UpgradeStarted");
    assert_eq!(begun.len(), 2, "{events:#?}");
    for begins in ["v1 -> v2 in place", "v2 -> v3 in place"] {
        assert!(begun.iter().any(|it| it.starts_with(begins)), "{begun:?}");
    }
    let ended = notes("UpgradeFinished");
    for ends in ["backend serves v2 after", "backend serves v3 after"] {
        assert!(ended.iter().any(|it| it.starts_with(ends)), "{ended:?}");
    }
}

#[tokio::test]
async fn the_record_says_so_before_the_new_version_can_open_it() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.pass("dev").await.unwrap();
    let writes = rig.server.writes();
    let at =
        |of: &str| writes.iter().position(|it| it == of).unwrap_or_else(|| panic!("{writes:?}"));
    assert_eq!(at("update convexinstances/dev/status"), 0);
    assert!(at("apply configmaps/dev-gate") < at("apply statefulsets/dev-backend"));
}

#[tokio::test]
async fn a_suspended_instance_has_no_pod_and_all_of_its_data() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/suspend", json!(true)));
    let traffic = || {
        let service = rig.server.get("services", "dev-backend").unwrap();
        service["spec"]["selector"]["convex.icod.de/traffic"].clone()
    };
    assert_eq!(traffic(), "flows");
    rig.run("dev", 4).await;
    assert_eq!(rig.status("dev")["stage"], "Suspended");
    assert_eq!(traffic(), "held");
    assert!(rig.server.all("pods").is_empty());
    assert!(rig.server.get("persistentvolumeclaims", "dev-data").is_some());
    rig.server.edit("convexinstances", "dev", |it| set(it, "/suspend", json!(false)));
    rig.run("dev", 5).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(traffic(), "flows");
}

#[tokio::test]
async fn a_tag_that_is_moved_rolls_nothing_and_is_told_once_a_pod_has_pulled_what_it_stands_for() {
    let rig = Rig::ready(instance("dev")).await;
    let was = rig.status("dev")["image"].as_str().unwrap().to_owned();
    rig.server.edit("pods", "dev-backend-0", |pod| {
        pod["status"]["containerStatuses"][0]["imageID"] = json!("example.com/backend@sha256:ffff");
    });
    rig.run("dev", 3).await;
    let writes = rig.server.writes();
    assert_eq!(writes, ["update convexinstances/dev/status", "create event ImageMoved"]);
    let event = rig.server.all("events").into_iter().find(|it| it["reason"] == "ImageMoved");
    let event = event.unwrap();
    let note = event["note"].as_str().unwrap();
    assert_eq!(event["type"], "Warning");
    let (_, digest) = was.split_once('@').unwrap();
    assert!(note.contains("sha256:ffff") && note.contains(digest), "{note}");
}
