//! Who handles what: the statig traits for phases and regions.

use std::time::Duration;

use statig::{
    Outcome::{self, Handled, Super, Transition},
    blocking::{IntoStateMachine, State, Superstate},
};

use crate::{
    action::Action,
    event::Event,
    observed::Observed,
    phase::{Phase, Region, Stage},
    pins::{Pins, Upgrade},
    waiting::Waiting,
};

/// The machine's shared storage: what was seen, and the pins as they will be written.
#[derive(Debug)]
pub(crate) struct Life<'w> {
    pub(crate) seen: &'w Observed,
    pub(crate) pins: Pins,
    /// The end began with this very look: what it saw may still be undone by an older pass.
    pub(crate) leaving: bool,
    /// The edge leads to where everything was already moved to: what was owed of the backend is still owed, and
    /// a pass of the phase that was left may go on wanting it.
    pub(crate) arrived: bool,
    /// An edge was taken with this very look: that nobody could write was seen under an older fence.
    pub(crate) moved: bool,
}

/// What the path from the root to the leaf owes.
#[derive(Debug, Default)]
pub(crate) struct Owed(pub(crate) Vec<Action>);

impl<'w> Life<'w> {
    pub(crate) fn of(seen: &'w Observed) -> Self {
        Self { seen, pins: seen.pins.clone(), leaving: false, arrived: false, moved: false }
    }

    pub(crate) fn look_again(&self, phase: Phase, fresh: bool) -> Option<Duration> {
        let timed = match phase {
            Phase::Provisioning | Phase::Upgrading(_) => true,
            Phase::Deleting => !self.pins.parted,
            _ => false,
        };
        let waited = if fresh { Duration::ZERO } else { self.seen.waited };
        let left = self.seen.patience.saturating_sub(waited);
        (timed && !left.is_zero()).then_some(left)
    }

    /// What the phase is waiting for; none means that another look takes an edge, or that all is well.
    pub(crate) fn waiting(&self, phase: Phase) -> Option<Waiting> {
        let (pins, wish) = (&self.pins, &self.seen.wish);
        let verdict = match (phase, &pins.upgrade, &pins.home) {
            (Phase::Unknown, ..) => Err(Waiting::UnknownPhase),
            (Phase::Deleting, ..) if pins.parted => Err(Waiting::ForChildrenGone),
            (Phase::Deleting, ..) => self.bidden_farewell().and(Err(Waiting::ForChildrenGone)),
            (Phase::Pending, ..) => self.resolved(),
            _ if self.lost_vital().is_some() => self.whole(),
            (Phase::Provisioning, _, None) | (Phase::Degraded, None, None) => self.fenced(),
            (Phase::Provisioning, _, Some(home)) | (Phase::Degraded, None, Some(home)) => {
                self.provisioned(home)
            }
            (Phase::Ready, _, Some(home)) if wish.release == home.release => self.serves(home),
            (Phase::Ready, ..) => self.may_begin(),
            (Phase::Suspended, _, Some(home)) if pins.served && wish.release != home.release => {
                self.stopped().and(Err(Waiting::ForResume(wish.release.clone())))
            }
            (Phase::Suspended, ..) => self.stopped(),
            (Phase::Upgrading(_), Some(upgrade), _) => self.done(upgrade),
            (Phase::Degraded, Some(upgrade), _) => self.put_back(upgrade),
            (Phase::Upgrading(_), None, _) => Ok(()),
        };
        verdict.err()
    }

    /// The pins belong to this phase; pins that do not fit are no pins.
    fn fits(&self, phase: Phase) -> bool {
        let stage = self.pins.upgrade.as_ref().map(|upgrade| upgrade.stage);
        match phase {
            Phase::Upgrading(here) => stage == Some(here),
            Phase::Provisioning | Phase::Ready | Phase::Suspended => stage.is_none(),
            _ => true,
        }
    }

    /// Users are turned away from the moment the target is known to run somewhere; not before, for a
    /// mistyped tag must not be felt, nor may a worker of another attempt that nobody can end.
    fn holds(&self, upgrade: &Upgrade) -> bool {
        let begins = || self.proven(upgrade).and_then(|()| self.idle(upgrade.job().as_ref()));
        let felt = upgrade.stage != Stage::Exporting || begins().is_ok();
        upgrade.strategy.prepares() && felt
    }
}

