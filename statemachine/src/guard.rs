//! Named questions about the world. A refusal is a [`Waiting`] that says for what.

use crate::{
    lifecycle::Life,
    observed::{Health, Kind, Leave, Outcome, Pod, Proof, Traffic, Vital},
    phase::Stage,
    pins::{Backend, Direction, Snapshot, Upgrade},
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

    /// The target image runs where the backend runs; what was seen of an earlier attempt is no proof.
    pub(crate) fn proven(&self, upgrade: &Upgrade) -> Verdict {
        let looked_for = self.seen.pins.upgrade.as_ref().map(Upgrade::next_snapshot);
        let ours = looked_for == Some(upgrade.next_snapshot());
        unless(ours && self.seen.proof == Proof::Proven, || {
            Waiting::ForImageProven(upgrade.to.release.clone())
        })
    }

    /// The wanted release may be tried from here.
    pub(crate) fn willing(&self) -> Verdict {
        let wish = &self.seen.wish;
        let refused = self
            .pins
            .refused
            .as_ref()
            .is_some_and(|it| it.release == wish.release && !self.asks_again(&it.retry));
        unless(!refused, || Waiting::Refused(wish.release.clone()))?;
        unless(wish.strategy.starts_over() || !self.seen.outgrown, || {
            Waiting::Outgrown(wish.release.clone())
        })
    }

    /// Another try is asked for than the last one. A token that is taken away asks for nothing.
    pub(crate) fn asks_again(&self, last: &str) -> bool {
        let asked = &self.seen.wish.retry;
        !asked.is_empty() && asked != last
    }

    /// The wanted release may be tried from here and now.
    pub(crate) fn may_begin(&self) -> Verdict {
        let wish = &self.seen.wish;
        self.willing()?;
        unless(self.seen.obtainable, || Waiting::ForWayBack(wish.strategy))?;
        let holdable = self.seen.traffic != Traffic::Unholdable || wish.unheld_export;
        unless(holdable || !wish.strategy.exports(), || Waiting::HoldUnsupported)?;
        match self.seen.leave {
            Leave::Given => Ok(()),
            Leave::ForApproval => Err(Waiting::ForApproval),
            Leave::ForWindow => Err(Waiting::ForWindow),
            Leave::ForTurn => Err(Waiting::ForTurn),
        }
    }

    /// What this attempt makes of the data is verified, and nobody has written since.
    pub(crate) fn exported(&self, upgrade: &Upgrade) -> Verdict {
        self.proven(upgrade)?;
        self.idle(upgrade.job().as_ref())?;
        let made = upgrade.next_snapshot();
        if let Some((Kind::Copy, _)) = upgrade.job() {
            self.quiet()?;
            self.stopped()?;
            self.payload_is_there(upgrade)?;
            return unless(self.seen.copied.contains(&made), || Waiting::ForCopy(made.clone()));
        }
        self.held()?;
        unless(self.seen.verified.contains(&made), || Waiting::ForExport(made.clone()))
    }

    /// The backend that is aimed at serves alone.
    pub(crate) fn rolled(&self, upgrade: &Upgrade) -> Verdict {
        self.idle(None)?;
        self.serves(&upgrade.aim())
    }

    /// The import of this attempt is verified, and there is code to serve the data.
    pub(crate) fn imported(&self, upgrade: &Upgrade) -> Verdict {
        self.serves(&upgrade.aim())?;
        let attempt = upgrade.next_snapshot();
        let import = self.outcome(&(Kind::Import, attempt.clone()));
        if import != Some(Outcome::Succeeded) {
            self.held()?;
            // One that runs has opened it already.
            if import != Some(Outcome::Running) {
                self.importable(upgrade)?;
            }
            return Err(Waiting::ForImport(attempt));
        }
        unless(!self.awaits_functions(upgrade), || Waiting::ForFunctions)
    }

    /// The data is in a new store, and what is missing is code, which people deploy.
    pub(crate) fn awaits_functions(&self, upgrade: &Upgrade) -> bool {
        let fresh = upgrade.aim().store != upgrade.from.store;
        let attempt = upgrade.next_snapshot();
        upgrade.stage == Stage::Importing
            && fresh
            && !self.seen.deployed
            && self.outcome(&(Kind::Import, attempt)) == Some(Outcome::Succeeded)
    }

    /// The snapshot that is to be imported is still there.
    pub(crate) fn importable(&self, upgrade: &Upgrade) -> Verdict {
        match &upgrade.snapshot {
            Some(it) => unless(self.seen.verified.contains(it), || Waiting::ForExport(it.clone())),
            None => Err(Waiting::ForHelp(Some(upgrade.stage))),
        }
    }

    /// What is to be loaded into the target is there still, where it is made already: asked before there is no way but
    /// forwards.
    fn payload_is_there(&self, upgrade: &Upgrade) -> Verdict {
        let made = upgrade.stage == Stage::Exporting && upgrade.snapshot.is_some();
        if made { self.importable(upgrade) } else { Ok(()) }
    }

    /// The stage is done.
    pub(crate) fn done(&self, upgrade: &Upgrade) -> Verdict {
        match upgrade.stage {
            Stage::Exporting => self.exported(upgrade),
            Stage::Rolling => self.rolled(upgrade),
            Stage::Importing => self.imported(upgrade),
        }
    }

    /// The stage failed: its job did, its image did, what it is about is gone, or it is late and not done. People are never
    /// late, and a backend that starts again while they are waited for does not make them so; one that stays away needs help.
    pub(crate) fn failed(&self, upgrade: &Upgrade) -> bool {
        let job = upgrade.job().is_some_and(|job| self.outcome(&job) == Some(Outcome::Failed));
        let image = upgrade.stage == Stage::Exporting && self.seen.proof == Proof::Failed;
        // Only another attempt exports anew: whoever waited for it would be waited for in vain, with everything stopped.
        let gone = self.payload_is_there(upgrade).is_err();
        match self.done(upgrade) {
            Ok(()) | Err(Waiting::ForFunctions) => false,
            Err(_) => {
                job || image
                    || gone
                    || self.late() && (!self.awaits_functions(upgrade) || self.seen.lost)
            }
        }
    }

    /// The user put the release back, and `from` can be restored.
    pub(crate) fn put_back(&self, upgrade: &Upgrade) -> Verdict {
        let back = upgrade.direction == Direction::Forward && self.asks_for_origin(upgrade);
        unless(back, || Waiting::ForHelp(Some(upgrade.stage)))?;
        unless(self.has_way_back(upgrade), || Waiting::NoWayBack(upgrade.from.release.clone()))
    }

    /// What is wanted is where the upgrade came from; or the same version out of another image, which must not be let at what
    /// the target has opened either, and is gone to from there.
    pub(crate) fn asks_for_origin(&self, upgrade: &Upgrade) -> bool {
        let (wish, from) = (&self.seen.wish.release, &upgrade.from.release);
        let moved_on = !upgrade.to.release.opens_as(from);
        wish == from || moved_on && upgrade.came_from(wish)
    }

    /// `from` can be restored, and what it is restored from is still there.
    pub(crate) fn has_way_back(&self, upgrade: &Upgrade) -> bool {
        upgrade.has_way_back() && !self.seen.way_back_gone
    }

    /// A copy of exactly the data that a deletion would destroy is verified, or none is asked for;
    /// a cold copy is a store itself, and goes with the stores.
    pub(crate) fn bidden_farewell(&self) -> Verdict {
        let carried = self.pins.upgrade.as_ref().and_then(Upgrade::carried);
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
