//! The claims that an upgrade fills, and the Jobs that fill them.

use std::time::Duration;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use statemachine::{
    Stage,
    observed::Outcome,
    pins::{Backend, Snapshot, Store, Upgrade},
};

use crate::{
    observe::hold,
    plan::{
        Child, Inputs, Kind, Step, claim,
        exports::{self, Place},
        jobs::{self, Carried},
        names::{Errand, attempt},
        owed::Planner,
    },
};

impl Planner<'_> {
    /// The claims that the way back is to be made on, before anybody feels anything: a quota may refuse them, and a name be
    /// taken.
    pub(in crate::plan::owed) fn to_fill(&self) -> Vec<Step> {
        let exporting = self.upgrade().filter(|it| it.stage == Stage::Exporting);
        let Some((upgrade, inputs)) = exporting.zip(self.inputs.as_ref()) else {
            return Vec::new();
        };
        let exports = upgrade.strategy.exports() && upgrade.snapshot.is_none();
        let stops = upgrade.strategy.stops() && upgrade.copy.is_none();
        let snapshots = exports.then(|| self.place_of_exports(inputs, upgrade));
        let to = Store::Copied(upgrade.next_snapshot());
        let copied = stops.then(|| self.copied_claim_of_size(inputs, upgrade, &to)).flatten();
        snapshots.into_iter().flatten().chain(copied).collect()
    }

    /// One that was made before the volume grew goes, and is made anew: what no pod has asked for yet cannot grow. Whoever is
    /// late and would remove one that is copied onto is refused, for it was bound meanwhile.
    fn copied_claim_of_size(
        &self,
        inputs: &Inputs<'_>,
        upgrade: &Upgrade,
        to: &Store,
    ) -> Option<Step> {
        let of = upgrade.next_snapshot();
        let found = inputs.found(to);
        if found.is_none_or(claim::is_going) {
            let job = self.job_of_what_goes(Errand::Copy, &of);
            // It goes already: the step asks for nothing, and keeps the plan from going on without it.
            let waits = || found.map(|_| Step::Remove(Kind::Claim, inputs.claim(to)));
            let made = || self.copied_claim(inputs, &upgrade.from.store, to.clone());
            return job.or_else(waits).or_else(|| Some(made()));
        }
        let job = self.world.jobs.find(Errand::Copy, &of);
        if job.zip(found).is_some_and(|(job, claim)| !job.is_on(claim)) {
            return self.job_of_what_goes(Errand::Copy, &of);
        }
        let outgrown = job.is_none() && claim::is_outgrown(inputs, to);
        outgrown.then(|| Step::Remove(Kind::Claim, inputs.claim(to)))
    }

    pub(super) fn place_of(&self, of: &Snapshot) -> Place {
        Place::of_upgrade(self.instance, &attempt(of))
    }

    /// A bucket is somebody's to make; a claim is made before anybody feels anything.
    fn place_of_exports(&self, inputs: &Inputs<'_>, upgrade: &Upgrade) -> Vec<Step> {
        let (of, place) = (upgrade.next_snapshot(), &self.world.children.exports);
        if self.place_of(&of) != Place::Claim {
            return Vec::new();
        }
        let job = self.world.jobs.find(Errand::Export, &of);
        let own = job.is_some_and(|job| place.is_going() || !place.is_of(job));
        let own = own.then(|| self.job_of_what_goes(Errand::Export, &of)).flatten();
        if place.is_going() {
            // Pods of earlier upgrades have used it as well, and keep it for as long as their Jobs are there.
            let others = self.jobs_that_are_over().filter(|it| Some(it) != own.as_ref());
            let goes = [exports::removed(&inputs.names)];
            return own.iter().cloned().chain(others).chain(goes).collect();
        }
        own.or_else(|| place.made(inputs)).into_iter().collect()
    }

    /// Whatever a worker says of a claim that somebody took away is not said of the one that is made in its place; and the pod of
    /// a worker that has ended keeps the claim from going.
    fn job_of_what_goes(&self, errand: Errand, of: &Snapshot) -> Option<Step> {
        let found = self.world.jobs.find(errand, of)?;
        Some(Step::Remove(Kind::Job, found.name.clone()))
    }

    /// The claim of a copy that has a volume already, as large as the others have become.
    pub(in crate::plan::owed) fn grown_copy(
        &self,
        inputs: &Inputs<'_>,
    ) -> Option<PersistentVolumeClaim> {
        let upgrade = self.upgrade().filter(|it| it.stage == Stage::Exporting)?;
        let (from, to) = (&upgrade.from, Store::Copied(upgrade.next_snapshot()));
        let copied = Backend { release: from.release.clone(), store: to };
        claim::copied_grown(inputs, &copied, &self.opened_by(&from.store))
    }

    fn copied_claim(&self, inputs: &Inputs<'_>, from: &Store, to: Store) -> Step {
        let release = self.upgrade().map(|upgrade| upgrade.from.release.clone());
        let copied = Backend { release: release.unwrap_or_default(), store: to };
        let claim = claim::copied(inputs, &copied, &self.opened_by(from));
        Step::Ensure(Child::Claim(Box::new(claim)))
    }

    pub(in crate::plan::owed) fn export(&self, inputs: &Inputs<'_>, of: &Snapshot) -> Vec<Step> {
        self.talking(Errand::Export, of, |carried| {
            let version = &inputs.release.version;
            let held = self.world.hold.as_ref().is_some_and(|it| it.pausable);
            let (onto, place) = (&self.world.children.exports, self.place_of(of));
            let job = jobs::export(inputs, carried, version, held, &self.kept(), (onto, &place));
            let made = (place == Place::Claim).then(|| onto.made(inputs)).flatten();
            made.into_iter().chain([Step::Start(Box::new(job))]).collect()
        })
    }

    pub(in crate::plan::owed) fn import(
        &self,
        inputs: &Inputs<'_>,
        of: &Snapshot,
        snapshot: &Snapshot,
    ) -> Vec<Step> {
        let same_store = self.upgrade().is_some_and(|it| it.aim().store == it.from.store);
        self.talking(Errand::Import, of, |carried| {
            let place = Place::kept(self.instance, &self.world.jobs, snapshot);
            let job = jobs::import(inputs, carried, (snapshot, &place), same_store);
            vec![Step::Start(Box::new(job))]
        })
    }

    pub(in crate::plan::owed) fn copy(
        &self,
        inputs: &Inputs<'_>,
        of: &Snapshot,
        (from, to): (&Store, &Store),
    ) -> Vec<Step> {
        let Some(number) = self.worker(Errand::Copy, of) else { return Vec::new() };
        vec![
            self.copied_claim(inputs, from, to.clone()),
            Step::Start(Box::new(jobs::copy(inputs, of, number, (from, to)))),
        ]
    }

    /// A Job that talks to a pod which is gone is ended, and made anew for the pod that is there.
    fn talking(
        &self,
        errand: Errand,
        of: &Snapshot,
        start: impl FnOnce(Carried<'_>) -> Vec<Step>,
    ) -> Vec<Step> {
        let found = self.world.jobs.find(errand, of);
        if let Some(found) = found.filter(|it| it.stale && it.outcome != Outcome::Succeeded) {
            let named = !found.name.is_empty();
            return named
                .then(|| Step::Remove(Kind::Job, found.name.clone()))
                .into_iter()
                .collect();
        }
        let Some(number) = self.worker(errand, of) else { return Vec::new() };
        let Some(backend) = hold::address(&self.world.children) else { return Vec::new() };
        let seconds = self.world.facts.patience.max(Duration::from_secs(1)).as_secs();
        start(Carried { attempt: of, number, backend, seconds })
    }

    /// The exports that stay however old they are: what an upgrade still needs.
    fn kept(&self) -> Vec<String> {
        self.upgrade().and_then(|it| it.snapshot.as_ref()).map(attempt).into_iter().collect()
    }
}
