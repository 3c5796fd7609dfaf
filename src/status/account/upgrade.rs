//! What status tells of an upgrade, and of what upgrades keep.

use std::collections::BTreeMap;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::ResourceExt;
use statemachine::{
    Phase, Step,
    observed::Outcome,
    pins::{Direction, Pins, Store, Upgrade},
    taken::Reason,
};

use crate::{
    api::{ConvexInstance, ConvexInstanceStatus, SnapshotStatus, UpgradeStatus},
    convex::database_url::database_of,
    observe::{World, hold, image, jobs::Seen},
    plan::{Applied, deployment, exports::Place, names::attempt},
    worker::report::Report,
};

/// The upgrade that is under way.
pub(super) fn under_way(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    pins: &Pins,
    world: &World,
    now: &Time,
) -> Option<UpgradeStatus> {
    let upgrade = pins.upgrade.as_ref()?;
    let known = before.upgrade.as_ref().filter(|it| it.id == upgrade.id.0);
    let digest = known.filter(|it| it.image == upgrade.to.release.image);
    let digest = digest.and_then(|it| it.digest.clone());
    // A spec that is changed amid an upgrade does not move its exports.
    let bucket = known.map_or_else(|| world.bucket_of_exports(instance), |it| it.bucket.clone());
    let started = known.and_then(|it| it.start_time.clone()).unwrap_or_else(|| now.clone());
    Some(UpgradeStatus {
        id: upgrade.id.0.clone(),
        from: upgrade.from.release.version.clone(),
        to: upgrade.to.release.version.clone(),
        image: upgrade.to.release.image.clone(),
        digest: digest.or_else(|| image::of_target(&world.children, upgrade)),
        strategy: upgrade.strategy.name().to_owned(),
        direction: if upgrade.direction == Direction::Forward { "Forward" } else { "Rollback" }
            .to_owned(),
        attempt: upgrade.attempt,
        bucket,
        start_time: Some(started),
        way_back: way_back(instance, upgrade, world).filter(|_| is_there(upgrade, world)),
    })
}

/// Where a rollback goes, in words.
pub(in crate::status) fn way_back(
    instance: &ConvexInstance,
    upgrade: &Upgrade,
    world: &World,
) -> Option<String> {
    let names = &world.names;
    match (&upgrade.copy, &upgrade.snapshot) {
        _ if !upgrade.overwritten() && upgrade.target_started => Some(format!(
            "the old store, {}, untouched",
            place(instance, &upgrade.from.store, world)
        )),
        (Some(copy), _) => {
            Some(format!("the cold copy, claim {}", names.store(&Store::Copied(copy.clone()))))
        }
        (None, Some(snapshot)) => {
            let db = &instance.spec.backend.db;
            let into = match (db.is_server(), db.makes_databases()) {
                (true, false) => "a new database, by hand",
                (true, true) => "a new database",
                (false, _) => "a new store",
            };
            let place = Place::kept(instance, &world.jobs, snapshot).words(names);
            Some(format!("export {} on {place}, into {into}", attempt(snapshot)))
        }
        (None, None) => None,
    }
}

/// Where the documents of a store are.
fn place(instance: &ConvexInstance, store: &Store, world: &World) -> String {
    if let Some(keys) = world.keys.as_ref().filter(|_| instance.spec.backend.db.is_server()) {
        return format!("database {}", database_of(&deployment::name(instance, &keys.name, store)));
    }
    let known = world.children.claims.iter().find(|(of, _)| of == store);
    let claim = known.map_or_else(|| world.names.store(store), |(_, it)| it.name_any());
    format!("claim {claim}")
}

