//! One reconcile in small: look, ask the REAL `step`, and say what would be written.

use std::{collections::BTreeSet, sync::Mutex};

use statemachine::{Action, Phase, Step, Taken, observed, step};

use crate::{
    mutant::Mutant,
    mutate,
    observe::Look,
    translate::{backend_of, name_of, pins_of, release, store_name},
    world::{Backend, Name, Pins, Traffic, Write},
};

/// Every edge that the real machine took in this process.
pub static WALKED: Mutex<BTreeSet<Taken>> = Mutex::new(BTreeSet::new());

/// What one reconcile decides, and what it wants to write; nothing when the world is as it should be.
pub fn reconcile(look: &Look) -> (Step, Vec<Write>) {
    let seen = look.observed();
    let mut step = step(look.instance.phase, &seen);
    remember(look, &step);
    mutate::step(look, &seen, &mut step);
    let mut after = step.pins.as_ref().map_or(look.instance.pins, pins_of);
    mutate::pins(look, &mut after);
    let fence = match &step.pins {
        Some(pins) if pins.fence != seen.pins.fence => look.instance.revision,
        _ => look.instance.fence,
    };
    let mut todo = Vec::new();
    if step.taken.is_some() {
        todo.push(Write::Status(step.phase, after, fence));
    }
    let rests = step.taken.is_none() && !look.instance.deleting && look.instance.finalizer;
    if look.mutant == Mutant::LevelBased && rests {
        return (step, todo);
    }
    let plan = Plan { look, after, fence, phase: step.phase };
    for action in &step.obligations {
        if plan.conflicts(action) {
            break;
        }
        plan.write(action, &mut todo);
    }
    (step, todo)
}

fn remember(look: &Look, step: &Step) {
    if let Some(taken) = step.taken
        && look.mutant == Mutant::None
        && let Ok(mut walked) = WALKED.lock()
    {
        walked.insert(taken);
    }
}

/// From obligations to writes: only what differs is sent.
struct Plan<'l> {
    look: &'l Look<'l>,
    after: Pins,
    fence: u8,
    phase: Phase,
}

