//! What keeps the workers of an upgrade from their end, and the claims that they fill.

use kube::ResourceExt;
use statemachine::{
    Stage,
    observed::Outcome,
    pins::{Store, Upgrade},
};

use crate::{
    api::ConvexInstance,
    observe::{Obstacle, World},
    plan::names::Errand,
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

/// A claim that the way back is to be made on, or is on, and that somebody has deleted.
pub(super) fn going(world: &World) -> Option<Obstacle> {
    let upgrade = world.facts.pins.upgrade.as_ref().filter(|it| it.stage == Stage::Exporting)?;
    let to = Store::Copied(upgrade.next_snapshot());
    let copies = world.children.claims.iter().filter(|(store, _)| *store == to);
    let exports = world
        .children
        .snapshots
        .iter()
        .filter(|_| upgrade.strategy.exports() && upgrade.snapshot.is_none());
    let mut all = copies.map(|(_, claim)| claim).chain(exports);
    let going = all.find(|it| it.metadata.deletion_timestamp.is_some())?;
    Some(Obstacle::new(
        "ClaimDeleted",
        format!(
            "claim \"{}\", which the way back is to be made on, is being deleted: it is made anew once it is gone, and what this upgrade makes on it with it; whatever is older on it goes for good, unless its volume is retained. Where it does not go, see what keeps it (its finalizers, a pod that uses it).",
            going.name_any()
        ),
    ))
}

/// Only where the phase waits for it: elsewhere nobody begins it again.
pub(super) fn begun_again(world: &World, mut told: Obstacle) -> Obstacle {
    if let Some(again) = &world.again {
        told.message = format!("{}; {again}", told.message.trim_end_matches('.'));
    }
    told
}

/// A backend that hangs over an export never says that it does.
pub(super) fn overdue(instance: &ConvexInstance, world: &World) -> Option<Obstacle> {
    world.facts.pins.upgrade.as_ref().filter(|it| it.stage == Stage::Exporting)?;
    let seconds = instance.spec.maintenance.export_deadline_seconds;
    Some(Obstacle::passing(
        "DeadlineExceeded",
        format!(
            "no way back was made and verified within {seconds}s (spec.maintenance.exportDeadlineSeconds); the backend never says that an export failed"
        ),
    ))
}
