//! What is listed of stores, and from when their time runs.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::json;
use statemachine::{
    Strategy,
    pins::{Destination, Direction},
    worlds::upgrade,
};

use super::*;
use crate::fixtures::{instance_with, made, two_stores};

const FRESH: Strategy = Strategy::ExportImport(Destination::FreshStore);

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

/// A database is nothing that Kubernetes lists: what an upgrade has left is told by the record, and named for whoever drops it.
#[test]
fn a_database_that_was_left_is_listed_by_its_name_and_stays_so() {
    let server = instance_with(|spec| {
        spec["backend"]["db"] = json!({"engine": "postgres", "secretRef": "pg", "urlKey": "uri"});
    });
    let now = Time(Timestamp::from_second(1000).unwrap());
    let mut world = two_stores(None, made());
    world.children.claims.clear();
    let pins = world.facts.pins.clone();
    let left = StoreStatus {
        store: "Original".to_owned(),
        database: Some("dev".to_owned()),
        ..StoreStatus::default()
    };
    let before = ConvexInstanceStatus { stores: vec![left], ..ConvexInstanceStatus::default() };
    // Our Secret has the name of the new one by now.
    world.keys.as_mut().unwrap().name = crate::convex::InstanceName::parse("dev-7-other").unwrap();
    let listed = stores(&server, &before, &pins, &world, &now);
    assert_eq!(listed.len(), 1, "the one in use is not listed: {listed:?}");
    assert_eq!((listed[0].database.as_deref(), &*listed[0].claim), (Some("dev"), ""));
    assert_eq!((&listed[0].since, &listed[0].removal_time), (&Some(now), &None));
}
