//! What an upgrade owes besides a backend: a proof, a pause, Jobs, and the claims that they fill.

mod fill;

use statemachine::{
    Stage,
    observed::{Kind as Carries, Outcome},
    pins::{Backend, Release, Snapshot, Store, Upgrade},
};

use super::Planner;
use crate::{
    observe::{
        hold::{self, Hold},
        jobs::{Seen, again::errand_of},
    },
    plan::{
        Child, Inputs, Kind, Step, claim, jobs,
        names::{Errand, attempt},
        retention,
        service::{self, Traffic},
    },
};

impl Planner<'_> {
    fn upgrade(&self) -> Option<&Upgrade> {
        self.world.facts.pins.upgrade.as_ref()
    }

    /// Which attempt may move data, by the phase that this pass is in. An import has its permit from when its backend is
    /// rolled: no pass that would start it is older than that, for a stage that goes back takes another attempt.
    pub(super) fn permit(&self, open: bool) -> Option<String> {
        let upgrade = self.upgrade()?;
        if upgrade.stage == Stage::Rolling {
            return (open && upgrade.imports()).then(|| attempt(&upgrade.next_snapshot()));
        }
        let (kind, of) = upgrade.job()?;
        let moves = match kind {
            Carries::Copy => !open,
            Carries::Import => open,
            Carries::Export => false,
        };
        moves.then(|| attempt(&of))
    }

    /// The deployment itself turns users away and lets administrators through. Where it cannot, or where its store is
    /// new and knows of no pause, the Service leads nowhere until it was seen paused.
    pub(super) fn held(&self, inputs: &Inputs<'_>) -> Vec<Step> {
        let Some(upgrade) = self.upgrade().filter(|_| !self.removes) else {
            return vec![traffic(inputs, Traffic::Held)];
        };
        let hold = self.world.hold.as_ref();
        let exporting = upgrade.stage == Stage::Exporting;
        let fresh = !exporting && matches!(upgrade.aim().store, Store::Made(_));
        match hold {
            Some(Hold { paused: Some(true), .. }) if exporting => Vec::new(),
            // What the backend before it says of its own store is no word of the one that comes.
            Some(Hold { paused: Some(true), .. }) if fresh && !self.is_there(&upgrade.aim()) => {
                vec![traffic(inputs, Traffic::Held)]
            }
            Some(Hold { paused: Some(true), .. }) => vec![traffic(inputs, Traffic::Flows)],
            Some(Hold { pausable: false, .. }) => vec![traffic(inputs, Traffic::Held)],
            _ => {
                let closes = fresh.then(|| traffic(inputs, Traffic::Held));
                let known = |it: &&Hold| hold::is_known(self.instance, upgrade, it);
                let pauses = hold.filter(known).map(|_| Step::Hold);
                closes.into_iter().chain(pauses).collect()
            }
        }
    }

    fn is_there(&self, backend: &Backend) -> bool {
        self.world.facts.pods.iter().all(|it| it.backend.store == backend.store)
    }

    /// Only our own pause is ended: an owner who had paused the deployment before finds it so afterwards.
    pub(super) fn flowing(&self, inputs: &Inputs<'_>) -> Vec<Step> {
        let paused = self.world.hold.as_ref().is_some_and(|it| it.paused == Some(true));
        let ours = paused && hold::is_held(self.instance);
        let opens = [traffic(inputs, Traffic::Flows)].into_iter();
        let opened = opens.chain(ours.then_some(Step::Release));
        opened.chain(self.outdated()).chain(self.idle_proofs()).collect()
    }

    /// The proof of an attempt that nobody waits for any more: it may try for ever to pull what is not there.
    fn idle_proofs(&self) -> impl Iterator<Item = Step> {
        let of = self.upgrade().map(Upgrade::next_snapshot);
        let idle = self.world.jobs.0.iter().filter(move |it| {
            it.errand == Errand::Proof
                && it.outcome == Outcome::Running
                && Some(&it.of) != of.as_ref()
        });
        let idle = idle.filter(|it| !it.name.is_empty());
        idle.map(|it| Step::Remove(Kind::Job, it.name.clone()))
    }

    /// Stores that nobody needs any more, once the time is over that the spec gives them.
    fn outdated(&self) -> Vec<Step> {
        let status = self.instance.status.as_ref();
        let stores = status.filter(|_| self.upgrade().is_none()).map(|it| &it.stores);
        let now = self.world.now.timestamp();
        let used = String::from(self.world.children.store.clone());
        let over = stores.into_iter().flatten().filter(|it| {
            let due = it.since.as_ref().and_then(|at| retention::due(self.instance, &it.claim, at));
            it.store != used
                && !it.claim.is_empty()
                && due.is_some_and(|at| at.0.as_second() <= now)
        });
        let claims: Vec<_> = over.map(|it| Step::Remove(Kind::Claim, it.claim.clone())).collect();
        let mut there = self.world.children.claims.iter().map(|(_, claim)| claim);
        let exports = self.world.children.exports.is_going();
        let goes =
            self.upgrade().is_none() && (exports || there.any(|claim| claim::is_going(claim)));
        let jobs = (goes || !claims.is_empty()).then(|| self.jobs_that_are_over());
        jobs.into_iter().flatten().chain(claims).collect()
    }

    /// A pod that has ended still keeps the claims that it used (`podUsesPVC` in kubernetes/kubernetes,
    /// pkg/controller/volume/pvcprotection), whoever deletes them, and goes with its Job only. A proof uses none.
    pub(super) fn jobs_that_are_over(&self) -> impl Iterator<Item = Step> {
        let over = |it: &&Seen| it.outcome != Outcome::Running && it.errand != Errand::Proof;
        let over = self.world.jobs.0.iter().filter(over);
        over.filter(|it| !it.name.is_empty()).map(|it| Step::Remove(Kind::Job, it.name.clone()))
    }

    pub(super) fn seal(&self, inputs: &Inputs<'_>, store: &Store) -> Vec<Step> {
        let home = self.world.facts.pins.home.as_ref().filter(|home| home.store == *store);
        let there = home.filter(|home| inputs.found(&home.store).is_some());
        let sealed = there.and_then(|home| claim::sealed(inputs, home));
        let claim = sealed.map(|it| Step::Ensure(Child::Claim(Box::new(it))));
        claim.into_iter().chain(self.unrecorded(store)).chain(self.moved(inputs, store)).collect()
    }

    pub(super) fn prove(&self, inputs: &Inputs<'_>, release: &Release) -> Vec<Step> {
        let Some(of) = self.upgrade().map(Upgrade::next_snapshot) else { return Vec::new() };
        let exports = self.upgrade().is_some_and(|it| it.strategy.exports());
        let place = exports.then(|| self.place_of(&of));
        let proof = |number| jobs::proof(inputs, &of, number, (release, place.as_ref()));
        let start = self.worker(Errand::Proof, &of).map(|it| Step::Start(Box::new(proof(it))));
        self.idle_proofs().chain(start).collect()
    }

    /// The number of the worker that is to be started now; none where one is there, and none is to take its place yet.
    fn worker(&self, errand: Errand, of: &Snapshot) -> Option<u32> {
        if self.world.jobs.find(errand, of).is_none() {
            return Some(1);
        }
        let again = self.world.again.as_ref();
        let due = again.filter(|it| it.errand == errand && it.of == *of && it.pause.is_zero());
        due.map(|it| it.number)
    }

    pub(super) fn stop_jobs(&self, except: Option<&(Carries, Snapshot)>) -> Vec<Step> {
        let spared = |errand: Errand, of: &Snapshot| {
            except.is_some_and(|(kind, spared)| errand == errand_of(*kind) && spared == of)
        };
        // One that is complete has no effect left, though the watch of its pod may be behind: it stays to be looked at.
        let running = self.world.jobs.0.iter().filter(|it| {
            it.outcome == Outcome::Running
                && !it.complete
                && it.errand != Errand::Proof
                && !it.name.is_empty()
                && !spared(it.errand, &it.of)
        });
        let imports = self.world.hold.as_ref().map(|it| it.imports.clone()).unwrap_or_default();
        let mut all = self.world.jobs.0.iter();
        let own =
            all.any(|it| it.goes_on() && it.errand == Errand::Import && spared(it.errand, &it.of));
        let cancel = (!own && !imports.is_empty()).then_some(Step::CancelImports(imports));
        running.map(|it| Step::Remove(Kind::Job, it.name.clone())).chain(cancel).collect()
    }
}

fn traffic(inputs: &Inputs<'_>, traffic: Traffic) -> Step {
    Step::Ensure(Child::Service(Box::new(service::backend(inputs, traffic))))
}

#[cfg(test)]
mod tests;