impl IntoStateMachine for Life<'_> {
    type Event<'e> = Event;
    type Context<'c> = Owed;
    type State = Phase;
    type Superstate<'s> = Region;

    fn initial() -> Phase {
        Phase::Pending
    }
}

fn go(to: Option<Phase>) -> Outcome<Phase> {
    to.map_or(Super, Transition)
}

impl<'w> State<Life<'w>> for Phase {
    fn call_handler(&mut self, life: &mut Life<'w>, event: &Event, _: &mut Owed) -> Outcome<Self> {
        match (&*self, event) {
            (Self::Deleting, Event::Observed) => go(life.part()),
            (Self::Deleting | Self::Unknown, _) | (Self::Pending, Event::Faulted) => Handled,
            (Self::Pending, Event::Observed) => {
                go(life.resolved().ok().map(|()| life.begin_life()))
            }
            (_, Event::Faulted) if !life.fits(*self) => Transition(life.rebuild()),
            (Self::Provisioning | Self::Degraded, Event::Faulted) if life.rebuilding() => {
                life.rebuilding_failed(*self).map_or(Handled, Transition)
            }
            (Self::Provisioning, Event::Faulted) => go(life.provisioning_failed()),
            (Self::Provisioning, Event::Observed) => go(life.provision()),
            (Self::Ready, Event::Faulted) => go(life.home_failed()),
            (Self::Ready, Event::Observed) => go(life.suspend().or_else(|| life.begin())),
            (Self::Suspended, Event::Faulted) => go(life.vitals_failed()),
            (Self::Suspended, Event::Observed) => go(life.resume()),
            (Self::Upgrading(stage), Event::Observed) => go(life.advance(*stage)),
            (Self::Degraded, Event::Observed) => go(life.recover()),
            (_, Event::DeletionRequested)
            | (Self::Upgrading(_) | Self::Degraded, Event::Faulted) => Super,
        }
    }

    fn call_entry_action(&mut self, life: &mut Life<'w>, Owed(owed): &mut Owed) {
        match self {
            Self::Pending | Self::Unknown => {}
            Self::Provisioning => life.owe_provisioning(owed),
            Self::Ready => life.owe_ready(owed),
            Self::Suspended => life.owe_suspended(owed),
            Self::Upgrading(stage) => life.owe_stage(*stage, owed),
            Self::Degraded => life.owe_degraded(owed),
            Self::Deleting => life.owe_deleting(owed),
        }
    }

    fn superstate(&mut self) -> Option<Region> {
        match self {
            Self::Pending | Self::Provisioning | Self::Ready | Self::Suspended | Self::Degraded => {
                Some(Region::Alive)
            }
            Self::Upgrading(_) => Some(Region::Upgrading),
            Self::Deleting | Self::Unknown => None,
        }
    }
}

impl<'w> Superstate<Life<'w>> for Region {
    fn call_handler(&mut self, life: &mut Life<'w>, event: &Event, _: &mut Owed) -> Outcome<Phase> {
        match (self, event) {
            (Self::Alive, Event::DeletionRequested) if life.seen.wish.deletion => {
                Transition(life.take_leave())
            }
            (Self::Alive, Event::Faulted) if life.pins.home.is_none() => Transition(life.rebuild()),
            (Self::Upgrading, Event::Faulted) => go(life.fail()),
            (Self::Upgrading, _) => Super,
            (Self::Alive, _) => Handled,
        }
    }

    fn call_entry_action(&mut self, life: &mut Life<'w>, Owed(owed): &mut Owed) {
        match self {
            Self::Alive => owed.push(Action::EnsureFinalizerAdded),
            Self::Upgrading if life.pins.upgrade.as_ref().is_some_and(|it| life.holds(it)) => {
                owed.push(Action::EnsureTrafficHeld);
            }
            Self::Upgrading => {}
        }
    }

    fn superstate(&mut self) -> Option<Self> {
        match self {
            Self::Upgrading => Some(Self::Alive),
            Self::Alive => None,
        }
    }
}
