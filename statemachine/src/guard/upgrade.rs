//! Questions about an upgrade: whether it may begin, whether a stage is done or has failed, and whether it can be gone back.

use super::{Verdict, unless};
use crate::{
    lifecycle::Life,
    observed::{Kind, Leave, Outcome, Proof, Traffic},
    phase::Stage,
    pins::{Direction, Upgrade},
    waiting::Waiting,
};

impl Life<'_> {
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
        let refused = self.seen.refuses_wish(&self.pins);
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
        self.resolved()?;
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
        // What somebody else imports would change the data under whoever is let in.
        self.idle(Some(&(Kind::Import, attempt)))?;
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

    /// Users were let in since the export of this attempt was begun: what they wrote may be missing in it, however they are
    /// held by now. Whoever let them in wants them to be.
    fn let_in(&self, upgrade: &Upgrade) -> bool {
        self.seen.traffic == Traffic::Flowing && self.seen.has_begun_export(upgrade)
    }

    /// The stage is done.
    pub(crate) fn done(&self, upgrade: &Upgrade) -> Verdict {
        match upgrade.stage {
            Stage::Exporting => self.exported(upgrade),
            Stage::Rolling => self.rolled(upgrade),
            Stage::Importing => self.imported(upgrade),
        }
    }

    /// The stage failed: its job did, its image did, what it is about is gone or stale, or it is late and not done. People are never
    /// late, and a backend that starts again while they are waited for does not make them so; one that stays away needs help.
    pub(crate) fn failed(&self, upgrade: &Upgrade) -> bool {
        let job = upgrade.job().is_some_and(|job| self.outcome(&job) == Some(Outcome::Failed));
        let image = upgrade.stage == Stage::Exporting && self.seen.proof == Proof::Failed;
        // Only another attempt exports anew: whoever waited for it would be waited for in vain, with everything stopped.
        let gone = self.payload_is_there(upgrade).is_err() || self.let_in(upgrade);
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
}
