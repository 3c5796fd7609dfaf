//! What keeps the workers of an upgrade from their end, and the claims that they fill.

use kube::ResourceExt;
use statemachine::{
    Phase, Stage, Step,
    observed::{Outcome, Traffic},
    pins::{Store, Upgrade},
};

use super::{UNHELD, release::to_set};
use crate::{
    api::ConvexInstance,
    observe::{Obstacle, World},
    plan::{
        claim::is_going,
        exports::Place,
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

/// What the backend itself imports, or may: nobody is let in, and nothing is moved, while data changes under a Job's feet.
pub(super) fn imports(world: &World) -> Option<Obstacle> {
    let hold = world.hold.as_ref()?;
    if let Some(error) = &hold.untold {
        let lasts = world.facts.waited >= UNHELD;
        let message = format!(
            "the deployment does not tell which imports it performs ({error}): its data may still change, so that nothing is moved and nobody is let in. It is asked again and again; its log says why it fails"
        );
        let it = Obstacle::new("ImportsUntold", message);
        return Some(Obstacle { abnormal: lasts, ..it });
    }
    let all: Vec<_> = hold.imports.iter().map(String::as_str).collect();
    (!all.is_empty()).then(|| {
        let message = format!(
            "the deployment still performs an import that is not this attempt's ({}): nothing is moved and nobody is let in before it ends",
            all.join(", ")
        );
        Obstacle::passing("ImportsRunning", message)
    })
}

/// The export that the target is still to be loaded from, where it is not there any more.
pub(super) fn export_gone(instance: &ConvexInstance, world: &World) -> Option<Obstacle> {
    let pinned = world.facts.pins.upgrade.as_ref();
    let loads = pinned.filter(|it| it.imports() && it.stage != Stage::Rolling)?;
    let gone = loads.snapshot.as_ref().filter(|it| !world.facts.verified.contains(it))?;
    let import = world.jobs.find(Errand::Import, &loads.next_snapshot());
    if import.is_some_and(|it| it.goes_on() || it.outcome == Outcome::Succeeded) {
        return None;
    }
    let (at, place) = (Place::kept(instance, &world.jobs, gone), &world.children.exports);
    let state = if at != Place::Claim {
        "is not said to hold it any more".to_owned()
    } else if place.is_going() {
        "is being deleted, and can be read for as long as a Job that used it is there".to_owned()
    } else if place.is_there() {
        "has lost its volume, or is another one".to_owned()
    } else {
        format!("is gone, or without the label {INSTANCE_UID} of this instance")
    };
    let (export, place) = (attempt(gone), at.quoted(&world.names));
    // Only an attempt that exports makes another one.
    let restore = if loads.stage == Stage::Importing && at == Place::Claim {
        ". Restore the claim with what was on it"
    } else {
        ""
    };
    Some(Obstacle::new(
        "ExportGone",
        format!("export {export} cannot be loaded: {place}, which it is on, {state}{restore}"),
    ))
}

/// That users were let in after the export of this attempt was begun: seen once, in the pass that gives the attempt up.
pub(super) fn let_in(step: &Step, world: &World) -> Option<Obstacle> {
    let given_up = step.taken.is_some() && step.phase == Phase::Degraded;
    let upgrade = world.facts.pins.upgrade.as_ref().filter(|_| given_up)?;
    let flows = world.facts.traffic == Traffic::Flowing;
    (flows && world.facts.has_begun_export(upgrade)).then(|| {
        Obstacle::new(
            "UsersLetIn",
            "somebody resumed the deployment after its export was begun: what users have written since may be missing in that export, which is not used. Nothing was moved. To try again, annotate convex.icod.de/retry=<anything new> and leave the deployment paused until the upgrade is over.",
        )
    })
}

/// What ended an attempt, or keeps it from its end, with all that it lacks.
pub(super) fn attempt_ended(instance: &ConvexInstance, world: &World) -> Option<Obstacle> {
    match (export_gone(instance, world), job(world)) {
        (Some(mut gone), Some(job)) => {
            gone.message = format!("{}; besides: {}", gone.message, job.message);
            Some(gone)
        }
        (gone, job) => gone.or(job),
    }
}

/// What the way back is to be made on, where somebody has deleted it, in words.
fn place_going(instance: &ConvexInstance, world: &World) -> Option<String> {
    let upgrade = world.facts.pins.upgrade.as_ref().filter(|it| it.stage == Stage::Exporting)?;
    let to = Store::Copied(upgrade.next_snapshot());
    let mut copies = world.children.claims.iter().filter(|(store, _)| *store == to);
    let copy = copies.find(|(_, claim)| is_going(claim));
    let exports = upgrade.strategy.exports() && upgrade.snapshot.is_none();
    let id = attempt(&upgrade.next_snapshot());
    let exports = exports && Place::of_upgrade(instance, &id) == Place::Claim;
    let exports = exports && world.children.exports.is_going();
    let copy = copy.map(|(_, claim)| format!("claim \"{}\"", claim.name_any()));
    copy.or_else(|| exports.then(|| Place::Claim.quoted(&world.names)))
}

/// That a claim of the way back goes, while the stage goes on: it is made anew.
pub(super) fn going(instance: &ConvexInstance, world: &World) -> Option<Obstacle> {
    let going = place_going(instance, world)?;
    Some(Obstacle::new(
        "ClaimDeleted",
        format!(
            "{going}, which the way back is to be made on, is being deleted: it is made anew once it is gone, and what this upgrade makes on it with it; whatever is older on it goes for good, unless its volume is retained. Where it does not go, see what keeps it (its finalizers, a pod that uses it)."
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
    let because = place_going(instance, world).map_or_else(
        || "the backend never says that an export failed".to_owned(),
        |place| {
            format!(
                "{place} is being deleted: see what keeps it (its finalizers, a pod that uses it)"
            )
        },
    );
    Some(Obstacle::passing(
        "DeadlineExceeded",
        format!(
            "no way back was made and verified within {seconds}s (spec.maintenance.exportDeadlineSeconds); {because}"
        ),
    ))
}
