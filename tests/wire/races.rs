//! Somebody writes between what a pass reads and what it writes.

use serde_json::{Value, json};

use crate::{
    keys::base64,
    support::{
        instance::{instance, with},
        request::{Asked, Verb},
        rig::Rig,
    },
};

fn to_the_instance(asked: Vec<Asked>) -> Vec<Asked> {
    let write = |it: &Asked| matches!(it.verb, Verb::Merge | Verb::Update | Verb::Apply);
    asked.into_iter().filter(|it| write(it) && it.plural == "convexinstances").collect()
}

#[tokio::test]
async fn every_write_to_an_instance_carries_what_it_was_read_at() {
    let rig = Rig::with(instance("dev")).await;
    rig.run("dev", 6).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 6).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
    let mut asked = to_the_instance(rig.server.asked());
    let other = Rig::ready(instance("dev")).await;
    other.server.asked();
    other.server.edit("convexinstances", "dev", |it| it["status"]["phase"] = json!("Hibernating"));
    other.run("dev", 2).await;
    asked.extend(to_the_instance(other.server.asked()));
    // One that cannot be decoded is let go.
    let bad = Rig::ready(instance("dev")).await;
    bad.server.asked();
    bad.server.edit("convexinstances", "dev", |it| {
        it["spec"]["dashboard"]["replicas"] = json!("many");
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    bad.pass("dev").await.unwrap_err();
    assert!(bad.server.get("convexinstances", "dev").is_none());
    asked.extend(to_the_instance(bad.server.asked()));
    let words: std::collections::BTreeSet<_> = asked.iter().map(Asked::words).collect();
    let kinds = [
        "merge convexinstances/dev",
        "merge convexinstances/dev/status",
        "update convexinstances/dev/status",
    ];
    assert!(words.iter().eq(&kinds), "{words:?}");
    for write in asked {
        assert!(write.body["metadata"]["resourceVersion"].is_string(), "{write:?}");
    }
}

/// What is merged into a Secret is merged into exactly the one that was judged.
#[tokio::test]
async fn every_write_to_a_secret_that_is_there_carries_what_it_was_read_at() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("secrets", "dev-admin", |it| it["data"] = json!({}));
    rig.run("dev", 2).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 6).await;
    let again = with(instance("dev"), "/backend/storage/pvc/existingClaim", json!("dev-data"));
    rig.server.put("convexinstances", again);
    rig.run("dev", 6).await;
    let asked = rig.server.asked();
    let merged: Vec<_> =
        asked.iter().filter(|it| it.verb == Verb::Merge && it.plural == "secrets").collect();
    let names: Vec<_> = merged.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["dev-admin", "dev-instance"]);
    for write in merged {
        assert!(write.body["metadata"]["resourceVersion"].is_string(), "{write:?}");
    }
}

/// The API server looks at finalizers first and deletes after that: a finalizer of that moment does not keep the
/// instance. What nobody owns would stay for ever.
#[tokio::test]
async fn an_instance_that_goes_while_it_gets_its_finalizer_leaves_nothing_behind() {
    let rig = Rig::with(instance("dev")).await;
    rig.pass("dev").await.unwrap();
    assert!(!rig.seen("dev")["metadata"]["finalizers"].is_null());
    rig.server.remove("convexinstances", "dev");
    for plural in ["secrets", "persistentvolumeclaims", "statefulsets"] {
        assert_eq!(rig.server.all(plural), Vec::<serde_json::Value>::new(), "{plural}");
    }
}

/// Two finalizers that are added at the same moment are both there afterwards.
#[tokio::test]
async fn a_finalizer_of_somebody_else_is_not_lost_to_ours() {
    let rig = Rig::with(instance("dev")).await;
    rig.server.meanwhile("merge convexinstances/dev", 0, |server| {
        server.edit("convexinstances", "dev", |it| {
            it["metadata"]["finalizers"] = json!(["example.org/theirs"]);
        });
    });
    assert!(rig.pass("dev").await.unwrap_err().is_conflict());
    rig.run("dev", 4).await;
    let finalizers = rig.seen("dev")["metadata"]["finalizers"].to_string();
    assert!(finalizers.contains("theirs") && finalizers.contains("convex"), "{finalizers}");
}

