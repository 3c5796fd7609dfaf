//! How the pins of an upgrade change with an edge: its commitments are made here, and nowhere else.

use crate::{
    lifecycle::Life,
    observed::{Kind, Observed, Vital},
    phase::{Phase, Stage},
    pins::{Backend, Direction, Refused, Release, Store, Upgrade},
    waiting::Waiting,
};

impl Life<'_> {
    /// Pins an upgrade from home to the wish.
    pub(crate) fn begin(&mut self) -> Option<Phase> {
        let from = self.pins.home.clone()?;
        let Observed { wish, revision, .. } = self.seen;
        if wish.release == from.release || self.may_begin().is_err() {
            return None;
        }
        let fresh = wish.strategy.starts_over();
        let store = if fresh { Store::Made(revision.clone()) } else { from.store.clone() };
        let prepares = wish.strategy.prepares();
        let stage = if prepares { Stage::Exporting } else { Stage::Rolling };
        self.pins.refused = None;
        self.pins.upgrade = Some(Upgrade {
            id: revision.clone(),
            to: Backend { release: wish.release.clone(), store },
            from,
            strategy: wish.strategy,
            stage,
            direction: Direction::Forward,
            attempt: 1,
            snapshot: None,
            copy: None,
            target_started: !prepares,
            retry: wish.retry.clone(),
        });
        Some(Phase::Upgrading(stage))
    }

    /// Ordinary progress of an upgrade.
    pub(crate) fn advance(&mut self, stage: Stage) -> Option<Phase> {
        let upgrade = self.pins.upgrade.clone()?;
        match stage {
            Stage::Exporting if self.reworded(&upgrade) => Some(self.abandon(&upgrade)),
            Stage::Exporting => self.exported(&upgrade).ok().map(|()| self.prepared(upgrade)),
            _ if self.put_back(&upgrade).is_ok() => Some(self.turn_back()),
            Stage::Rolling => self.rolled(&upgrade).ok().map(|()| {
                if upgrade.imports() { self.enter(Stage::Importing) } else { self.finish(&upgrade) }
            }),
            Stage::Importing => self.imported(&upgrade).ok().map(|()| self.finish(&upgrade)),
        }
    }

    /// Pins what was verified; once nothing is left to be bought, the point of no return with it.
    fn prepared(&mut self, mut upgrade: Upgrade) -> Phase {
        let made = Some(upgrade.next_snapshot());
        let exported = matches!(upgrade.job(), Some((Kind::Export, _)));
        if exported {
            upgrade.snapshot = made;
        } else {
            upgrade.copy = made;
        }
        let more = exported && upgrade.strategy.stops();
        upgrade.target_started = !more;
        self.pins.upgrade = Some(upgrade);
        self.enter(if more { Stage::Exporting } else { Stage::Rolling })
    }

    /// The fault of an upgrade: back by policy, or Degraded.
    pub(crate) fn fail(&mut self) -> Option<Phase> {
        let upgrade = self.pins.upgrade.clone()?;
        if self.lost_vital().is_some() {
            return Some(Phase::Degraded);
        }
        if !self.failed(&upgrade) {
            return None;
        }
        let by_policy = self.seen.wish.rollback
            && upgrade.direction == Direction::Forward
            && upgrade.stage != Stage::Exporting
            && !self.awaits_functions(&upgrade)
            && self.has_way_back(&upgrade);
        if by_policy {
            self.refuse_target();
            return Some(self.turn_back());
        }
        Some(Phase::Degraded)
    }

    /// The ways out of Degraded: the cause is gone, the spec changed, or another try was asked for.
    pub(crate) fn recover(&mut self) -> Option<Phase> {
        let Some(upgrade) = self.pins.upgrade.clone() else {
            return self.recover_home();
        };
        let exporting = upgrade.stage == Stage::Exporting;
        if !exporting && self.put_back(&upgrade).is_ok() && self.may_turn_back(&upgrade) {
            return Some(self.turn_back());
        }
        let again = self.asks_again(&upgrade.retry) && self.may_try_again(&upgrade);
        if self.whole().is_err() && !(again && self.may_fill_anew(&upgrade)) {
            return None;
        }
        if exporting && self.reworded(&upgrade) {
            return Some(self.abandon(&upgrade));
        }
        let stage = if exporting { Stage::Exporting } else { Stage::Rolling };
        if again || self.origin_is_renamed(&upgrade) {
            return Some(self.try_again(upgrade, stage));
        }
        if !exporting && self.redirected(&upgrade) {
            return Some(self.redirect(upgrade));
        }
        // What was made late in Exporting is stale: users were let in again when it failed.
        // Where people are waited for, the backend was away for too long, and is back.
        let goes_on = matches!(self.done(&upgrade), Ok(()) | Err(Waiting::ForFunctions));
        (!exporting && goes_on).then(|| self.enter(upgrade.stage))
    }

    /// What was stopped for a copy comes up first: under the fence of another try nobody would start it.
    fn may_try_again(&self, upgrade: &Upgrade) -> bool {
        let serves = || self.serves(&upgrade.from).and_then(|()| self.idle(None));
        upgrade.stage != Stage::Exporting || serves().is_ok()
    }

    /// A lost store does not stand in the way of a rollback that has no use for it.
    fn may_turn_back(&self, upgrade: &Upgrade) -> bool {
        match self.lost_vital() {
            None => true,
            Some(Vital::Store) => upgrade.overwritten(),
            Some(Vital::InstanceSecret) => false,
        }
    }

    /// A lost store that an import was filling is made and filled again by another attempt.
    fn may_fill_anew(&self, upgrade: &Upgrade) -> bool {
        let filling =
            upgrade.stage == Stage::Importing && upgrade.aim().store != upgrade.from.store;
        filling && self.lost_vital() == Some(Vital::Store)
    }

    /// Turns an upgrade round; the way back is part of the same upgrade.
    fn turn_back(&mut self) -> Phase {
        if let Some(upgrade) = &mut self.pins.upgrade {
            upgrade.direction = Direction::Rollback;
            upgrade.attempt += 1;
            name_origin(upgrade, &self.seen.wish.release);
        }
        self.enter(Stage::Rolling)
    }

    /// Remembers a target that policy turned away from, so that it is not tried again by itself.
    fn refuse_target(&mut self) {
        let asked = self.seen.wish.retry.clone();
        self.pins.refused = self.pins.upgrade.as_ref().map(|upgrade| {
            let retry = if asked.is_empty() { upgrade.retry.clone() } else { asked };
            Refused { release: upgrade.to.release.clone(), retry }
        });
    }

    fn reworded(&self, upgrade: &Upgrade) -> bool {
        let wish = &self.seen.wish;
        wish.release != upgrade.to.release || wish.strategy != upgrade.strategy
    }

    fn redirected(&self, upgrade: &Upgrade) -> bool {
        let wish = &self.seen.wish;
        upgrade.direction == Direction::Forward
            && wish.release != upgrade.to.release
            && !self.asks_for_origin(upgrade)
            && (upgrade.to.store != upgrade.from.store || !self.seen.outgrown)
    }

    /// A rollback is under way, and what it goes back to is to come out of another registry.
    fn origin_is_renamed(&self, upgrade: &Upgrade) -> bool {
        let (wish, from) = (&self.seen.wish.release, &upgrade.from.release);
        upgrade.direction == Direction::Rollback && wish != from && wish.opens_as(from)
    }

    fn redirect(&mut self, mut upgrade: Upgrade) -> Phase {
        upgrade.to.release = self.seen.wish.release.clone();
        if upgrade.to.store != upgrade.from.store {
            upgrade.to.store = Store::Made(self.seen.revision.clone());
        }
        self.try_again(upgrade, Stage::Rolling)
    }

    fn try_again(&mut self, mut upgrade: Upgrade, stage: Stage) -> Phase {
        upgrade.attempt += 1;
        if self.asks_again(&upgrade.retry) {
            upgrade.retry.clone_from(&self.seen.wish.retry);
        }
        if stage == Stage::Exporting {
            upgrade.snapshot = None;
        }
        if upgrade.direction == Direction::Rollback {
            name_origin(&mut upgrade, &self.seen.wish.release);
        }
        self.pins.upgrade = Some(upgrade);
        self.enter(stage)
    }

    /// Ready means serving: what was stopped for a copy comes up again first. Where nothing serves and no way back is asked
    /// for any more, nothing has to: the next step starts anew.
    fn abandon(&mut self, upgrade: &Upgrade) -> Phase {
        self.pins.upgrade = None;
        let wish = &self.seen.wish;
        let starts_anew = !wish.strategy.prepares()
            && wish.release != upgrade.from.release
            && self.may_begin().is_ok();
        if upgrade.strategy.stops() && !starts_anew && !self.runs_alone(&upgrade.from) {
            return Phase::Provisioning;
        }
        Phase::Ready
    }

    fn enter(&mut self, stage: Stage) -> Phase {
        if let Some(upgrade) = &mut self.pins.upgrade {
            upgrade.stage = stage;
        }
        Phase::Upgrading(stage)
    }

    fn finish(&mut self, upgrade: &Upgrade) -> Phase {
        self.pins.home = Some(upgrade.aim());
        self.pins.upgrade = None;
        self.arrived = true;
        Phase::Ready
    }
}

/// The same image is gone back to out of the registry that is named now: the old one may be gone. Any other image of that
/// version may be one that the store has left behind, and comes after what is known to serve.
fn name_origin(upgrade: &mut Upgrade, wish: &Release) {
    if wish.opens_as(&upgrade.from.release) {
        upgrade.from.release.clone_from(wish);
    }
}
