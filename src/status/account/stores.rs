//! What status tells of stores that are not in use.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use statemachine::{
    Stage,
    observed::Outcome,
    pins::{Pins, Store},
};

use crate::{
    api::{ConvexInstance, ConvexInstanceStatus, StoreStatus},
    convex::database_url::database_of,
    observe::World,
    plan::{
        deployment,
        gate::{Record, version_of},
        labels,
        names::Errand,
        retention,
    },
};

/// Every store besides the one that is in use and the one that is on its way to be. The time of one begins once the upgrade is
/// over that has left it.
pub(super) fn stores(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    pins: &Pins,
    world: &World,
    now: &Time,
) -> Vec<StoreStatus> {
    let home = || pins.home.as_ref().map(|it| it.store.clone());
    let aim = pins.upgrade.as_ref().map(|it| it.aim().store);
    let exporting = pins.upgrade.as_ref().filter(|it| it.stage == Stage::Exporting);
    let from = exporting.map(|it| it.from.store.clone());
    let used = aim.or_else(home).unwrap_or_else(|| world.children.store.clone());
    let others = known(instance, before, pins, world);
    let others = others.into_iter().filter(|it| *it != used && Some(it) != from.as_ref());
    let left = pins.upgrade.is_none().then(|| now.clone());
    others.map(|store| of_store(instance, before, &store, left.as_ref(), world)).collect()
}

/// Every store that there is, as far as is known: by its claim, or, on a server, by the record and what was told before.
fn known(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    pins: &Pins,
    world: &World,
) -> BTreeSet<Store> {
    let mut known: BTreeSet<_> =
        world.children.claims.iter().map(|(store, _)| store.clone()).collect();
    if instance.spec.backend.db.is_server() {
        let of = |it: &str| Store::try_from(it.to_owned()).ok();
        let record = world.children.record();
        known.extend(record.iter().flat_map(Record::stores));
        known.extend(before.stores.iter().filter_map(|it| of(&it.store)));
        known.extend(pins.home.iter().map(|it| it.store.clone()));
    }
    known
}

fn of_store(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    store: &Store,
    left: Option<&Time>,
    world: &World,
) -> StoreStatus {
    let called = String::from(store.clone());
    let known = before.stores.iter().find(|it| it.store == called);
    let since = known.and_then(|it| it.since.clone()).or_else(|| left.cloned());
    let claim = world.children.claims.iter().find(|(of, _)| of == store).map(|(_, it)| it);
    let marked = claim.and_then(|it| it.annotations().get(labels::VERSION));
    let name = claim.map(|it| it.name_any());
    let due = |it: &Time| retention::due(instance, name.as_deref()?, it);
    let server = instance.spec.backend.db.is_server();
    let keys = world.keys.as_ref().filter(|_| server);
    let database = || Some(database_of(&deployment::name(instance, &keys?.name, store)));
    StoreStatus {
        verified: verified(store, known, world),
        version: last_opened(world, store, marked),
        removal_time: since.as_ref().and_then(due),
        // What the first one is called is forgotten once another one is in use.
        database: known.and_then(|it| it.database.clone()).or_else(database),
        claim: name.unwrap_or_default(),
        since,
        store: called,
    }
}

/// What a Job has reported once stays known when the Job is gone.
fn verified(store: &Store, known: Option<&StoreStatus>, world: &World) -> Option<bool> {
    let Store::Copied(of) = store else { return None };
    let before = known.is_some_and(|it| it.verified == Some(true));
    let opened = world
        .children
        .record()
        .is_some_and(|it| it.releases.contains_key(&String::from(store.clone())));
    let job = world.jobs.find(Errand::Copy, of);
    Some(before || opened || job.is_some_and(|it| it.outcome == Outcome::Succeeded))
}

fn last_opened(world: &World, store: &Store, stamped: Option<&String>) -> Option<String> {
    let record = world.children.record();
    let opened = record.and_then(|it| it.opened_by(store).last().cloned());
    let opened = opened.map(|it| version_of(&it).to_owned());
    opened.or_else(|| stamped.cloned())
}

#[cfg(test)]
mod tests;
