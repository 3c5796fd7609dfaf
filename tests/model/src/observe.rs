//! Facts out of the cluster, as the operator's shell would read them.

mod blind;
mod made;

use std::time::Duration;

use statemachine::{
    Leave, Observed, Stage, Vital, Wish,
    observed::{self, Health, Kind},
};

use crate::{
    mutant::Mutant,
    translate::{backend, pins, release, revision, snapshot, store_name, strategy},
    world::{
        Backend, Instance, Job, Name, Outcome, Pod, StatefulSet, Store, Traffic, World, holds,
    },
};

const PATIENCE: Duration = Duration::from_secs(9);

/// The version whose backend is too old to be paused, where the configuration has one.
pub const UNPAUSABLE: u8 = 1;

/// One look: the world through the eyes of an operator that believes in `instance`.
pub struct Look<'w> {
    pub world: &'w World,
    pub instance: &'w Instance,
    pub mutant: Mutant,
    pub unpausable: bool,
}

impl Look<'_> {
    fn is(&self, mutants: &[Mutant]) -> bool {
        mutants.contains(&self.mutant)
    }

    fn current(&self, fence: u8) -> bool {
        fence >= self.instance.pins.moved || self.is(&[Mutant::Fences, Mutant::Raises])
    }

    /// Traffic is held or let flow by each edge anew.
    fn hold_is_current(&self) -> bool {
        let fence = self.world.traffic_fence;
        fence == self.instance.fence || self.is(&[Mutant::Fences, Mutant::Raises])
    }

    fn ours(&self, owner: u8) -> bool {
        owner == self.instance.uid || self.mutant == Mutant::Owns
    }

    fn stores(&self) -> impl Iterator<Item = &Store> {
        self.world.stores.iter().filter(|store| self.ours(store.owner))
    }

    fn statefulset(&self) -> Option<StatefulSet> {
        self.world.statefulset.filter(|set| self.ours(set.owner))
    }

    /// The gate carries our fence and says this.
    fn gate(&self, open: Option<Backend>) -> bool {
        let gate = self.world.gate;
        let raised = self.current(gate.fence) || self.mutant == Mutant::GateRaises;
        self.mutant == Mutant::Gate || raised && gate.open == open && self.ours(gate.owner)
    }

    fn shut(&self) -> bool {
        self.mutant == Mutant::GateCloses || self.gate(None)
    }

    /// Everything.
    pub fn observed(&self) -> Observed {
        let (world, instance) = (self.world, self.instance);
        let pins = pins(&instance.pins, instance.fence);
        let found = self.found().map(backend);
        let vital: Vec<_> = pins.vital_stores(found.as_ref()).iter().map(store_name).collect();
        let set = self.statefulset();
        let lost = !self.home_answers() && instance.late;
        let mut seen = Observed {
            wish: self.wish(),
            revision: revision(instance.revision),
            waited: if instance.late { PATIENCE } else { Duration::ZERO },
            patience: PATIENCE,
            lost,
            resolved: self.resolved(),
            untouched: self.untouched(),
            fenced: self.fenced(),
            asked: self.asked().map(backend),
            stopped: set.is_some_and(|set| self.current(set.fence) && !set.up) && self.shut(),
            pods: world.pods.iter().copied().map(pod).collect(),
            surrounded: true,
            traffic: self.traffic(),
            jobs: world.jobs.iter().map(job).collect(),
            verified: self.verified().into_iter().map(snapshot).collect(),
            copied: self.copied().into_iter().map(snapshot).collect(),
            deployed: self.deployed(),
            outgrown: self.outgrown(),
            cleared: self.cleared(),
            obtainable: true,
            way_back_gone: false,
            leave: Leave::Given,
            proof: self.proof(),
            missing: self.missing(&vital),
            found,
            pins,
        };
        self.disturb(&mut seen);
        seen
    }

    fn wish(&self) -> Wish {
        let wish = self.instance.wish;
        Wish {
            release: release(wish.version),
            strategy: strategy(wish.strategy),
            rollback: wish.rollback,
            retry: wish.retry.to_string(),
            deletion: self.instance.deleting,
            farewell: wish.farewell,
            suspend: wish.suspend,
            unheld_export: false,
        }
    }

    fn home_answers(&self) -> bool {
        let home = self.instance.pins.home;
        home.is_some_and(|home| {
            self.world.pods.iter().any(|pod| pod.backend == home && pod.ready && !pod.leaving)
        })
    }

    /// Nothing of that name belongs to somebody else.
    fn resolved(&self) -> bool {
        let (world, uid) = (self.world, self.instance.uid);
        let foreign = |owner: u8| owner != 0 && owner != uid && self.mutant != Mutant::Owns;
        let set = world.statefulset.is_some_and(|set| foreign(set.owner));
        !set && !foreign(world.gate.owner) && !world.stores.iter().any(|it| foreign(it.owner))
    }

    fn found(&self) -> Option<Backend> {
        let set = self.statefulset().map(|set| set.backend);
        let sealed = self.stores().filter(|store| store.sealed > 0);
        let newest = sealed.max_by_key(|store| store.sealed);
        let newest = newest.map(|store| Backend { version: store.stamp, store: store.name });
        match self.mutant {
            Mutant::Seals => set,
            Mutant::Record => self.world.gate.open.or(newest).or(set),
            _ => newest.or(set),
        }
    }

    /// Nothing was ever made for this instance.
    fn untouched(&self) -> bool {
        let childless = self.statefulset().is_none() && self.stores().next().is_none();
        !self.instance.finalizer && childless && self.world.pods.is_empty()
    }

    fn fenced(&self) -> bool {
        let fence = self.instance.pins.moved;
        let raised = self.world.gate.fence >= fence && self.stores().all(|it| it.fence >= fence);
        raised || self.mutant == Mutant::FencesFirst
    }

    fn asked(&self) -> Option<Backend> {
        let pins = self.instance.pins;
        if self.mutant == Mutant::Asked {
            let runs = self.world.pods.first().map(|pod| pod.backend);
            return match pins.upgrade {
                Some(upgrade) => runs.filter(|it| *it == upgrade.from || *it == upgrade.to),
                None => pins.home,
            };
        }
        let set = self.statefulset().filter(|set| self.current(set.fence) && set.up)?;
        self.gate(Some(set.backend)).then_some(set.backend)
    }

    fn traffic(&self) -> observed::Traffic {
        let world = self.world;
        let unpausable = |pod: &Pod| pod.backend.version == UNPAUSABLE && pod.started;
        if self.unpausable && world.pods.iter().any(unpausable) {
            return match self.mutant {
                Mutant::SeesUnholdable => observed::Traffic::Held,
                _ => observed::Traffic::Unholdable,
            };
        }
        match world.traffic {
            Traffic::Flowing => observed::Traffic::Flowing,
            Traffic::Held if self.hold_is_current() => observed::Traffic::Held,
            Traffic::Draining if self.mutant == Mutant::Drains => observed::Traffic::Held,
            Traffic::Draining | Traffic::Held => observed::Traffic::Draining,
        }
    }

    fn deployed(&self) -> bool {
        let ready = self.world.pods.iter().filter(|pod| pod.ready);
        ready.filter_map(|pod| self.world.store(pod.backend.store)).any(|store| store.code)
    }

    fn outgrown(&self) -> bool {
        let (wanted, home) = (self.instance.wish.version, self.instance.pins.home);
        let store = home.and_then(|home| self.world.store(home.store));
        let past = |it: &Store| holds(it.stamps, wanted) && it.stamp != wanted;
        store.is_some_and(past) && !self.is(&[Mutant::Outgrown, Mutant::PutBack])
    }

    fn cleared(&self) -> bool {
        let (world, instance) = (self.world, self.instance);
        let gone = self.statefulset().is_none();
        if self.mutant == Mutant::FinalizerLast {
            return gone;
        }
        let parted = instance.pins.parted || self.mutant == Mutant::Parts && instance.late;
        let keeps = !instance.wish.farewell || (parted && self.farewell_missing());
        gone && self.shut() && world.pods.is_empty() && (keeps || self.stores().next().is_none())
    }

    fn farewell_missing(&self) -> bool {
        let pins = self.instance.pins;
        let carried = pins.upgrade.filter(|it| it.stage != Stage::Exporting);
        let carried = carried.is_some_and(|it| it.snapshot.is_some());
        let made = |name: Name| self.world.exports.iter().any(|it| it.of == name && !it.lost);
        let missing = pins.farewell.is_some_and(|name| !made(name));
        self.mutant != Mutant::Farewell && pins.served && !carried && missing
    }

    fn missing(&self, vital: &[Name]) -> Option<Vital> {
        if self.mutant == Mutant::LeavesMissing {
            return None;
        }
        if !self.world.secret {
            return Some(Vital::InstanceSecret);
        }
        let absent = |name: &Name| self.stores().all(|store| store.name != *name);
        vital.iter().any(absent).then_some(Vital::Store)
    }
}

fn pod(it: Pod) -> observed::Pod {
    let health = match (it.leaving, it.ready) {
        (true, _) => Health::Terminating,
        (_, true) => Health::Serving,
        _ => Health::Starting,
    };
    observed::Pod { backend: backend(it.backend), health }
}

fn job(it: &Job) -> observed::Job {
    let outcome = match it.outcome {
        Outcome::Running => observed::Outcome::Running,
        Outcome::Succeeded => observed::Outcome::Succeeded,
        Outcome::Failed => observed::Outcome::Failed,
    };
    let kind: Kind = it.kind;
    observed::Job { kind, of: snapshot(it.of), outcome }
}
