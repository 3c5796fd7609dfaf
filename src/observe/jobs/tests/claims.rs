//! What Jobs have made is there as long as the claim is that they made it on.

use super::*;
use crate::plan::exports::Exports;

#[test]
fn an_export_is_there_as_long_as_its_claim_is() {
    let told: Value = json!([{"id": "60-1", "version": "v0", "bytes": 1, "tables": 1, "documents": 1,
        "files": 0, "sha256": "bb", "location": "", "verified": true}]);
    let mut instance = instance();
    instance.status.get_or_insert_default().snapshots = serde_json::from_value(told).unwrap();
    let mut children =
        children(vec![job("export", Some("Complete"))], vec![pod("export", "Succeeded", 0, DONE)]);
    let verified = |children: &Children| Jobs::of(children, None).verified(&instance, children);
    assert_eq!(verified(&children), []);
    children.exports = Exports::on(Some(Arc::new(PersistentVolumeClaim::default())));
    assert_eq!(verified(&children), [snapshot("60-1").unwrap(), snapshot("71-1").unwrap()]);
    let mut going = PersistentVolumeClaim::default();
    going.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).ok();
    children.exports = Exports::on(Some(Arc::new(going)));
    assert_eq!(verified(&children), []);
}

/// Nobody watches a bucket: who reads it tells.
#[test]
fn an_export_in_a_bucket_is_there_without_a_claim_once_it_is_told() {
    let told: Value = json!([{"id": "60-1", "version": "v0", "bytes": 1, "tables": 1, "documents": 1,
        "files": 0, "sha256": "bb", "location": "", "verified": true, "bucket": "vault", "prefix": "a/60-1"}]);
    let mut instance = instance();
    instance.status.get_or_insert_default().snapshots = serde_json::from_value(told).unwrap();
    let verified = |bucket: Option<&str>| {
        let mut job = job("export", Some("Complete"));
        let marks = job.metadata.annotations.get_or_insert_default();
        marks.extend(bucket.map(|it| (labels::BUCKET.to_owned(), it.to_owned())));
        let children = children(vec![job], vec![pod("export", "Succeeded", 0, DONE)]);
        Jobs::of(&children, None).verified(&instance, &children)
    };
    let (old, new) = (snapshot("60-1").unwrap(), snapshot("71-1").unwrap());
    assert_eq!(verified(Some("vault")), [old.clone(), new]);
    assert_eq!(
        verified(None),
        [old],
        "what is said of a claim that is not there counts for nothing"
    );
}

#[test]
fn a_copy_is_there_as_long_as_its_claim_is() {
    const COPIED: &str = r#"{"result":"copied","id":"71-1","entries":1,"bytes":1,"sha256":"aa"}"#;
    let mut worker = pod("permitted", "Succeeded", 0, COPIED);
    worker.metadata.annotations = Some([(labels::ERRAND.to_owned(), "copy".to_owned())].into());
    let mut children = children(vec![job("copy", Some("Complete"))], vec![worker]);
    let copied = |children: &Children| Jobs::of(children, None).copied(children);
    assert_eq!(copied(&children), []);
    let of = snapshot("71-1").unwrap();
    let store = Store::Copied(of.clone());
    children.claims = vec![(store.clone(), Arc::new(claim("dev-copy-71-1")))];
    assert_eq!(copied(&children), [of]);
    for lost in [claim("dev-copy-71-1").deleted(), claim("dev-copy-71-1").lost()] {
        children.claims = vec![(store.clone(), Arc::new(lost))];
        assert_eq!(copied(&children), []);
    }
}

/// Somebody took the claim away and another one was made: what was said of the one is not true of the other.
#[test]
fn what_is_said_of_a_claim_that_was_taken_away_counts_for_nothing() {
    const COPIED: &str = r#"{"result":"copied","id":"71-1","entries":1,"bytes":1,"sha256":"aa"}"#;
    let fills = |errand: &str| {
        let mut job = job(errand, Some("Complete"));
        let marks = job.metadata.annotations.get_or_insert_default();
        marks.insert(labels::CLAIM_UID.to_owned(), "the-first".to_owned());
        job
    };
    let mut copied = pod("permitted", "Succeeded", 0, COPIED);
    copied.metadata.annotations = Some([(labels::ERRAND.to_owned(), "copy".to_owned())].into());
    let exported = pod("export", "Succeeded", 0, DONE);
    let mut children = children(vec![fills("copy"), fills("export")], vec![copied, exported]);
    let mut counts = |uid: &str| {
        let mut there = claim("dev-copy-71-1");
        there.metadata.uid = Some(uid.to_owned());
        let of = Store::Copied(snapshot("71-1").unwrap());
        children.claims = vec![(of, Arc::new(there.clone()))];
        children.exports = Exports::on(Some(Arc::new(there)));
        let jobs = Jobs::of(&children, None);
        (jobs.copied(&children).len(), jobs.verified(&instance(), &children).len())
    };
    assert_eq!(counts("the-first"), (1, 1));
    assert_eq!(counts("the-second"), (0, 0));
}

/// The status may have told of it before its claim was taken away.
#[test]
fn of_an_export_that_is_being_made_its_job_speaks_alone() {
    use statemachine::{
        Direction,
        pins::{Strategy, WayBack},
        worlds::upgrade,
    };
    let there = Children {
        exports: Exports::on(Some(Arc::new(PersistentVolumeClaim::default()))),
        ..Children::default()
    };
    let knows = |stage, id: &str| {
        let told: Value = json!([{"id": id, "version": "v0", "bytes": 1, "tables": 1, "documents": 1,
            "files": 0, "sha256": "bb", "location": "", "verified": true}]);
        let mut instance = instance();
        let status = instance.status.get_or_insert_default();
        status.snapshots = serde_json::from_value(told).unwrap();
        let upgrade = upgrade(Strategy::InPlace(WayBack::Export), stage, Direction::Forward);
        status.lifecycle = Some(Pins { upgrade: Some(upgrade), ..Pins::default() });
        Jobs::default().verified(&instance, &there).len()
    };
    assert_eq!(knows(Stage::Exporting, "7-1"), 0);
    assert_eq!(knows(Stage::Exporting, "6-1"), 1);
    assert_eq!(knows(Stage::Rolling, "7-1"), 1, "it is pinned, and its import reads its manifest");
}

#[test]
fn a_way_back_is_gone_with_the_claim_that_it_is_on() {
    use statemachine::{
        Direction, Stage,
        pins::{Strategy, WayBack},
        worlds::upgrade,
    };
    let gone = |way_back: WayBack, children: &Children| {
        let rolling = upgrade(Strategy::InPlace(way_back), Stage::Rolling, Direction::Forward);
        Jobs::default().way_back_is_gone(&rolling, &instance(), children)
    };
    let of = Snapshot { of: Revision("7".to_owned()), attempt: 1 };
    let there = Children {
        claims: vec![(Store::Copied(of), Arc::new(claim("dev-copy-7-1")))],
        ..Children::default()
    };
    assert!(gone(WayBack::Copy, &Children::default()));
    assert!(!gone(WayBack::Copy, &there));
    assert!(gone(WayBack::Export, &there), "its claim is not there");
    assert!(!gone(WayBack::None, &Children::default()), "there never was one");
}
