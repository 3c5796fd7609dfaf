//! What keeps the workers of an upgrade from their end, and the claims that they fill.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use statemachine::{
    Stage,
    observed::Outcome,
    pins::{Store, Upgrade},
};

use super::release::to_set;
use crate::{
    api::ConvexInstance,
    observe::{Obstacle, World},
    plan::{
        labels::INSTANCE_UID,
        names::{Errand, attempt},
    },
};

/// What keeps the Job of this attempt from its end, or ended it.
pub(super) fn job(world: &World) -> Option<Obstacle> {
    let attempt = world.facts.pins.upgrade.as_ref()?.next_snapshot();
    let jobs = world.jobs.0.iter().filter(|it| it.of == attempt);
    jobs.filter_map(|it| it.obstacle.clone()).next_back()
}

/// What keeps a worker of another attempt from its end: on a node that is lost it never comes to one by itself.
pub(super) fn stray(world: &World) -> Option<Obstacle> {
    let attempt = world.facts.pins.upgrade.as_ref().map(Upgrade::next_snapshot);
    let mut runs = world
        .jobs
        .0
        .iter()
        .filter(|it| it.outcome == Outcome::Running && it.errand != Errand::Proof);
    runs.find_map(|it| it.obstacle.clone().filter(|_| Some(&it.of) != attempt.as_ref()))
}

/// The export that the target is still to be loaded from, where it is not there any more.
pub(super) fn export_gone(world: &World) -> Option<Obstacle> {
    let pinned = world.facts.pins.upgrade.as_ref();
    let loads = pinned.filter(|it| it.imports() && it.stage != Stage::Rolling)?;
    let gone = loads.snapshot.as_ref().filter(|it| !world.facts.verified.contains(it))?;
    let import = world.jobs.find(Errand::Import, &loads.next_snapshot());
    if import.is_some_and(|it| it.goes_on() || it.outcome == Outcome::Succeeded) {
        return None;
    }
    let state = match world.children.snapshots.as_deref() {
        None => {
            format!("is gone, or without the label {INSTANCE_UID} of this instance")
        }
        Some(it) if it.metadata.deletion_timestamp.is_some() => {
            "is being deleted, and can be read for as long as a Job that used it is there"
                .to_owned()
        }
        Some(_) => "has lost its volume, or is another one".to_owned(),
    };
    let (export, claim) = (attempt(gone), world.names.snapshots());
    // Only an attempt that exports makes another one.
    let restore = if loads.stage == Stage::Importing {
        ". Restore the claim with what was on it"
    } else {
        ""
    };
    Some(Obstacle::new(
        "ExportGone",
        format!(
            "export {export} cannot be loaded: claim \"{claim}\", which it is on, {state}{restore}"
        ),
    ))
}

/// What ended an attempt, or keeps it from its end, with all that it lacks.
pub(super) fn attempt_ended(world: &World) -> Option<Obstacle> {
    match (export_gone(world), job(world)) {
        (Some(mut gone), Some(job)) => {
            gone.message = format!("{}; besides: {}", gone.message, job.message);
            Some(gone)
        }
        (gone, job) => gone.or(job),
    }
}

/// A claim that the way back is to be made on, and that somebody has deleted.
fn claim_going(world: &World) -> Option<&PersistentVolumeClaim> {
    let upgrade = world.facts.pins.upgrade.as_ref().filter(|it| it.stage == Stage::Exporting)?;
    let to = Store::Copied(upgrade.next_snapshot());
    let copies = world.children.claims.iter().filter(|(store, _)| *store == to);
    let exports = world
        .children
        .snapshots
        .iter()
        .filter(|_| upgrade.strategy.exports() && upgrade.snapshot.is_none());
    let mut all = copies.map(|(_, claim)| claim).chain(exports);
    all.find(|it| it.metadata.deletion_timestamp.is_some()).map(|it| &**it)
}

/// That a claim of the way back goes, while the stage goes on: it is made anew.
pub(super) fn going(world: &World) -> Option<Obstacle> {
    let going = claim_going(world)?;
    Some(Obstacle::new(
        "ClaimDeleted",
        format!(
            "claim \"{}\", which the way back is to be made on, is being deleted: it is made anew once it is gone, and what this upgrade makes on it with it; whatever is older on it goes for good, unless its volume is retained. Where it does not go, see what keeps it (its finalizers, a pod that uses it).",
            going.name_any()
        ),
    ))
}

/// That the export is gone, while its stage still goes on: with the other way out.
pub(super) fn or_go_back(instance: &ConvexInstance, world: &World, mut told: Obstacle) -> Obstacle {
    let upgrade = world.facts.pins.upgrade.as_ref();
    let back = upgrade.filter(|it| it.has_way_back() && !world.facts.way_back_gone);
    let back = back.map(|it| to_set(instance, world, &it.from.release));
    let back = back.map(|it| format!(", or go back: set {it}")).unwrap_or_default();
    told.message = format!("{}{back}.", told.message);
    told
}

/// What keeps the Job of this attempt from its end, and when another worker takes its place. Only where the phase waits for
/// it: elsewhere nobody begins it again.
pub(super) fn worker(world: &World) -> Option<Obstacle> {
    let mut told = job(world)?;
    if let Some(again) = &world.again {
        told.message = format!("{}; {again}", told.message.trim_end_matches('.'));
    }
    Some(told)
}

/// A backend that hangs over an export never says that it does.
pub(super) fn overdue(instance: &ConvexInstance, world: &World) -> Option<Obstacle> {
    world.facts.pins.upgrade.as_ref().filter(|it| it.stage == Stage::Exporting)?;
    let seconds = instance.spec.maintenance.export_deadline_seconds;
    let because = claim_going(world).map_or_else(
        || "the backend never says that an export failed".to_owned(),
        |claim| {
            format!("claim \"{}\" is being deleted: see what keeps it (its finalizers, a pod that uses it)", claim.name_any())
        },
    );
    Some(Obstacle::passing(
        "DeadlineExceeded",
        format!(
            "no way back was made and verified within {seconds}s (spec.maintenance.exportDeadlineSeconds); {because}"
        ),
    ))
}
