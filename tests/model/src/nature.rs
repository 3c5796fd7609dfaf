//! What the cluster does by itself: controllers, pods, nodes, and users who write.

use statemachine::observed::Kind;

use crate::{
    ghost,
    model::Lifecycle,
    mutant::Mutant,
    observe::UNPAUSABLE,
    world::{Gate, Outcome, Pod, Traffic, World, holds},
};

impl Lifecycle {
    /// One step of the `StatefulSet` controller: the wrong pod goes, then the right one comes.
    pub(crate) fn sync(&self, world: &mut World) -> Option<()> {
        let wanted = world.statefulset.filter(|set| set.up).map(|set| set.backend);
        let wrong = |pod: &&mut Pod| !pod.leaving && Some(pod.backend) != wanted;
        if let Some(pod) = world.pods.iter_mut().find(wrong) {
            (pod.leaving, pod.ready) = (true, false);
            return Some(());
        }
        let backend = wanted?;
        let surges = self.mutant == Mutant::WaitsForGone
            && world.pods.len() < 2
            && world.pods.iter().all(|pod| pod.leaving);
        world.store(backend.store)?;
        if !(world.pods.is_empty() || surges) {
            return None;
        }
        world.pods.push(Pod { backend, leaving: false, started: false, ready: false });
        Some(())
    }

    /// The gate: a pod opens a store only while the one record names exactly the two of them.
    pub(crate) fn pod_starts(&self, world: &mut World, at: usize) -> Option<()> {
        let gate = world.gate.open;
        let (absent, secret) = (world.absent, world.secret);
        let pod = world.pods.get_mut(at)?;
        let backend = pod.backend;
        if pod.started || pod.leaving || !secret || holds(absent, backend.version) {
            return None;
        }
        pod.started = true;
        if self.mutant != Mutant::Gate && gate != Some(backend) {
            return None;
        }
        let store = world.store_mut(backend.store)?;
        let came_back = holds(store.opened, backend.version) && store.last != backend.version;
        let mut bad = 0;
        if store.content > 0 && came_back {
            bad |= ghost::DOWNGRADED;
        }
        if !store.whole {
            bad |= ghost::HALF_OPENED;
        }
        store.opened |= 1 << backend.version;
        store.last = backend.version;
        world.bad |= bad;
        let reads = |kind, of| kind == Kind::Copy && of == backend.store;
        for job in &mut world.jobs {
            let running = job.outcome == Outcome::Running && job.read.is_some();
            job.torn |= running && reads(job.kind, job.into.store);
        }
        Some(())
    }

    pub(crate) fn pod_serves(world: &mut World, at: usize) -> Option<()> {
        let (broken, lost) = (world.broken, world.node_lost);
        let pod = world.pods.get_mut(at)?;
        let serves = pod.started && !pod.leaving && !pod.ready && !lost;
        pod.ready = serves && !holds(broken, pod.backend.version);
        pod.ready.then_some(())
    }

    pub(crate) fn pod_gone(world: &mut World, at: usize) -> Option<()> {
        world.pods.get(at).filter(|pod| pod.leaving && !world.node_lost)?;
        world.pods.remove(at);
        Some(())
    }

    /// A backend that is too old to be paused never drains; once it is stopped, it has.
    pub(crate) fn drained(&self, world: &mut World) -> Option<()> {
        let open = self.unpausable_runs(world);
        if world.traffic != Traffic::Draining || open {
            return None;
        }
        world.traffic = Traffic::Held;
        Some(())
    }

    fn unpausable_runs(&self, world: &World) -> bool {
        let old = |pod: &Pod| pod.backend.version == UNPAUSABLE && pod.started;
        // What has never served has no functions, and so no crons.
        let lives = world.instance.is_some_and(|it| it.pins.served);
        self.configuration.unpausable && lives && world.pods.iter().any(old)
    }

    /// A user, or a cron of a backend that nobody can pause, also on a node that nobody can reach.
    pub(crate) fn user_writes(&self, world: &mut World) -> Option<()> {
        if world.traffic == Traffic::Held && !self.unpausable_runs(world) {
            return None;
        }
        let unreachable = |pod: &&Pod| world.node_lost && pod.started;
        let pod = world.answering().or_else(|| world.pods.iter().find(unreachable))?;
        let store = pod.backend.store;
        let next = world.acknowledged + 1;
        let store = world.store_mut(store)?;
        store.content = next;
        world.acknowledged = next;
        Some(())
    }

    pub(crate) fn deploy(&self, world: &mut World) -> Option<()> {
        if self.mutant == Mutant::DeploysHeld && world.traffic != Traffic::Flowing {
            return None;
        }
        let store = world.answering()?.backend.store;
        let store = world.store_mut(store).filter(|store| !store.code)?;
        store.code = true;
        Some(())
    }

    /// What has lost its owner goes; stores are kept on purpose.
    pub(crate) fn collect(world: &mut World) -> Option<()> {
        let living = world.instance.map(|it| it.uid);
        if world.statefulset.is_some_and(|set| Some(set.owner) != living) {
            world.statefulset = None;
            return Some(());
        }
        if world.gate.owner != 0 && Some(world.gate.owner) != living {
            world.gate = Gate::default();
            return Some(());
        }
        None
    }

    /// The kubelet is silent: its pods are marked to go and cannot be seen gone.
    pub(crate) fn node_lost(world: &mut World) -> Option<()> {
        if world.node_lost || world.pods.is_empty() {
            return None;
        }
        world.node_lost = true;
        for pod in &mut world.pods {
            (pod.leaving, pod.ready) = (true, false);
        }
        Some(())
    }

    /// Users must never see data that lacks a write of theirs.
    pub(crate) fn watch_users(world: &mut World) {
        let flowing = world.traffic == Traffic::Flowing;
        let Some(pod) = world.answering().filter(|_| flowing) else { return };
        let acknowledged = world.acknowledged;
        if world.store(pod.backend.store).is_some_and(|store| store.content != acknowledged) {
            world.bad |= ghost::LOST_WRITE;
        }
    }
}
