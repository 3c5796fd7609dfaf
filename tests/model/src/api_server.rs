//! What the API server does with a write, and the ghosts that watch it.

mod children;

use statemachine::{Phase, Stage};

use crate::{
    ghost,
    mutant::Mutant,
    world::{Gate, Instance, Name, Outcome, Pins, World, Write},
};

/// A write to the instance itself is conditioned on its resourceVersion; it may lose that race.
pub const fn concerns_the_instance(write: &Write) -> bool {
    matches!(write, Write::Status(..) | Write::AddFinalizer | Write::RemoveFinalizer)
}

/// Executes one write of an operator that believes in `base`. False ends its pass.
pub fn execute(
    world: &mut World,
    write: Write,
    base: &mut Instance,
    conflict: bool,
    mutant: Mutant,
) -> bool {
    if concerns_the_instance(&write) {
        return to_instance(world, write, base, conflict, mutant);
    }
    watch_proof(world, &write, base);
    let mut server = children::Server { world, base, mutant };
    let goes_on = server.child(write);
    world.jobs.sort_by_key(|job| (job.kind, job.of));
    goes_on
}

/// Executes a write, then once more on the side: a repetition changes nothing.
pub fn execute_and_repeat(
    world: &mut World,
    write: Write,
    base: &mut Instance,
    mutant: Mutant,
) -> bool {
    let goes_on = execute(world, write, base, false, mutant);
    if goes_on && !concerns_the_instance(&write) {
        let mut again = world.clone();
        execute(&mut again, write, &mut base.clone(), false, mutant);
        if again != *world {
            world.bad |= ghost::NOT_IDEMPOTENT;
        }
    }
    goes_on
}

fn to_instance(
    world: &mut World,
    write: Write,
    base: &mut Instance,
    conflict: bool,
    mutant: Mutant,
) -> bool {
    let Some(current) = world.instance else { return false };
    let raced = current.revision != base.revision || current.uid != base.uid || conflict;
    if mutant != Mutant::Conditions && raced {
        return mutant == Mutant::ConflictEnds;
    }
    let mut next = Instance { revision: current.revision + 1, ..current };
    match write {
        Write::AddFinalizer => next.finalizer = true,
        Write::RemoveFinalizer => return remove_finalizer(world, next),
        Write::Status(phase, pins, fence) => {
            if went_backwards(&current, phase, &pins) {
                world.bad |= ghost::BACKWARDS;
            }
            next = Instance { phase, pins, fence, late: false, ..next };
        }
        _ => {}
    }
    world.previous = Some(current);
    world.instance = Some(next);
    *base = next;
    true
}

fn went_backwards(current: &Instance, phase: Phase, pins: &Pins) -> bool {
    let rank = |phase| match phase {
        Phase::Upgrading(Stage::Exporting) => 1,
        Phase::Upgrading(Stage::Rolling) => 2,
        Phase::Upgrading(Stage::Importing) => 3,
        _ => 0,
    };
    let (Some(was), Some(is)) = (current.pins.upgrade, pins.upgrade) else { return false };
    (was.id, was.attempt, was.back) == (is.id, is.attempt, is.back)
        && rank(phase) > 0
        && rank(phase) < rank(current.phase)
}

fn remove_finalizer(world: &mut World, next: Instance) -> bool {
    let writing = world
        .jobs
        .iter()
        .any(|job| job.outcome == Outcome::Running && Some(job.of) == world.permit);
    if writing || world.pods.iter().any(|pod| pod.started) {
        world.bad |= ghost::FINALIZER_EARLY;
    }
    world.instance = Some(Instance { finalizer: false, ..next });
    if next.deleting {
        // The garbage collector takes what is owned; another life may begin before it has.
        world.instance = None;
        world.previous = None;
        if world.left.recreations == 0 {
            world.statefulset = None;
            world.gate = Gate::default();
        }
    }
    false
}

/// Users feel nothing of an upgrade before its image is proven.
fn watch_proof(world: &mut World, write: &Write, base: &Instance) {
    let felt =
        matches!(write, Write::Hold(_) | Write::Zero(_) | Write::Copy { .. } | Write::Export(_));
    let current = world.instance.and_then(|it| it.pins.upgrade);
    let (Some(upgrade), Phase::Upgrading(Stage::Exporting)) = (base.pins.upgrade, base.phase)
    else {
        return;
    };
    let same = current.is_some_and(|it| (it.id, it.attempt) == (upgrade.id, upgrade.attempt));
    let name = Name { of: upgrade.id, attempt: upgrade.attempt };
    let proven = world.proofs.iter().any(|it| it.of == name && it.outcome == Outcome::Succeeded);
    if felt && same && !proven {
        world.bad |= ghost::FELT_UNPROVEN;
    }
}
