//! What jobs do: the effect of a finished one on whichever backend answers its call.

use statemachine::observed::Kind;

use crate::{
    ghost,
    mutant::Mutant,
    world::{Export, Job, Outcome, Store, Traffic, World},
};

/// Lets a job take its next step, if it can.
pub fn work(world: &mut World, at: usize, mutant: Mutant) -> Option<()> {
    let job = *world.jobs.get(at)?;
    if job.outcome != Outcome::Running {
        return None;
    }
    match job.kind {
        Kind::Copy => copy(world, at, job, mutant),
        Kind::Export => export(world, at, job),
        Kind::Import => import(world, at, job, mutant),
    }
}

/// Lets the pod of a proof end: the image is there, or it is not.
pub fn prove(world: &mut World, at: usize) -> Option<()> {
    let absent = world.absent;
    let proof = world.proofs.get_mut(at).filter(|it| it.outcome == Outcome::Running)?;
    let there = !crate::world::holds(absent, proof.version);
    proof.outcome = if there { Outcome::Succeeded } else { Outcome::Failed };
    Some(())
}

fn permitted(world: &World, job: &Job) -> bool {
    world.traffic == Traffic::Held && world.permit == Some(job.of)
}

/// An export is consistent as of its start, however long it takes.
fn export(world: &mut World, at: usize, job: Job) -> Option<()> {
    let store = world.answering()?.backend.store;
    let content = world.store(store)?.content;
    let Some(read) = job.read else {
        world.jobs[at].read = Some(content);
        return Some(());
    };
    world.exports.retain(|it| it.of != job.of);
    world.exports.push(Export { of: job.of, content: read, lost: false });
    world.exports.sort_by_key(|it| it.of);
    world.jobs[at].outcome = Outcome::Succeeded;
    Some(())
}

/// A worker commits only while the hold is up and names its own attempt.
fn import(world: &mut World, at: usize, job: Job, mutant: Mutant) -> Option<()> {
    let backend = world.answering()?.backend;
    let content = world.store(backend.store)?.content;
    if !matches!(mutant, Mutant::Permit | Mutant::JobsStop) && !permitted(world, &job) {
        return None;
    }
    let Some(export) = world.exports.iter().find(|it| it.of == job.source).copied() else {
        world.bad |= ghost::IMPORT_UNVERIFIED;
        return Some(());
    };
    if export.lost {
        world.jobs[at].outcome = Outcome::Failed;
        world.fault = true;
        return Some(());
    }
    if backend != job.into {
        world.bad |= ghost::WRONG_TARGET;
    }
    if content > 0 && !world.exports.iter().any(|it| it.content == content && !it.lost) {
        world.bad |= ghost::OVERWRITTEN;
    }
    world.store_mut(backend.store)?.content = export.content;
    world.jobs[at].outcome = Outcome::Succeeded;
    Some(())
}

/// A copy reads at its end. Its worker asks for its permit before its first byte and after its last,
/// and refuses a target that is not empty.
fn copy(world: &mut World, at: usize, job: Job, mutant: Mutant) -> Option<()> {
    let started_on = |world: &World| {
        world.pods.iter().any(|pod| pod.started && pod.backend.store == job.into.store)
    };
    if mutant != Mutant::CopyPermit && !permitted(world, &job) {
        return None;
    }
    let torn = job.torn || started_on(world);
    let from = *world.store(job.into.store)?;
    if job.read.is_none() {
        if world.store(job.of).is_some() {
            return None;
        }
        let empty = Store { name: job.of, sealed: 0, fence: 0, content: 0, code: false, ..from };
        world.stores.push(Store { whole: false, ..empty });
        world.stores.sort_by_key(|store| store.name);
        (world.jobs[at].read, world.jobs[at].torn) = (Some(0), torn);
        return Some(());
    }
    if torn {
        world.bad |= ghost::TORN;
    }
    let to = world.store_mut(job.of)?;
    (to.content, to.code, to.whole) = (from.content, from.code, true);
    world.jobs[at].outcome = Outcome::Succeeded;
    Some(())
}

/// Lets a job end in vain.
pub fn fail(world: &mut World, at: usize) -> Option<()> {
    let job = world.jobs.get_mut(at).filter(|job| job.outcome == Outcome::Running)?;
    job.outcome = Outcome::Failed;
    world.fault = true;
    Some(())
}

/// Removes a finished job whose time to live is over.
pub fn expire(world: &mut World, at: usize) -> Option<()> {
    world.jobs.get(at).filter(|job| job.outcome != Outcome::Running)?;
    world.jobs.remove(at);
    world.fault = true;
    Some(())
}
