//! Whose pause it is, and which exports are listed.

use std::sync::Arc;

use statemachine::{
    Stage, Strategy,
    pins::{Destination, WayBack},
    worlds::upgrade,
};

use super::*;
use crate::{
    fixtures::{all_is_well, claim, instance_with, two_stores, world},
    plan::{exports::Exports, names::Errand},
};

const FRESH: Strategy = Strategy::ExportImport(Destination::FreshStore);

/// Else our own pause would be taken for the owner's, and never be lifted.
#[test]
fn whose_pause_it_is_is_decided_when_an_upgrade_begins_and_stays_until_its_owner_ends_it() {
    let held = |phase, before: &str, paused: Option<bool>| {
        let mut instance = instance_with(|spec| spec["version"] = "v2".into());
        instance.status.get_or_insert_default().traffic = Some(before.to_owned());
        let mut world = world(all_is_well());
        world.hold = Some(hold::Hold { paused, pausable: true, ..hold::Hold::default() });
        world.facts.wish.strategy = Strategy::InPlace(WayBack::Copy);
        world.facts.wish.release.version = "v2".to_owned();
        if phase != Phase::Ready {
            let stage = Stage::Exporting;
            world.facts.pins.upgrade =
                Some(upgrade(world.facts.wish.strategy, stage, Direction::Forward));
            world.facts.wish.release =
                world.facts.pins.upgrade.as_ref().unwrap().to.release.clone();
        }
        let step = statemachine::step(phase, &world.facts);
        traffic(&instance, &step, &world, &Applied::default())
    };
    let exporting = Phase::Upgrading(Stage::Exporting);
    for (phase, before, paused, then) in [
        (Phase::Ready, hold::PAUSED, Some(true), hold::PAUSED),
        (Phase::Ready, hold::PAUSED, Some(false), hold::HELD),
        (exporting, hold::HELD, Some(true), hold::HELD),
        (exporting, hold::PAUSED, Some(true), hold::PAUSED),
        (exporting, hold::PAUSED, None, hold::PAUSED),
        (exporting, hold::PAUSED, Some(false), hold::HELD),
    ] {
        assert_eq!(held(phase, before, paused).as_deref(), Some(then), "{phase:?} {before}");
    }
}

/// Whoever looks for an export would look in vain; one that is under way may still be told where its claim is restored.
#[test]
fn exports_are_listed_for_as_long_as_their_claim_is_there() {
    let known = SnapshotStatus { id: "6-1".to_owned(), verified: true, ..Default::default() };
    let before = ConvexInstanceStatus { snapshots: vec![known], ..Default::default() };
    let rolling = upgrade(FRESH, Stage::Rolling, Direction::Forward);
    let listed = |pinned: Option<Upgrade>, there: bool| {
        let mut world = two_stores(pinned, Store::Original);
        world.children.exports = Exports::on(there.then(|| Arc::new(claim("dev-snapshots"))));
        snapshots(&instance_with(|_| {}), &before, &world).len()
    };
    assert_eq!((listed(None, true), listed(None, false)), (1, 0));
    assert_eq!(listed(Some(rolling), false), 1);
}

/// What a worker found beside its export says nothing of another place.
#[test]
fn exports_in_a_bucket_are_listed_without_a_claim_and_each_place_is_told_of_by_its_own_workers() {
    let known = |id: &str, bucket: Option<&str>| SnapshotStatus {
        id: id.to_owned(),
        bucket: bucket.map(str::to_owned),
        verified: true,
        ..Default::default()
    };
    let snapshots_of =
        vec![known("4-1", None), known("5-1", Some("vault")), known("6-1", Some("old"))];
    let before = ConvexInstanceStatus { snapshots: snapshots_of, ..Default::default() };
    let listed = |claim: bool, bucket: Option<&str>| {
        let mut world = two_stores(None, Store::Original);
        world.children.exports = Exports::on(claim.then(|| Arc::new(claim_of())));
        let of = crate::observe::jobs::snapshot("7-1").unwrap();
        let mut job = crate::fixtures::seen(Errand::Export, of, Outcome::Succeeded);
        job.bucket = bucket.map(str::to_owned);
        let report = serde_json::json!({"result": "exported", "id": "7-1", "bytes": 1, "sha256": "a", "tables": 1,
            "documents": 1, "files": 0, "version": "v1", "time": "2026-01-02T03:04:05Z", "kept": ["7-1"]});
        job.report = serde_json::from_value(report).ok();
        world.jobs.0.push(job);
        let all = snapshots(&instance_with(|_| {}), &before, &world);
        let mut ids: Vec<_> = all.into_iter().map(|it| it.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(listed(true, Some("vault")), ["4-1", "6-1", "7-1"]);
    assert_eq!(listed(false, Some("vault")), ["6-1", "7-1"]);
    assert_eq!(listed(true, None), ["5-1", "6-1", "7-1"]);
}

fn claim_of() -> k8s_openapi::api::core::v1::PersistentVolumeClaim {
    claim("dev-snapshots")
}
