//! The life of one instance, as a pure hierarchical state machine.
//!
//! ```text
//! observe ──▶ step(phase, observed) ──▶ Step { phase, taken, pins, obligations, waiting, look_again }
//! ```
//!
//! Nothing here does I/O. Deletion is asked first, faults second, ordinary progress last, and at
//! most one edge is taken. A phase's entry actions are *obligations*: [`step`] returns those of the
//! whole path from the root to the resulting phase, whether or not an edge was taken, so a restarted
//! operator re-asserts what a crashed one left half done. What must be written with an edge is
//! [`Step::phase`] and [`Step::pins`], in one write; the obligations come after it.
//!
//! The picture of the machine and its law in prose are in `docs/statemachine.md`; the picture and
//! the rule that the API server checks are derived from the machine itself ([`edges`]).

pub mod action;
pub mod edges;
pub mod event;
mod guard;
mod home;
mod lifecycle;
pub mod observed;
mod owed;
pub mod phase;
pub mod pins;
pub mod taken;
mod upgrade;
pub mod waiting;
mod wanted;
pub mod worlds;

use std::time::Duration;

use statig::{
    Outcome::{Handled, Super, Transition},
    blocking::StateExt,
};

use crate::lifecycle::{Life, Owed};
pub use crate::{
    action::Action,
    event::Event,
    observed::{Leave, Observed, Proof, Vital, Wish},
    phase::{Phase, Stage},
    pins::{
        Backend, Destination, Direction, Pins, Refused, Release, Revision, Snapshot, Store,
        Strategy, Upgrade, WayBack,
    },
    taken::{Reason, Taken},
    waiting::Waiting,
};

/// The answer to one observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The phase to persist.
    pub phase: Phase,
    /// The edge taken, if any.
    pub taken: Option<Taken>,
    /// The pins to persist in the same write as the phase, where they changed.
    pub pins: Option<Pins>,
    /// Everything the phase obliges the operator to do now, in order.
    pub obligations: Vec<Action>,
    /// What the phase is waiting for, if anything.
    pub waiting: Option<Waiting>,
    /// How long until the deadline of the phase, where one is running.
    pub look_again: Option<Duration>,
}

/// Asks the machine once. At most one edge is taken.
///
/// A phase that is [unknown](Phase::Unknown) and pins that are [unreadable](Pins::unreadable) were
/// written by a newer operator: nothing is decided, nothing is owed, and the answer says so.
#[must_use]
pub fn step(phase: Phase, observed: &Observed) -> Step {
    if observed.pins.unreadable.is_some() {
        return Step::none(phase, Waiting::UnknownPins);
    }
    let mut life = Life::of(observed);
    let mut owed = Owed::default();
    let taken = Event::BY_URGENCY.into_iter().find_map(|event| {
        let mut asked = phase;
        match asked.handle(&mut life, &event, &mut owed) {
            Transition(to) => Some(Taken::new(phase, event, to, &observed.pins, &life.pins)),
            Handled | Super => None,
        }
    });
    let before = wanted::of(phase, &observed.pins);
    let mut phase = taken.map_or(phase, |taken| taken.to);
    let depth = phase.depth();
    life.moved = taken.is_some();
    phase.enter(&mut life, &mut owed, depth);
    if taken.is_some() && !life.arrived {
        life.pins.fence = observed.revision.clone();
        let after = wanted::of(phase, &life.pins);
        let stays = before.is_some() && before == after;
        let fence = if stays { observed.pins.backend_fence() } else { &observed.revision };
        life.pins.moved.clone_from(fence);
    }
    Step {
        phase,
        taken,
        look_again: life.look_again(phase, taken.is_some()),
        waiting: life.waiting(phase),
        obligations: owed.0,
        pins: (life.pins != observed.pins).then_some(life.pins),
    }
}

impl Step {
    /// Nothing is touched.
    const fn none(phase: Phase, waiting: Waiting) -> Self {
        Self {
            phase,
            taken: None,
            pins: None,
            obligations: Vec::new(),
            waiting: Some(waiting),
            look_again: None,
        }
    }
}
