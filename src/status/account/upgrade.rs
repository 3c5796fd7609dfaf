//! What status tells of an upgrade, and of what upgrades keep.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use statemachine::{
    Phase, Step,
    observed::Outcome,
    pins::{Direction, Pins, Release, Store, Upgrade},
};

use crate::{
    api::{ConvexInstance, ConvexInstanceStatus, SnapshotStatus, StoreStatus, UpgradeStatus},
    observe::{World, hold},
    plan::{Applied, duration, labels, names::attempt},
    worker::report::Report,
};

/// The upgrade that is under way.
pub(super) fn under_way(
    before: &ConvexInstanceStatus,
    pins: &Pins,
    world: &World,
    now: &Time,
) -> Option<UpgradeStatus> {
    let upgrade = pins.upgrade.as_ref()?;
    let known = before.upgrade.as_ref().filter(|it| it.id == upgrade.id.0);
    let started = known.and_then(|it| it.start_time.clone()).unwrap_or_else(|| now.clone());
    Some(UpgradeStatus {
        id: upgrade.id.0.clone(),
        from: upgrade.from.release.version.clone(),
        to: upgrade.to.release.version.clone(),
        image: upgrade.to.release.image.clone(),
        strategy: upgrade.strategy.name().to_owned(),
        direction: if upgrade.direction == Direction::Forward { "Forward" } else { "Rollback" }
            .to_owned(),
        attempt: upgrade.attempt,
        start_time: Some(started),
        way_back: way_back(upgrade, world),
    })
}

/// Where a rollback goes, in words.
pub(in crate::status) fn way_back(upgrade: &Upgrade, world: &World) -> Option<String> {
    let names = &world.names;
    match (&upgrade.copy, &upgrade.snapshot) {
        _ if !upgrade.overwritten() && upgrade.target_started => {
            let known = |(store, _): &&(Store, _)| *store == upgrade.from.store;
            let claim = world.children.claims.iter().find(known).map(|(_, it)| it.name_any());
            let claim = claim.unwrap_or_else(|| names.store(&upgrade.from.store));
            Some(format!("the old store, claim {claim}, untouched"))
        }
        (Some(copy), _) => {
            Some(format!("the cold copy, claim {}", names.store(&Store::Copied(copy.clone()))))
        }
        (None, Some(snapshot)) => Some(format!(
            "export {} on claim {}, into a new store",
            attempt(snapshot),
            names.snapshots()
        )),
        (None, None) => None,
    }
}

/// Whether users are held for an upgrade, and by whose pause.
pub(super) fn traffic(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
) -> Option<String> {
    let pins = step.pins.as_ref().unwrap_or(&world.facts.pins);
    let prepares = pins.upgrade.as_ref().is_some_and(|it| it.strategy.prepares());
    let holds = prepares
        && match step.phase {
            Phase::Upgrading(_) => true,
            Phase::Degraded => step.obligations.contains(&statemachine::Action::EnsureTrafficHeld),
            _ => false,
        };
    let known = instance.status.as_ref().and_then(|it| it.traffic.clone());
    if holds {
        let first = if world.is_paused() { hold::PAUSED } else { hold::HELD };
        return known.or_else(|| Some(first.to_owned()));
    }
    let over = applied.flows || world.hold.as_ref().is_some_and(|it| it.paused == Some(false));
    known.filter(|it| it == hold::HELD && !over)
}

/// Every export that is kept: those that were known, those that a Job reports now, and not those that it removed.
pub(super) fn snapshots(
    before: &ConvexInstanceStatus,
    pins: &Pins,
    world: &World,
    now: &Time,
) -> Vec<SnapshotStatus> {
    let mut all = before.snapshots.clone();
    for seen in world.jobs.0.iter().filter(|it| it.outcome == Outcome::Succeeded) {
        let Some(Report::Exported { id, bytes, sha256, tables, documents, files, pruned }) =
            &seen.report
        else {
            continue;
        };
        if all.iter().any(|it| it.id == *id) {
            continue;
        }
        all.retain(|it| !pruned.contains(&it.id));
        let number = |it: &u64| i64::try_from(*it).unwrap_or(i64::MAX);
        all.push(SnapshotStatus {
            id: id.clone(),
            version: exported_from(pins, world).version.clone(),
            time: Some(now.clone()),
            bytes: number(bytes),
            tables: number(tables),
            documents: number(documents),
            files: number(files),
            sha256: sha256.clone(),
            location: format!("claim {}, folder {id}", world.names.snapshots()),
            verified: true,
        });
    }
    all
}

fn exported_from<'a>(pins: &'a Pins, world: &'a World) -> &'a Release {
    pins.upgrade.as_ref().map_or_else(|| world.release(), |it| &it.from.release)
}

/// Every store besides the one that is in use.
pub(super) fn stores(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    pins: &Pins,
    world: &World,
    now: &Time,
) -> Vec<StoreStatus> {
    let home = pins.home.as_ref().map(|it| &it.store);
    let aim = pins.upgrade.as_ref().map(|it| it.aim().store);
    let used = aim.as_ref().or(home).unwrap_or(&world.children.store);
    let retention = instance.spec.maintenance.old_store_retention.as_deref();
    let retention = retention.and_then(duration::seconds);
    let others = world.children.claims.iter().filter(|(store, _)| store != used);
    others
        .map(|(store, claim)| {
            let called = String::from(store.clone());
            let known = before.stores.iter().find(|it| it.store == called);
            let since = known.and_then(|it| it.since.clone()).unwrap_or_else(|| now.clone());
            StoreStatus {
                claim: claim.name_any(),
                version: last_opened(world, store, claim.annotations().get(labels::VERSION)),
                removal_time: retention.and_then(|it| later(&since, it)),
                since: Some(since),
                store: called,
            }
        })
        .collect()
}

fn last_opened(world: &World, store: &Store, stamped: Option<&String>) -> Option<String> {
    let record = world.children.record();
    let opened = record.and_then(|it| it.opened_by(store).last().cloned());
    opened.or_else(|| stamped.cloned())
}

fn later(since: &Time, seconds: u64) -> Option<Time> {
    let span = k8s_openapi::jiff::SignedDuration::from_secs(i64::try_from(seconds).ok()?);
    since.0.checked_add(span).ok().map(Time)
}

/// The token of the last try that was asked for and begun.
pub(super) fn retry(before: &ConvexInstanceStatus, pins: &Pins) -> Option<String> {
    let used = pins.upgrade.as_ref().map(|it| it.retry.clone()).filter(|it| !it.is_empty());
    used.or_else(|| before.retry.clone())
}