#[tokio::test]
async fn a_secret_that_changes_hands_while_it_is_taken_over_is_left_alone() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 6).await;
    let again = with(instance("dev"), "/backend/storage/pvc/existingClaim", json!("dev-data"));
    rig.server.put("convexinstances", again);
    rig.pass("dev").await.unwrap();
    rig.settle();
    rig.pass("dev").await.unwrap();
    rig.settle();
    // It is read once to be judged, and once more right before it is written to.
    rig.server.meanwhile("get secrets/dev-instance", 1, |server| {
        server.edit("secrets", "dev-instance", |it| {
            it["metadata"]["labels"]["app.kubernetes.io/instance"] = json!("another");
            it["metadata"]["labels"]["convex.icod.de/instance-uid"] = json!("another");
        });
    });
    rig.pass("dev").await.unwrap();
    let labels = rig.server.get("secrets", "dev-instance").unwrap()["metadata"]["labels"].clone();
    assert_eq!(labels["app.kubernetes.io/instance"], "another", "{labels}");
    assert!(labels.to_string().matches("another").count() >= 2, "{labels}");
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
}

#[tokio::test]
async fn a_key_that_somebody_adds_while_one_is_minted_is_not_written_over() {
    let rig = Rig::ready(instance("dev")).await;
    let key = |secret: &Value| secret["data"]["CONVEX_SELF_HOSTED_ADMIN_KEY"].clone();
    let whole = rig.server.get("secrets", "dev-admin").unwrap();
    rig.server.edit("secrets", "dev-admin", |it| {
        it["data"].as_object_mut().unwrap().remove("CONVEX_SELF_HOSTED_ADMIN_KEY");
    });
    let theirs = whole["data"].clone();
    rig.server.meanwhile("get secrets/dev-admin", 1, |server| {
        server.edit("secrets", "dev-admin", |it| it["data"] = theirs);
    });
    rig.pass("dev").await.unwrap();
    assert_eq!(key(&rig.server.get("secrets", "dev-admin").unwrap()), key(&whole));
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// A key that was minted with the secret of before would fit nothing, and nobody would delete it again.
#[tokio::test]
async fn a_secret_that_is_rotated_while_a_pass_reads_has_a_key_that_fits_it() {
    for read in ["get secrets/dev-admin", "get secrets/dev-instance"] {
        let rig = Rig::ready(instance("dev")).await;
        let key = rig.server.get("secrets", "dev-admin").unwrap()["data"].clone();
        rig.server.meanwhile(read, 0, |server| {
            server.edit("secrets", "dev-instance", |it| {
                it["data"]["INSTANCE_SECRET"] = json!(base64(&"ab".repeat(32)));
            });
            server.remove("secrets", "dev-admin");
        });
        rig.run("dev", 6).await;
        assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{read}");
        assert_ne!(rig.server.get("secrets", "dev-admin").unwrap()["data"], key, "{read}");
    }
}

/// Everything else is built on these keys: the admin key, and the digest that rolls the pod.
#[tokio::test]
async fn keys_that_another_pass_minted_first_are_the_ones_that_count() {
    let other = Rig::ready(instance("dev")).await;
    let mut theirs = other.server.get("secrets", "dev-instance").unwrap();
    let rig = Rig::with(instance("dev")).await;
    let uid = rig.server.get("convexinstances", "dev").unwrap()["metadata"]["uid"].clone();
    theirs["metadata"]["labels"]["convex.icod.de/instance-uid"] = uid;
    let data = theirs["data"].clone();
    rig.server.meanwhile("create secrets/dev-instance", 0, |server| {
        server.put("secrets", theirs);
    });
    rig.run("dev", 14).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(rig.server.get("secrets", "dev-instance").unwrap()["data"], data);
    let writes = rig.server.writes();
    assert!(!writes.iter().any(|it| it == "apply statefulsets/dev-backend"), "{writes:#?}");
}

/// Events follow transitions, and one follows what begins to block; nothing else does.
#[tokio::test]
async fn what_goes_on_blocking_is_told_once() {
    let rig =
        Rig::with(with(instance("dev"), "/backend/instance", json!({"secretRef": "none"}))).await;
    rig.run("dev", 5).await;
    // The same cause in other words, and a new generation, are worth a status each.
    rig.server.edit("convexinstances", "dev", |it| {
        it["spec"]["backend"]["instance"]["secretRef"] = json!("nowhere");
    });
    rig.run("dev", 5).await;
    assert!(rig.status("dev")["message"].as_str().unwrap().contains("nowhere"));
    let events: Vec<_> =
        rig.server.writes().into_iter().filter(|it| it.contains("event")).collect();
    assert_eq!(events, ["create event SecretMissing"]);
}