/// Whether nobody took away what a rollback goes to.
pub(in crate::status) fn is_there(upgrade: &Upgrade, world: &World) -> bool {
    match (&upgrade.copy, &upgrade.snapshot) {
        _ if !upgrade.overwritten() && upgrade.target_started => true,
        (None, Some(export)) => world.facts.verified.contains(export),
        _ => !world.facts.way_back_gone,
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
    let paused = hold::is_paused_by_owner(instance, world.hold.as_ref());
    if holds {
        // Once ours holds, what the deployment says is no word of its owner.
        let begins = step.taken.is_some_and(|taken| taken.reason == Reason::UpgradeStarted);
        let says = world.hold.as_ref().is_some_and(|it| it.paused.is_some() || !it.pausable);
        let first = match paused {
            true => Some(hold::PAUSED),
            false if says => Some(hold::HELD),
            false => None,
        };
        let resumed = |it: &Upgrade| {
            world.hold.as_ref().is_some_and(|hold| hold::is_resumed(instance, it, hold))
        };
        let anew = begins || pins.upgrade.as_ref().is_some_and(resumed);
        return known.filter(|_| !anew).or_else(|| first.map(str::to_owned));
    }
    if known.as_deref() == Some(hold::HELD) {
        let over = applied.flows || world.hold.as_ref().is_some_and(|it| it.paused == Some(false));
        return known.filter(|_| !over);
    }
    paused.then(|| hold::PAUSED.to_owned())
}

/// Every export that is kept: those that were known and those that Jobs report, as far as the last of these at each place found
/// them there. None is left without their claim; while an upgrade is under way that may still be restored.
pub(super) fn snapshots(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    world: &World,
) -> Vec<SnapshotStatus> {
    let claim = world.facts.pins.upgrade.is_some() || world.children.exports.is_there();
    let reports = world.jobs.0.iter().filter(|it| it.outcome == Outcome::Succeeded);
    let mut all = before.snapshots.clone();
    let mut last = BTreeMap::<Option<&str>, (Time, &[String])>::new();
    for job in reports {
        let Some((seen, kept)) = exported(instance, job, world) else { continue };
        let time = seen.time.clone().unwrap_or(Time(Timestamp::UNIX_EPOCH));
        match all.iter_mut().find(|it| it.id == seen.id) {
            Some(known) => *known = seen,
            None => all.push(seen),
        }
        let of = job.bucket.as_deref();
        if last.get(&of).is_none_or(|(at, _)| at.0 <= time.0) {
            last.insert(of, (time, kept));
        }
    }
    all.retain(|it| {
        let later = |time: &Time| it.time.as_ref().is_some_and(|at| at.0 > time.0);
        let told = last.get(&it.bucket.as_deref());
        let stays = told.is_none_or(|(time, kept)| kept.contains(&it.id) || later(time));
        stays && (claim || it.bucket.is_some())
    });
    all.sort_by_key(|it| it.time.as_ref().map(|at| at.0));
    all
}

/// An export as its Job reports it, and what its Job found beside it.
fn exported<'a>(
    instance: &ConvexInstance,
    job: &'a Seen,
    world: &World,
) -> Option<(SnapshotStatus, &'a [String])> {
    let Report::Exported { id, bytes, sha256, tables, documents, files, version, time, kept } =
        job.report.as_ref()?
    else {
        return None;
    };
    let number = |it: &u64| i64::try_from(*it).unwrap_or(i64::MAX);
    let place = Place::of(instance, job.bucket.as_deref(), id);
    let status = SnapshotStatus {
        id: id.clone(),
        version: version.clone(),
        time: Timestamp::from_second(time.timestamp()).ok().map(Time),
        bytes: number(bytes),
        tables: number(tables),
        documents: number(documents),
        files: number(files),
        sha256: sha256.clone(),
        location: place.location(&world.names, id),
        bucket: place.bucket().map(str::to_owned),
        prefix: place.prefix().map(str::to_owned),
        verified: true,
    };
    Some((status, kept))
}

/// The token of the last try that was asked for and begun.
pub(super) fn retry(before: &ConvexInstanceStatus, pins: &Pins) -> Option<String> {
    let used = pins.upgrade.as_ref().map(|it| it.retry.clone()).filter(|it| !it.is_empty());
    used.or_else(|| before.retry.clone())
}

#[cfg(test)]
mod tests;
