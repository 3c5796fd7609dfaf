//! Whether the backend that an upgrade goes to has its data in the format that it wants: it serves before that
//! is so, and only its log tells.
//!
//! The log is read while an upgrade waits for its target, once the target serves, and never at rest. The first
//! reading is of the log from its beginning, where migrations begin; each later one takes up where the one before
//! it was. What was done once stays done for that container, which is remembered.
//!
//! A log that says nothing of migrations (another image, `RUST_LOG=error`) holds an upgrade only for
//! [`TELLING`] after the pod became ready: by then they count as done. A log that cannot be read is not silent,
//! and holds it until the stage is late.

mod log;
mod words;

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use statemachine::{
    Phase,
    phase::Stage,
    pins::{Pins, Upgrade},
};

use super::{Answer, Children, Obstacle, backend, outside::Hidden, phase, uid};
use crate::{
    api::ConvexInstance,
    context::{Context, Span},
    convex::Migrations,
};

/// How long after the pod became ready its log may begin to tell of migrations.
const TELLING: Duration = Duration::from_secs(30);
/// How long a failure lasts before it is more than an attempt that went wrong.
const CERTAIN: Duration = Duration::from_mins(1);
/// How soon the log is read again, and how late at last.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// What keeps a backend that serves from counting as one that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmigrated {
    /// In words.
    pub obstacle: Obstacle,
    /// Since when the log is looked at for it.
    lasts: Duration,
    /// How long no attempt has succeeded after one that failed.
    failing: Option<Duration>,
    /// Whether no other attempt of this binary will help.
    hopeless: bool,
}

impl Unmigrated {
    /// How long the stage may last, where its deadline says so long.
    ///
    /// A fault that is certain makes it late at once: the backend that could not migrate serves on, and nothing
    /// else would end the stage before its deadline. Data that is ahead, or too old, stays so. A failed attempt is
    /// made again by the backend itself, first after a minute and then ever later, so it is a fault once that
    /// minute has brought no success; a stage that was just entered by another try has that minute, too.
    fn patience(&self, deadline: Duration) -> Duration {
        match self.failing {
            _ if self.hopeless => Duration::ZERO,
            Some(lasts) if lasts >= CERTAIN => deadline.min(CERTAIN),
            _ => deadline,
        }
    }

    /// When to read again: no watch tells of a log.
    #[must_use]
    pub fn look_again(&self) -> Duration {
        let later = self.lasts.clamp(AGAIN.0, AGAIN.1);
        let left = self.failing.map(|it| CERTAIN.saturating_sub(it)).filter(|it| !it.is_zero());
        left.map_or(later, |left| left.min(later))
    }
}

/// How long a phase may last, where its deadline says so long; see [`Unmigrated::patience`].
pub(super) fn patience(unmigrated: Option<&Unmigrated>, deadline: Duration) -> Duration {
    unmigrated.map_or(deadline, |it| it.patience(deadline))
}

/// What keeps the target of the upgrade under way from being migrated; none where it is, or nobody asks.
pub(super) async fn of(
    ctx: &Context,
    instance: &ConvexInstance,
    pins: &Pins,
    children: &Children,
    answer: Option<&Answer>,
    hidden: &Hidden,
) -> Option<Unmigrated> {
    let waits = upgrade(phase(instance), pins);
    let found = match waits.and_then(|upgrade| target(upgrade, children, answer)) {
        Some(pod) => kept(ctx, instance, pod, hidden).await,
        None => None,
    };
    let id = uid(instance);
    let lasts = ctx.memory.lasted(&id, Span::Unmigrated, found.is_some());
    let fails = found.as_ref().is_some_and(|(told, _)| matches!(told, Migrations::Failed { .. }));
    let failing = ctx.memory.lasted(&id, Span::MigrationFailed, fails);
    found.map(|(told, obstacle)| Unmigrated {
        obstacle,
        lasts: lasts.unwrap_or_default(),
        failing,
        hopeless: told.are_hopeless(),
    })
}

/// The upgrade that waits for its target, which is being started or has failed to come up.
fn upgrade(phase: Phase, pins: &Pins) -> Option<&Upgrade> {
    let waits = match phase {
        Phase::Upgrading(stage) => stage != Stage::Exporting,
        phase => phase == Phase::Degraded,
    };
    pins.upgrade.as_ref().filter(|it| waits && it.stage != Stage::Exporting)
}

/// The one pod, where it is that of the target and serves.
fn target<'a>(
    upgrade: &Upgrade,
    children: &'a Children,
    answer: Option<&Answer>,
) -> Option<&'a Pod> {
    let [pod] = &children.pods[..] else { return None };
    let aim = upgrade.aim();
    let serves = answer.is_some_and(|it| it.serves(pod, &aim.release.version));
    let ours =
        backend::of_pod(pod) == aim && !backend::is_outdated(pod, children.stateful_set.as_deref());
    (serves && ours && backend::is_ready(pod)).then_some(pod)
}

/// What this pod's log says, and what that keeps it from.
async fn kept(
    ctx: &Context,
    instance: &ConvexInstance,
    pod: &Pod,
    hidden: &Hidden,
) -> Option<(Migrations, Obstacle)> {
    let told = match log::told(ctx, instance, pod).await {
        Ok(told) => told,
        Err(obstacle) => return Some((Migrations::Untold, obstacle)),
    };
    let silent = told == Migrations::Untold && ready_for(pod, Timestamp::now()) >= TELLING;
    let obstacle = words::of(pod, &told, hidden).filter(|_| !silent)?;
    Some((told, obstacle))
}

/// How long Kubernetes has held the pod for ready; since ever, where it does not say.
fn ready_for(pod: &Pod, now: Timestamp) -> Duration {
    let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
    let ready = conditions.into_iter().flatten().find(|it| it.type_ == "Ready");
    let since = ready.and_then(|it| it.last_transition_time.as_ref()).map(|it| it.0);
    since.map_or(Duration::MAX, |since| {
        Duration::from_secs(u64::try_from(now.duration_since(since).as_secs()).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests;
