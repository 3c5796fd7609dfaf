//! What a watch does not show, or not yet, need not be gone: a leader that was stopped for a while sees Jobs before claims.

use serde_json::{Value, json};

use crate::{
    copies::{copied, until},
    support::{instance::set, rig::Rig},
};

/// An instance that is about to be copied, and what its copy is called: its Job is there and has not ended.
async fn copying() -> (Rig, String) {
    let rig = Rig::ready(copied()).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Exporting"))).await;
    let name = format!("dev-copy-{}-1", rig.status("dev")["upgrade"]["id"].as_str().unwrap());
    for _ in 0..40 {
        rig.pass("dev").await.unwrap();
        if rig.server.get("jobs", &name).is_some() {
            return (rig, name);
        }
        rig.settle();
    }
    panic!("{}", rig.status("dev"));
}

fn uid(rig: &Rig, name: &str) -> Option<Value> {
    rig.server.get("jobs", name).map(|it| it["metadata"]["uid"].clone())
}

fn unwatched(claim: &mut Value) {
    claim["metadata"]["labels"].as_object_mut().unwrap().remove("app.kubernetes.io/managed-by");
}

#[tokio::test]
async fn a_copy_is_not_ended_for_a_claim_that_only_the_watch_does_not_show() {
    let (rig, name) = copying().await;
    rig.server.edit("persistentvolumeclaims", &name, unwatched);
    let job = uid(&rig, &name);
    for _ in 0..3 {
        rig.pass("dev").await.unwrap();
    }
    assert_eq!(uid(&rig, &name), job, "{:#?}", rig.server.writes());
    until(&rig, ("Upgrading", json!("Rolling"))).await;
}

/// Another operator makes both anew, and of that the watch of Jobs alone tells. A Job need not name its claim.
async fn made_anew(rig: &Rig, name: &str, named: bool) {
    let mut claim = rig.server.get("persistentvolumeclaims", name).unwrap();
    let mut job = rig.server.get("jobs", name).unwrap();
    claim["metadata"]["uid"] = json!("the-second");
    claim["metadata"]["deletionTimestamp"] = Value::Null;
    job["metadata"]["uid"] = json!("its-job");
    let marks = job["metadata"]["annotations"].as_object_mut().unwrap();
    marks.remove("convex.icod.de/claim-uid").unwrap();
    if named {
        marks.insert("convex.icod.de/claim-uid".to_owned(), json!("the-second"));
    }
    for (plural, object) in [("persistentvolumeclaims", claim), ("jobs", job)] {
        rig.server.remove(plural, name);
        rig.server.put(plural, object);
    }
    rig.watched_jobs().await;
}

#[tokio::test]
async fn a_copy_is_not_ended_for_a_claim_that_only_the_watch_still_shows() {
    for (goes, named) in [(false, true), (true, true), (true, false)] {
        let (rig, name) = copying().await;
        if goes {
            rig.server.edit("persistentvolumeclaims", &name, |it| {
                it["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
                it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            });
        }
        rig.watched().await;
        made_anew(&rig, &name, named).await;
        for _ in 0..3 {
            rig.late_pass(&rig.seen("dev")).await.unwrap();
        }
        assert_eq!(uid(&rig, &name), Some(json!("its-job")), "{:#?}", rig.server.writes());
        until(&rig, ("Upgrading", json!("Rolling"))).await;
        assert_eq!(uid(&rig, &name), Some(json!("its-job")));
    }
}

#[tokio::test]
async fn a_copy_is_not_ended_where_nobody_says_whether_its_claim_is_there() {
    let (rig, name) = copying().await;
    rig.server.edit("persistentvolumeclaims", &name, unwatched);
    let job = uid(&rig, &name);
    rig.server.fail_next(&format!("get persistentvolumeclaims/{name}"), 500);
    rig.pass("dev").await.unwrap_err();
    assert_eq!(uid(&rig, &name), job);
}

/// An upgrade that is to go back by itself, and fails by taking too long; and what its copy is called.
async fn failing() -> (Rig, String) {
    let mut wants = copied();
    set(&mut wants, "/maintenance/onFailure", json!("Rollback"));
    let rig = Rig::ready(wants).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    let name = format!("dev-copy-{}-1", rig.status("dev")["upgrade"]["id"].as_str().unwrap());
    rig.server.edit("convexinstances", "dev", |it| {
        it["status"]["phaseTransitionTime"] = json!("2026-01-01T00:00:00Z");
    });
    (rig, name)
}

fn goes(rig: &Rig) -> (String, Value) {
    (rig.phase("dev"), rig.status("dev")["upgrade"]["direction"].clone())
}

#[tokio::test]
async fn an_upgrade_goes_back_by_itself_to_a_copy_whose_claim_is_not_watched() {
    let (rig, name) = failing().await;
    rig.server.edit("persistentvolumeclaims", &name, unwatched);
    rig.pass("dev").await.unwrap();
    assert_eq!(goes(&rig), ("Upgrading".to_owned(), json!("Rollback")));
    until(&rig, ("Ready", Value::Null)).await;
    assert_eq!(rig.status("dev")["runningVersion"], "v1");
}

#[tokio::test]
async fn an_upgrade_goes_back_by_itself_to_a_copy_that_only_the_watch_still_shows_as_lost() {
    let (rig, name) = failing().await;
    let is = |phase: &str| {
        rig.server.edit("persistentvolumeclaims", &name, |it| it["status"]["phase"] = json!(phase));
    };
    is("Lost");
    rig.watched().await;
    is("Bound");
    rig.late_pass(&rig.seen("dev")).await.unwrap();
    assert_eq!(goes(&rig), ("Upgrading".to_owned(), json!("Rollback")));
}

#[tokio::test]
async fn a_copy_that_the_watch_shows_is_not_asked_for() {
    let (rig, name) = failing().await;
    rig.server.asked();
    rig.pass("dev").await.unwrap();
    let asked = format!("get persistentvolumeclaims/{name}");
    assert!(rig.server.asked().iter().all(|it| it.words() != asked));
    assert_eq!(goes(&rig), ("Upgrading".to_owned(), json!("Rollback")));
}

#[tokio::test]
async fn an_upgrade_stays_where_it_is_while_nobody_says_whether_its_way_back_is_there() {
    let (rig, name) = failing().await;
    rig.server.edit("persistentvolumeclaims", &name, unwatched);
    rig.server.fail_next(&format!("get persistentvolumeclaims/{name}"), 500);
    rig.pass("dev").await.unwrap_err();
    assert_eq!(goes(&rig), ("Upgrading".to_owned(), json!("Forward")));
    rig.pass("dev").await.unwrap();
    assert_eq!(goes(&rig), ("Upgrading".to_owned(), json!("Rollback")));
}

#[tokio::test]
async fn an_upgrade_does_not_go_back_to_a_copy_that_is_not_there() {
    let (rig, name) = failing().await;
    rig.server.remove("persistentvolumeclaims", &name);
    rig.pass("dev").await.unwrap();
    assert_eq!(goes(&rig), ("Degraded".to_owned(), json!("Forward")));
}