impl Plan<'_> {
    fn is(&self, mutants: &[Mutant]) -> bool {
        mutants.contains(&self.look.mutant)
    }

    /// Carries an older fence than what is wanted of the backend.
    fn differs(&self, fence: u8) -> bool {
        fence < self.after.moved && !self.is(&[Mutant::Fences, Mutant::Raises])
    }

    /// Traffic was held or let flow under another fence than ours.
    fn hold_differs(&self) -> bool {
        let fence = self.look.world.traffic_fence;
        fence != self.fence && !self.is(&[Mutant::Fences, Mutant::Raises])
    }

    /// The child of that name belongs to somebody else: the pass ends here.
    fn conflicts(&self, action: &Action) -> bool {
        let (world, uid) = (self.look.world, self.look.instance.uid);
        let foreign = |owner: u8| owner != uid && !self.is(&[Mutant::Owns]);
        match action {
            Action::EnsureStoreStamped(it) => {
                world.store(self.target(it).store).is_some_and(|store| foreign(store.owner))
            }
            Action::EnsureBackendRolled(_) | Action::EnsureBackendStopped(_) => {
                let gate = world.gate.owner != 0 && foreign(world.gate.owner);
                gate || world.statefulset.is_some_and(|set| foreign(set.owner))
            }
            _ => false,
        }
    }

    /// Wider than what the operator writes (`src/plan/owed/upgrade.rs`): there an attempt may move data only in the stages
    /// that need it, here from its first pass to its last.
    fn permit(&self) -> Option<Name> {
        if self.phase == Phase::Deleting {
            return self.after.farewell;
        }
        self.after.upgrade.map(|it| Name { of: it.id, attempt: it.attempt })
    }

    fn target(&self, it: &statemachine::Backend) -> Backend {
        let aimed = backend_of(it);
        match self.after.upgrade.filter(|it| it.back) {
            Some(upgrade) if self.is(&[Mutant::FreshWayBack, Mutant::OpensCopy]) => {
                Backend { store: upgrade.from.store, ..aimed }
            }
            _ => aimed,
        }
    }

    fn write(&self, action: &Action, todo: &mut Vec<Write>) {
        let world = self.look.world;
        match action {
            Action::EnsureFinalizerAdded if !self.look.instance.finalizer => {
                todo.push(Write::AddFinalizer);
            }
            Action::EnsureFinalizerRemoved if self.look.instance.finalizer => {
                todo.push(Write::RemoveFinalizer);
            }
            Action::EnsureSecretsCreated if !world.secret => todo.push(Write::Secret),
            Action::EnsureStoreStamped(it) => self.stamp(self.target(it), todo),
            Action::EnsureFenced => self.raise(todo),
            Action::EnsureBackendRolled(it) => self.roll(self.target(it), todo),
            Action::EnsureBackendStopped(it) => self.stop(backend_of(it), todo),
            Action::EnsureStoreSealed(it) => self.seal(store_name(it), todo),
            Action::EnsureTrafficHeld => self.hold(todo),
            Action::EnsureTrafficFlowing => {
                if world.traffic != Traffic::Flowing || self.hold_differs() {
                    todo.push(Write::Flow);
                }
            }
            Action::EnsureJobsStopped { except } => {
                todo.push(Write::StopJobs(except.as_ref().map(|(kind, of)| (*kind, name_of(of)))));
            }
            Action::EnsureChildrenRemoved { keep_stores } => self.remove(*keep_stores, todo),
            other => self.start(other, todo),
        }
    }

    /// Jobs, and the pod that proves an image: named by their attempt, and started once.
    fn start(&self, action: &Action, todo: &mut Vec<Write>) {
        let jobs = &self.look.world.jobs;
        let runs = |kind, of: Name| jobs.iter().any(|it| it.kind == kind && it.of == of);
        match action {
            Action::EnsureImageProven(wanted) => {
                let of = self.permit().unwrap_or_default();
                let version = self.after.upgrade.map_or(0, |it| it.to.version);
                let right = release(version) == *wanted;
                if right && self.look.world.proofs.iter().all(|it| it.of != of) {
                    todo.push(Write::Prove(of, version));
                }
            }
            Action::EnsureExported(of) if !runs(observed::Kind::Export, name_of(of)) => {
                todo.push(Write::Export(name_of(of)));
            }
            Action::EnsureCopied { attempt, from, .. }
                if !runs(observed::Kind::Copy, name_of(attempt)) =>
            {
                todo.push(Write::Copy { attempt: name_of(attempt), from: store_name(from) });
            }
            Action::EnsureImported { snapshot, attempt, into }
                if !runs(observed::Kind::Import, name_of(attempt)) =>
            {
                let (snapshot, attempt) = (name_of(snapshot), name_of(attempt));
                todo.push(Write::Import { snapshot, attempt, into: self.target(into) });
            }
            _ => {}
        }
    }

    fn stamp(&self, it: Backend, todo: &mut Vec<Write>) {
        match self.look.world.store(it.store) {
            None => todo.push(Write::Make(it)),
            Some(store) if store.stamp != it.version || self.differs(store.fence) => {
                todo.push(Write::Stamp(it));
            }
            Some(_) => {}
        }
    }

    fn raise(&self, todo: &mut Vec<Write>) {
        let world = self.look.world;
        if world.gate.fence < self.after.moved {
            todo.push(Write::Gate(world.gate.open));
        }
        let low = world.stores.iter().filter(|store| store.fence < self.after.moved);
        todo.extend(low.map(|store| Write::Raise(store.name)));
    }

    fn gate(&self, open: Option<Backend>, todo: &mut Vec<Write>) {
        let gate = self.look.world.gate;
        let spared = self.is(&[Mutant::GateRaises]) && gate.fence != 0;
        let low = self.differs(gate.fence) && !spared;
        let ignored = self.is(&[Mutant::Gate]) || self.is(&[Mutant::GateCloses]) && open.is_none();
        if !ignored && (gate.open != open || low) {
            todo.push(Write::Gate(open));
        }
    }

    fn roll(&self, it: Backend, todo: &mut Vec<Write>) {
        self.gate(Some(it), todo);
        let set = self.look.world.statefulset;
        if set.is_none_or(|set| set.backend != it || !set.up || self.differs(set.fence)) {
            todo.push(Write::Roll(it));
        }
    }

    fn stop(&self, it: Backend, todo: &mut Vec<Write>) {
        self.gate(None, todo);
        let set = self.look.world.statefulset;
        if set.is_none_or(|set| set.backend != it || set.up || self.differs(set.fence)) {
            todo.push(Write::Zero(it));
        }
    }

    fn seal(&self, name: Name, todo: &mut Vec<Write>) {
        let stores = &self.look.world.stores;
        let newest = stores.iter().map(|store| store.sealed).max();
        let sealed = |it: &crate::world::Store| it.sealed > 0 && Some(it.sealed) == newest;
        if !stores.iter().any(|store| store.name == name && sealed(store)) {
            todo.push(Write::Seal(name));
        }
    }

    fn hold(&self, todo: &mut Vec<Write>) {
        let world = self.look.world;
        let flows = world.traffic == Traffic::Flowing;
        if flows || world.permit != self.permit() || self.hold_differs() {
            todo.push(Write::Hold(self.permit()));
        }
    }

    fn remove(&self, keep_stores: bool, todo: &mut Vec<Write>) {
        let (world, instance) = (self.look.world, self.look.instance);
        self.gate(None, todo);
        let keeps = !instance.wish.farewell || keep_stores && !self.is(&[Mutant::Farewell]);
        let ours = |it: &crate::world::Store| it.owner == instance.uid;
        if world.statefulset.is_some_and(|set| set.owner == instance.uid) {
            todo.push(Write::DeleteStatefulSet);
        } else if world.pods.is_empty() && !keeps && world.stores.iter().any(ours) {
            todo.push(Write::DeleteStores);
        }
    }
}
