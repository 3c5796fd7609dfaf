//! Writes to what belongs to an instance, each held to what it was read at.

use statemachine::observed::Kind;

use crate::{
    ghost,
    mutant::Mutant,
    world::{
        Backend, Gate, Instance, Job, Name, ORIGINAL, Outcome, Proof, StatefulSet, Store, Traffic,
        World, Write,
    },
};

pub(super) struct Server<'w> {
    pub(super) world: &'w mut World,
    pub(super) base: &'w Instance,
    pub(super) mutant: Mutant,
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

    pub(super) fn child(&mut self, write: Write) -> bool {
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
