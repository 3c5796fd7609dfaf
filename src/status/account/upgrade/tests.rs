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
    plan::exports::Exports,
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
