//! Who owes what: the obligations of every phase, in the order in which they are carried out.
//!
//! What a phase owes of a fenced child depends on its pins alone: passes under one fence cannot be
//! told apart, so one that is late must want of that child what the current one wants.

use crate::{
    action::Action,
    lifecycle::Life,
    observed::Kind,
    phase::Stage,
    pins::{Backend, Snapshot, Store, Upgrade},
};

impl Life<'_> {
    pub(crate) fn owe_provisioning(&self, owed: &mut Vec<Action>) {
        owed.push(Action::EnsureTrafficHeld);
        self.owe_alone(None, owed);
        match &self.pins.home {
            Some(home) => self.owe_backend(home, None, owed),
            None => owed.push(Action::EnsureFenced),
        }
    }

    pub(crate) fn owe_ready(&self, owed: &mut Vec<Action>) {
        self.owe_alone(None, owed);
        if let Some(home) = &self.pins.home {
            self.owe_open(home, owed);
        }
    }

    /// The store is stamped again so that it carries the fence: a pass that would still start the
    /// backend on it finds itself too old.
    pub(crate) fn owe_suspended(&self, owed: &mut Vec<Action>) {
        owed.push(Action::EnsureTrafficHeld);
        self.owe_alone(None, owed);
        if let Some(home) = &self.pins.home {
            self.owe_vitals(home, None, owed);
            if self.lost_vital().is_none() {
                owed.push(Action::EnsureBackendStopped(home.clone()));
            }
        }
        owed.push(Action::EnsureSurroundingsApplied);
    }

    pub(crate) fn owe_stage(&self, stage: Stage, owed: &mut Vec<Action>) {
        let Some(upgrade) = &self.pins.upgrade else {
            return;
        };
        let job = upgrade.job();
        let backend = match stage {
            Stage::Exporting => upgrade.from.clone(),
            Stage::Rolling | Stage::Importing => upgrade.aim(),
        };
        if stage == Stage::Exporting {
            owed.push(Action::EnsureImageProven(upgrade.to.release.clone()));
        }
        self.owe_alone(job.clone(), owed);
        if let Some((Kind::Copy, attempt)) = job {
            return self.owe_copy(upgrade, attempt, owed);
        }
        self.owe_backend(&backend, job.as_ref(), owed);
        let ready = self
            .serves(&backend)
            .and_then(|()| self.idle(job.as_ref()))
            .and_then(|()| self.held())
            .is_ok();
        let proven = stage != Stage::Exporting || self.proven(upgrade).is_ok();
        let there = stage != Stage::Importing || self.importable(upgrade).is_ok();
        let job = job.filter(|_| ready && proven && there);
        owed.extend(job.and_then(|job| carry(upgrade, job, backend)));
    }

    /// Proven first, held second, stopped third, copied last. Until it is held the backend is owed
    /// nothing.
    fn owe_copy(&self, upgrade: &Upgrade, attempt: Snapshot, owed: &mut Vec<Action>) {
        let job = (Kind::Copy, attempt.clone());
        let quiet =
            self.proven(upgrade).and_then(|()| self.quiet()).and_then(|()| self.idle(Some(&job)));
        if quiet.is_err() || self.lost_vital().is_some() {
            return;
        }
        owed.push(Action::EnsureBackendStopped(upgrade.from.clone()));
        owed.push(Action::EnsureSurroundingsApplied);
        if self.stopped().is_ok() {
            let (from, to) = (upgrade.from.store.clone(), Store::Copied(attempt.clone()));
            owed.push(Action::EnsureCopied { attempt, from, to });
        }
    }

    pub(crate) fn owe_degraded(&self, owed: &mut Vec<Action>) {
        match (&self.pins.upgrade, &self.pins.home) {
            (Some(upgrade), _) if upgrade.stage == Stage::Exporting => {
                self.owe_alone(None, owed);
                self.owe_open(&upgrade.from, owed);
            }
            (Some(upgrade), _) => {
                if upgrade.strategy.prepares() {
                    owed.push(Action::EnsureTrafficHeld);
                }
                let job = Some((Kind::Import, upgrade.next_snapshot()));
                self.owe_alone(job.clone(), owed);
                self.owe_backend(&upgrade.aim(), job.as_ref(), owed);
            }
            (None, Some(home)) if self.pins.served => {
                self.owe_alone(None, owed);
                self.owe_backend(home, None, owed);
            }
            (None, _) => self.owe_provisioning(owed),
        }
    }

    pub(crate) fn owe_deleting(&self, owed: &mut Vec<Action>) {
        let parted = self.pins.parted;
        if parted && self.seen.cleared && !self.leaving && self.idle(None).is_ok() {
            owed.push(Action::EnsureFinalizerRemoved);
            return;
        }
        owed.push(Action::EnsureTrafficHeld);
        if let Some(last) = self.pins.farewell.clone().filter(|_| !parted) {
            return self.owe_farewell(last, owed);
        }
        self.owe_alone(None, owed);
        let keep_stores = self.bidden_farewell().is_err();
        owed.push(Action::EnsureChildrenRemoved { keep_stores });
    }

    /// The last snapshot, out of the backend that holds the data.
    fn owe_farewell(&self, last: Snapshot, owed: &mut Vec<Action>) {
        let job = (Kind::Export, last.clone());
        self.owe_alone(Some(job.clone()), owed);
        if self.pins.home.is_none() && self.fenced().is_err() {
            return owed.push(Action::EnsureFenced);
        }
        let Some(holder) = self.holder() else { return };
        self.owe_backend(&holder, Some(&job), owed);
        let ready = self
            .serves(&holder)
            .and_then(|()| self.idle(Some(&job)))
            .and_then(|()| self.held())
            .is_ok();
        owed.extend(ready.then_some(Action::EnsureExported(last)));
    }

    fn owe_alone(&self, except: Option<(Kind, Snapshot)>, owed: &mut Vec<Action>) {
        if self.idle(except.as_ref()).is_err() {
            owed.push(Action::EnsureJobsStopped { except });
        }
    }

    /// Secrets and the store, under our fence; nothing that is irreplaceable is made a second time.
    fn owe_vitals(&self, home: &Backend, job: Option<&(Kind, Snapshot)>, owed: &mut Vec<Action>) {
        if self.lost_vital().is_some() {
            return;
        }
        owed.push(Action::EnsureSecretsCreated);
        if self.idle(job).is_ok() {
            owed.push(Action::EnsureStoreStamped(home.clone()));
        }
    }

    /// A backend is never moved under a job that could still reach it, nor onto something lost.
    fn owe_backend(
        &self,
        backend: &Backend,
        job: Option<&(Kind, Snapshot)>,
        owed: &mut Vec<Action>,
    ) {
        self.owe_vitals(backend, job, owed);
        if self.lost_vital().is_none() && self.idle(job).is_ok() {
            owed.push(Action::EnsureBackendRolled(backend.clone()));
        }
        owed.push(Action::EnsureSurroundingsApplied);
    }

    /// Users are let in only where the data is known to be.
    fn owe_open(&self, home: &Backend, owed: &mut Vec<Action>) {
        self.owe_backend(home, None, owed);
        if self.lost_vital().is_none() {
            owed.push(Action::EnsureStoreSealed(home.store.clone()));
        }
        if self.serves(home).and_then(|()| self.idle(None)).is_ok() {
            owed.push(Action::EnsureTrafficFlowing);
        }
    }

    /// The backend that holds the data while an instance goes away; without pins, the one that is found.
    fn holder(&self) -> Option<Backend> {
        match &self.pins.upgrade {
            Some(upgrade) if upgrade.overwritten() => Some(upgrade.aim()),
            _ => self.pins.home.clone().or_else(|| self.seen.found.clone()),
        }
    }
}

fn carry(upgrade: &Upgrade, (kind, attempt): (Kind, Snapshot), into: Backend) -> Option<Action> {
    match kind {
        Kind::Copy => None,
        Kind::Export => Some(Action::EnsureExported(attempt)),
        Kind::Import => {
            let snapshot = upgrade.snapshot.clone()?;
            Some(Action::EnsureImported { snapshot, attempt, into })
        }
    }
}
