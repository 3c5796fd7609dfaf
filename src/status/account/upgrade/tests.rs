//! What is listed of stores, and from when their time runs.

use std::sync::Arc;

use k8s_openapi::jiff::SignedDuration;
use serde_json::json;
use statemachine::{
    Observed, Strategy,
    pins::{Destination, Revision, WayBack},
    worlds::{born, upgrade},
};

use super::*;
use crate::{
    fixtures::{all_is_well, claim, instance_with, world},
    plan::exports::Exports,
};

const FRESH: Strategy = Strategy::ExportImport(Destination::FreshStore);

fn made() -> Store {
    Store::Made(Revision("7".to_owned()))
}

/// Two stores: the one that is upgraded from, and the one that this upgrade has made.
fn two_stores(pinned: Option<Upgrade>, home: Store) -> World {
    let mut facts = Observed { asked: None, ..all_is_well() };
    facts.pins.home = Some(statemachine::Backend { store: home, ..born() });
    facts.pins.upgrade = pinned;
    let mut world = world(facts);
    let claims = [(Store::Original, "dev-data"), (made(), "dev-data-7")];
    let claims = claims.into_iter().map(|(store, name)| (store, Arc::new(claim(name))));
    world.children.claims = claims.collect();
    world
}

/// What is listed after a look at this time, given what was listed before.
fn listed(before: &[StoreStatus], world: &World, seconds: i64) -> Vec<StoreStatus> {
    let instance = instance_with(|spec| spec["maintenance"] = json!({"oldStoreRetention": "1h"}));
    let before =
        ConvexInstanceStatus { stores: before.to_vec(), ..ConvexInstanceStatus::default() };
    let now = Time(Timestamp::from_second(seconds).unwrap());
    stores(&instance, &before, &world.facts.pins, world, &now)
}

#[test]
fn the_time_of_an_old_store_begins_once_the_upgrade_is_over_that_has_left_it() {
    let rolling = upgrade(FRESH, Stage::Rolling, Direction::Forward);
    let amid = listed(&[], &two_stores(Some(rolling), Store::Original), 1000);
    assert_eq!(amid.iter().map(|it| it.claim.as_str()).collect::<Vec<_>>(), ["dev-data"]);
    assert_eq!((&amid[0].since, &amid[0].removal_time), (&None, &None), "it is the way back");
    let over = listed(&amid, &two_stores(None, made()), 5000);
    let left = over[0].since.clone().unwrap();
    assert_eq!(left.0.as_second(), 5000);
    let goes = over[0].removal_time.clone().unwrap().0;
    assert_eq!(goes.duration_since(left.0), SignedDuration::from_hours(1));
    let later = listed(&over, &two_stores(None, made()), 9000);
    assert_eq!(later[0].since, over[0].since, "a later look does not begin it anew");
}

#[test]
fn a_store_that_is_gone_back_to_is_not_listed_and_the_one_that_is_left_is() {
    let back = upgrade(FRESH, Stage::Rolling, Direction::Rollback);
    let amid = listed(&[], &two_stores(Some(back), Store::Original), 1000);
    assert!(amid.iter().all(|it| it.since.is_none()), "{amid:?}");
    let over = listed(&amid, &two_stores(None, Store::Original), 2000);
    assert_eq!(over.iter().map(|it| it.claim.as_str()).collect::<Vec<_>>(), ["dev-data-7"]);
}

#[test]
fn while_the_way_back_is_made_the_store_in_use_is_not_called_old() {
    let exporting = upgrade(FRESH, Stage::Exporting, Direction::Forward);
    let amid = listed(&[], &two_stores(Some(exporting), Store::Original), 1000);
    assert!(amid.iter().all(|it| it.claim != "dev-data"), "{amid:?}");
}

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
        snapshots(&before, &world).len()
    };
    assert_eq!((listed(None, true), listed(None, false)), (1, 0));
    assert_eq!(listed(Some(rolling), false), 1);
}
