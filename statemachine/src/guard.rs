//! Named questions about the world. A refusal is a [`Waiting`] that says for what.

mod upgrade;

use crate::{
    lifecycle::Life,
    observed::{Health, Kind, Outcome, Pod, Traffic, Vital},
    pins::{Backend, Snapshot, Upgrade},
    waiting::Waiting,
};

/// Yes, or what is missing.
pub(crate) type Verdict = Result<(), Waiting>;

fn unless(yes: bool, waiting: impl FnOnce() -> Waiting) -> Verdict {
    if yes { Ok(()) } else { Err(waiting()) }
}

impl Life<'_> {
    /// Everything that the spec refers to exists and is free.
    pub(crate) fn resolved(&self) -> Verdict {
        unless(self.seen.resolved, || Waiting::ForReferences)
    }

    /// What was found stays as it is until we move it.
    pub(crate) fn fenced(&self) -> Verdict {
        unless(self.seen.fenced, || Waiting::ForFences)
    }

    /// Something of an instance that has served is gone for good, unless somebody puts it back.
    pub(crate) fn lost_vital(&self) -> Option<Vital> {
        self.seen.missing.filter(|_| self.pins.served)
    }

    /// Nothing irreplaceable is gone.
    pub(crate) fn whole(&self) -> Verdict {
        self.lost_vital().map_or(Ok(()), |vital| Err(Waiting::Lost(vital)))
    }

    /// Nothing but this backend is there, and it serves, whoever asked for it under whichever fence.
    pub(crate) fn runs_alone(&self, backend: &Backend) -> bool {
        let serves = |pod: &Pod| pod.backend == *backend && pod.health == Health::Serving;
        !self.seen.pods.is_empty() && self.seen.pods.iter().all(serves)
    }

    /// This backend is asked for, is the only one there is, and serves.
    pub(crate) fn serves(&self, backend: &Backend) -> Verdict {
        unless(self.seen.asked.as_ref() == Some(backend), || Waiting::ForBackend(backend.clone()))?;
        unless(self.seen.pods.iter().all(|pod| pod.backend == *backend), || {
            Waiting::ForOthersGone
        })?;
        unless(matches!(&self.seen.pods[..], [pod] if pod.health == Health::Serving), || {
            Waiting::ForBackend(backend.clone())
        })
    }

    /// No job but this one has any effect left.
    pub(crate) fn idle(&self, except: Option<&(Kind, Snapshot)>) -> Verdict {
        let stray = self.seen.jobs.iter().any(|job| {
            job.outcome == Outcome::Running
                && except.is_none_or(|(kind, of)| job.kind != *kind || job.of != *of)
        });
        unless(!stray, || Waiting::ForJobsStopped)
    }

    /// Home serves with everything around it.
    pub(crate) fn provisioned(&self, home: &Backend) -> Verdict {
        self.serves(home)?;
        self.idle(None)?;
        unless(self.seen.surrounded, || Waiting::ForSurroundings)
    }

    /// Nobody can write, or their writes were given up beforehand.
    pub(crate) fn held(&self) -> Verdict {
        unless(!self.moved, || Waiting::ForTrafficHeld)?;
        match self.seen.traffic {
            Traffic::Held => Ok(()),
            Traffic::Unholdable if self.seen.wish.unheld_export => Ok(()),
            Traffic::Unholdable => Err(Waiting::HoldUnsupported),
            Traffic::Flowing | Traffic::Draining => Err(Waiting::ForTrafficHeld),
        }
    }

    /// The backend may be stopped for a copy: nobody can write, or only its end will tell that nobody can.
    pub(crate) fn quiet(&self) -> Verdict {
        if self.seen.traffic == Traffic::Unholdable { Ok(()) } else { self.held() }
    }

    /// Nobody has any store open, and nobody is about to.
    pub(crate) fn stopped(&self) -> Verdict {
        let gone = self.seen.stopped && self.seen.pods.is_empty();
        unless(gone, || Waiting::ForBackendStopped)
    }

    /// A copy of exactly the data that a deletion would destroy is verified, or none is asked for;
    /// a cold copy is a store itself, and goes with the stores.
    pub(crate) fn bidden_farewell(&self) -> Verdict {
        let carried = self.pins.upgrade.as_ref().and_then(Upgrade::carried);
        let carried = carried.filter(|it| self.seen.verified.contains(it));
        match &self.pins.farewell {
            Some(last) if self.pins.served && carried.is_none() => {
                unless(self.seen.verified.contains(last), || Waiting::ForFarewell(last.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The phase has lasted longer than it may.
    pub(crate) fn late(&self) -> bool {
        self.seen.waited >= self.seen.patience
    }

    fn outcome(&self, (kind, of): &(Kind, Snapshot)) -> Option<Outcome> {
        let job = self.seen.jobs.iter().find(|job| job.kind == *kind && job.of == *of);
        job.map(|job| job.outcome)
    }
}
