//! Whether an upgrade may begin, and a restart be made, as far as people, clocks and other instances go.
//!
//! [`read`] alone looks at what is watched; everything else takes values, the time among them. Approval is asked
//! for first, the window second, the turn last: nobody stands in line who could not begin.

mod approval;
mod hours;
mod restart;
mod turn;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use kube::ResourceExt;
use statemachine::{
    Phase, Stage,
    observed::{Leave, Wish},
    pins::Pins,
};

pub use self::{hours::Hours, turn::Turn};
use super::{Children, Obstacle, phase, uid};
use crate::{api::ConvexInstance, context::Context, plan::duration};

/// What people, clocks and other instances say about the next upgrade and the next restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Control {
    /// Whether an upgrade may begin.
    pub leave: Leave,
    /// What the upgrade that is wished for is approved by; none where none is wished for.
    pub plan: Option<String>,
    /// Whether the maintenance window is open.
    pub hours: Hours,
    /// Who is being upgraded, and who comes first.
    pub turn: Turn,
    /// What of `spec.maintenance` cannot be read, and so is not acted on.
    pub misread: Option<Obstacle>,
    /// When the backend is to be restarted; not before the window opens.
    pub restart: Option<DateTime<Utc>>,
}

impl Control {
    /// Whether the backend is to be restarted now.
    #[must_use]
    pub fn restarts(&self, now: DateTime<Utc>) -> bool {
        self.restart.is_some_and(|at| at <= now)
    }

    /// When the backend was last restarted, or now. It is kept as it was found, for without it the template would be
    /// another one; and it is there from birth where restarts are asked for, so that the first one changes nothing
    /// but its value.
    #[must_use]
    pub fn restarted(
        &self,
        instance: &ConvexInstance,
        children: &Children,
        now: DateTime<Utc>,
    ) -> Option<String> {
        if self.restarts(now) {
            return Some(now.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
        match &children.stateful_set {
            Some(set) => restart::last(set).map(str::to_owned),
            None => instance.spec.maintenance.restart_interval.as_ref().map(|_| String::new()),
        }
    }

    /// How long until a clock lets something happen that it does not let happen now.
    #[must_use]
    pub fn look_again(&self, now: DateTime<Utc>) -> Option<std::time::Duration> {
        let opens = self.hours.opens.filter(|_| self.leave == Leave::ForWindow);
        let soonest = [opens, self.restart].into_iter().flatten().min()?;
        (soonest - now).to_std().ok().filter(|it| !it.is_zero())
    }
}

/// What is said about this instance now; nothing is looked for where the phase does not ask.
pub(super) fn read(
    ctx: &Context,
    instance: &ConvexInstance,
    children: &Children,
    (pins, wish): (&Pins, &Wish),
    now: DateTime<Utc>,
) -> Control {
    let phase = phase(instance);
    // Before anything is moved, an upgrade may be dropped for another one, which may not begin by itself.
    let drops = pins.upgrade.as_ref().is_some_and(|it| it.stage == Stage::Exporting);
    let may_ask = phase == Phase::Ready || phase == Phase::Degraded && pins.upgrade.is_none();
    if !may_ask && !drops {
        return Control::default();
    }
    let mut control = alone(instance, (pins, wish), now);
    if control.plan.is_some() && control.leave == Leave::Given {
        control.turn = turn::read(ctx, instance, now);
        if !control.turn.is_given() {
            control.leave = Leave::ForTurn;
        }
    }
    if !may_ask {
        return Control { leave: control.leave, ..Control::default() };
    }
    if phase == Phase::Ready {
        match restart::due(instance, children) {
            Ok(due) => control.restart = due.and_then(|due| control.hours.within(due, now)),
            Err(misread) => control.misread = control.misread.or(Some(misread)),
        }
    }
    control
}

/// The same without a look at other instances.
fn alone(instance: &ConvexInstance, (pins, wish): (&Pins, &Wish), now: DateTime<Utc>) -> Control {
    let maintenance = &instance.spec.maintenance;
    let (hours, misread) = match maintenance.window.as_ref().map(|it| hours::of(it, now)) {
        None => (Hours::default(), None),
        Some(Ok(hours)) => (hours, None),
        Some(Err(misread)) => (Hours::NEVER, Some(misread)),
    };
    let home = pins.home.as_ref().map(|home| &home.release);
    let plan = home.filter(|home| **home != wish.release).map(|home| {
        let fence = &pins.fence.0;
        approval::id(&uid(instance), fence, (home, &wish.release), wish.strategy)
    });
    let leave = match &plan {
        Some(plan) if !approval::is_given(maintenance.approval, plan, instance.annotations()) => {
            Leave::ForApproval
        }
        Some(_) if !hours.is_open => Leave::ForWindow,
        _ => Leave::Given,
    };
    Control { leave, plan, hours, misread, ..Control::default() }
}

/// A length of time above zero as the spec writes it; none where it cannot be read.
fn span(text: &str) -> Option<TimeDelta> {
    TimeDelta::try_seconds(i64::try_from(duration::seconds(text)?).ok()?)
}

#[cfg(test)]
mod tests;
