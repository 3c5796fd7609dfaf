//! How long what a status says must differ from what is written before that is worth a write.

use std::time::Duration;

use kube::Resource;
use statemachine::{Phase, taken::Reason};

use super::{PAUSED, image_moved, told};
use crate::api::{ConditionStatus, ConvexInstance, ConvexInstanceStatus, Transition};

/// How long a passing reason lasts before it is worth a write.
const PASSING: Duration = Duration::from_secs(5);
/// The same while an instance is provisioned, which is a way through passing reasons: pulling an image and
/// starting on it are no news. What is wrong with either is abnormal, and told at once.
const PROVISIONING: Duration = Duration::from_mins(5);
/// The same at the end of that way, when the backend serves: of dashboard and routes one comes after the other, and which of
/// them is waited for is no news.
const OPENING: Duration = Duration::from_mins(1);
/// The same while it is upgraded: what every stage is about is told when it is entered.
const UPGRADING: Duration = Duration::from_mins(1);

/// How long the difference must last before it is written.
pub(super) fn after(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    after: &ConvexInstanceStatus,
    abnormal: bool,
) -> Duration {
    if is_urgent(instance, before, after, abnormal) {
        return Duration::ZERO;
    }
    match after.phase() {
        Phase::Provisioning if !abnormal => PROVISIONING,
        Phase::Ready if !abnormal && is_opening(after) => OPENING,
        Phase::Upgrading(_) if !abnormal && !migrates(after) => UPGRADING,
        _ => PASSING,
    }
}

/// Migrations take as long as there is data, and whoever waits for them wants to know how far they are.
fn migrates(status: &ConvexInstanceStatus) -> bool {
    told(status).remove("Ready").is_some_and(|(_, reason)| reason == "MigrationsRunning")
}

/// Whether the backend serves for the first time, and the instance has not been Ready since.
fn is_opening(status: &ConvexInstanceStatus) -> bool {
    let first = |it: &Transition| it.reason == Reason::Ready.name();
    let entered = status.phase_transition_time.as_ref().map(|it| it.0);
    let unready = status.conditions.iter().find(|it| it.type_ == "Ready");
    let unready = unready.filter(|it| it.status != ConditionStatus::True);
    let since = unready.map(|it| it.last_transition_time.0);
    status.history.last().is_some_and(first) && since.is_some_and(|since| Some(since) <= entered)
}

fn is_urgent(
    instance: &ConvexInstance,
    before: &ConvexInstanceStatus,
    after: &ConvexInstanceStatus,
    abnormal: bool,
) -> bool {
    let ready = |status: &ConvexInstanceStatus| told(status).remove("Ready");
    let is = |status: &ConvexInstanceStatus, type_| told(status).remove(type_).map(|it| it.0);
    let serves = after.phase() == Phase::Ready;
    let opens = is_opening(after) && !abnormal;
    let has = |status: &ConvexInstanceStatus, type_| told(status).contains_key(type_);
    before.observed_generation != instance.meta().generation.unwrap_or_default()
        || is(before, "Ready") != is(after, "Ready")
        || (serves && is(before, "Available") != is(after, "Available"))
        || (serves && !opens && is(before, "Exposed") != is(after, "Exposed"))
        || has(before, "Stalled") != has(after, "Stalled")
        || has(before, PAUSED)
        || (after.blocked_by.is_empty() && !before.blocked_by.is_empty())
        || (ready(before) != ready(after) && abnormal)
        || image_moved(before, after).is_some()
        || (before.traffic.is_none() && after.traffic.is_some())
}

#[cfg(test)]
mod tests;
