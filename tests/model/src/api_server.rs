//! What the API server does with a write, and the ghosts that watch it.

use statemachine::{Phase, Stage, observed::Kind};

use crate::{
    ghost,
    mutant::Mutant,
    world::{
        Backend, Gate, Instance, Job, Name, ORIGINAL, Outcome, Pins, Proof, StatefulSet, Store,
        Traffic, World, Write,
    },
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
    let mut server = Server { world, base, mutant };
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
        Write::Status(phase, pins) => {
            if went_backwards(&current, phase, &pins) {
                world.bad |= ghost::BACKWARDS;
            }
            let fence = current.revision;
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

struct Server<'w> {
    world: &'w mut World,
    base: &'w Instance,
    mutant: Mutant,
}

impl Server<'_> {
    /// Written by a newer pass: ours is over.
    fn newer(&self, fence: u8) -> bool {
        self.mutant != Mutant::Fences && fence > self.base.fence
    }

    /// Not ours: never adopted, never overwritten, never deleted.
    fn foreign(&mut self, owner: u8) -> bool {
        let foreign = owner != self.base.uid;
        if foreign && self.mutant == Mutant::Owns {
            self.world.bad |= ghost::FOREIGN_TOUCHED;
            return false;
        }
        foreign
    }

    fn child(&mut self, write: Write) -> bool {
        match write {
            Write::Secret => self.secret(),
            Write::Make(backend) => return self.make(backend),
            Write::Stamp(backend) => return self.stamp(backend),
            Write::Raise(name) | Write::Seal(name) => {
                return self.mark(name, matches!(write, Write::Seal(_)));
            }
            Write::Gate(open) => return self.gate(open),
            Write::Roll(backend) => return self.set(backend, true),
            Write::Zero(backend) => return self.set(backend, false),
            Write::Hold(permit) => return self.traffic(true, permit),
            Write::Flow => return self.traffic(false, None),
            Write::Prove(of, version) => self.prove(of, version),
            Write::Export(of) => {
                self.post(Kind::Export, of, of, Backend::default());
            }
            Write::Copy { attempt, from } => {
                self.post(Kind::Copy, attempt, attempt, Backend { version: 0, store: from });
            }
            Write::Import { snapshot, attempt, into } => {
                let known = self.world.exports.iter().any(|it| it.of == snapshot);
                if !known || snapshot.of != attempt.of {
                    self.world.bad |= ghost::IMPORT_UNVERIFIED;
                }
                self.post(Kind::Import, attempt, snapshot, into);
            }
            Write::StopJobs(except) => self.world.jobs.retain(|job| {
                job.outcome != Outcome::Running || except == Some((job.kind, job.of))
            }),
            Write::DeleteStatefulSet => return self.delete_set(),
            Write::DeleteStores => self.delete_stores(),
            Write::Status(..) | Write::AddFinalizer | Write::RemoveFinalizer => {}
        }
        true
    }

    fn secret(&mut self) {
        if self.world.secret_lost && self.world.acknowledged > 0 {
            self.world.bad |= ghost::MADE_ANEW;
        }
        self.world.secret = true;
    }

    /// A store that was seen is updated, never created: between the look and the write it may be lost.
    fn stamp(&mut self, Backend { version, store: name }: Backend) -> bool {
        let Some(store) = self.world.store(name).copied() else {
            let creates = self.mutant == Mutant::UpdatesOnly;
            return creates && self.make(Backend { version, store: name });
        };
        if self.newer(store.fence) || self.foreign(store.owner) {
            return false;
        }
        let fence = self.base.fence;
        if let Some(store) = self.world.store_mut(name) {
            (store.stamp, store.fence) = (version, fence);
            store.stamps |= 1 << version;
        }
        true
    }

    /// "Already exists" is a question, not an error: ours is stamped, another's is left alone.
    fn make(&mut self, Backend { version, store: name }: Backend) -> bool {
        if self.world.store(name).is_some() {
            return self.stamp(Backend { version, store: name });
        }
        // Only its job makes a copy.
        if name.attempt > 0 && self.mutant != Mutant::CopiesByJob {
            return false;
        }
        self.watch_loss(name);
        let (owner, fence, code) = (self.base.uid, self.base.fence, name == ORIGINAL);
        // Made for an instance that is gone: it stands in the way of the next one of that name.
        self.world.fault |= self.world.instance.is_none_or(|it| it.uid != owner);
        self.world.stores.push(Store {
            name,
            owner,
            stamp: version,
            sealed: 0,
            fence,
            content: 0,
            stamps: 1 << version,
            opened: 0,
            last: version,
            code,
            whole: true,
        });
        self.world.stores.sort_by_key(|store| store.name);
        true
    }

    /// What only an import was filling may be filled again; what held the data may not.
    fn watch_loss(&mut self, name: Name) {
        let home = self.world.instance.and_then(|it| it.pins.home).map(|it| it.store);
        let lost = self.world.lost_store.filter(|lost| lost.name == name && lost.content > 0);
        if lost.is_some_and(|it| it.sealed > 0 || name.attempt > 0 || home == Some(name)) {
            self.world.bad |= ghost::MADE_ANEW;
        }
    }

    /// Raises the fence of a store and, where asked, seals it as the one that holds the data.
    fn mark(&mut self, name: Name, seal: bool) -> bool {
        let Some(store) = self.world.store(name).copied() else { return true };
        if self.newer(store.fence) || self.foreign(store.owner) {
            return false;
        }
        let fence = self.base.fence;
        if let Some(store) = self.world.store_mut(name) {
            store.fence = fence;
            if seal {
                store.sealed = fence;
            }
        }
        true
    }

    fn gate(&mut self, open: Option<Backend>) -> bool {
        let gate = self.world.gate;
        let orphaned = self.world.instance.is_none();
        if orphaned || self.world.jammed || self.newer(gate.fence) {
            return false;
        }
        if gate.owner != 0 && self.foreign(gate.owner) {
            return false;
        }
        self.world.gate = Gate { open, fence: self.base.fence, owner: self.base.uid };
        true
    }

    /// A creation cannot be fenced; without an owner the garbage collector takes it.
    fn set(&mut self, backend: Backend, up: bool) -> bool {
        if self.world.instance.is_none() {
            return false;
        }
        if let Some(set) = self.world.statefulset
            && (self.newer(set.fence) || self.foreign(set.owner))
        {
            return false;
        }
        let (fence, owner) = (self.base.fence, self.base.uid);
        self.world.statefulset = Some(StatefulSet { backend, up, fence, owner });
        true
    }

    fn traffic(&mut self, hold: bool, permit: Option<Name>) -> bool {
        if self.newer(self.world.traffic_fence) {
            return false;
        }
        self.world.traffic_fence = self.base.fence;
        self.world.permit = permit;
        self.world.traffic = match (hold, self.world.traffic) {
            (false, _) => Traffic::Flowing,
            (true, Traffic::Flowing) => Traffic::Draining,
            (true, already) => already,
        };
        true
    }

    fn prove(&mut self, of: Name, version: u8) {
        if self.world.proofs.iter().all(|proof| proof.of != of) {
            self.world.proofs.push(Proof { of, version, outcome: Outcome::Running });
            self.world.proofs.sort_by_key(|proof| proof.of);
        }
    }

    /// A job that is already there is not started twice.
    fn post(&mut self, kind: Kind, of: Name, source: Name, into: Backend) {
        let there = self.world.jobs.iter().any(|job| job.kind == kind && job.of == of);
        if !there || self.mutant == Mutant::PostsOnce {
            let outcome = Outcome::Running;
            self.world.jobs.push(Job { kind, of, source, into, read: None, torn: false, outcome });
        }
    }

    fn delete_set(&mut self) -> bool {
        if let Some(set) = self.world.statefulset
            && (self.newer(set.fence) || self.foreign(set.owner))
        {
            return false;
        }
        self.world.statefulset = None;
        true
    }

    fn delete_stores(&mut self) {
        let (data, uid) = (self.world.acknowledged, self.base.uid);
        let held = self.world.stores.iter().any(|it| it.owner == uid && it.content == data);
        let copied = self.world.exports.iter().any(|it| it.content == data && !it.lost);
        if data > 0 && held && !copied {
            self.world.bad |= ghost::STORE_DELETED;
        }
        self.world.stores.retain(|store| store.owner != uid);
    }
}
