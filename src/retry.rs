//! When to look again: the deadline of a phase, a poll for what is not watched, or a backoff.
//!
//! The crate `backoff` is unmaintained (RUSTSEC-2025-0012); it is used here alone, as a source of delays,
//! and `deny.toml` says how it goes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use backoff::{ExponentialBackoff, ExponentialBackoffBuilder, backoff::Backoff};
use kube::runtime::controller::Action;
use rand::RngExt;
use statemachine::{Phase, Step};

use crate::{
    observe::{Unmigrated, World},
    plan::Applied,
};

/// How often Secrets are read where there are few instances: they are not watched, so that nobody who steals
/// the operator's token can list them.
const SECRETS: Duration = Duration::from_secs(10);
/// The longest pause between two looks: however many instances there are, and where the API server refuses.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// What each instance adds, so that all of them together ask for 25 Secrets in a second at most, up to 300.
const SECRETS_EACH: Duration = Duration::from_millis(100);
/// How soon a backend that Kubernetes holds for ready, and that does not answer well, is asked again; later
/// and later, as long again as it has been so.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// The longest that it is not asked.
const ASK_AT_LAST: Duration = Duration::from_secs(15);
/// How often trouble that should pass by itself is looked at.
const PASSING: Duration = Duration::from_secs(5);
/// The longest backoff after errors.
const LONGEST: Duration = Duration::from_mins(1);

/// How long to wait after errors, by instance: one that fails never slows the others down.
#[derive(Default)]
pub struct Backoffs(Mutex<HashMap<String, Delays>>);

/// The delays of one instance, and when the last one is over.
struct Delays {
    delays: ExponentialBackoff,
    due: Instant,
}

impl Backoffs {
    /// The next delay of an instance that failed: from about 1 s, doubling, up to 60 s, with full jitter. Passes that watches
    /// ask for meanwhile come in bursts, and do not make it longer.
    #[must_use]
    pub fn next(&self, instance: &str) -> Duration {
        self.next_at(instance, Instant::now())
    }

    fn next_at(&self, instance: &str, now: Instant) -> Duration {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Delays { delays: fresh(), due: now };
        let of = all.entry(instance.to_owned()).or_insert_with(fresh);
        if now < of.due {
            return of.due - now;
        }
        let delay = jittered(of.delays.next_backoff().unwrap_or(LONGEST));
        of.due = now + delay;
        delay
    }

    /// Whether the last pass of an instance failed.
    #[must_use]
    pub fn has_failed(&self, instance: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(instance)
    }

    /// The instance did not fail.
    pub fn reset(&self, instance: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(instance);
    }
}

fn fresh() -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_interval(Duration::from_secs(1))
        .with_multiplier(2.0)
        .with_randomization_factor(0.0)
        .with_max_interval(LONGEST)
        .with_max_elapsed_time(None)
        .build()
}

/// When to look again after a race was lost: the news is on its way, and this is for where it was missed.
#[must_use]
pub fn soon() -> Duration {
    jittered(Duration::from_secs(1))
}

/// When to go on after the finalizer was written, where the watch does not bring it; and after the deployment was asked
/// for something, of which no watch tells: later and later where it does not do it.
#[must_use]
pub fn goes_on(applied: &Applied) -> Option<Duration> {
    if let Some(since) = applied.unasked_for {
        return Some(jittered(since.clamp(ASK_AGAIN, ASK_AT_LAST)));
    }
    (applied.asked || applied.revision.is_some()).then(soon)
}

fn jittered(ceiling: Duration) -> Duration {
    ceiling.mul_f64(rand::rng().random_range(0.1..=1.0))
}

/// When to look again after a pass that came to its end.
#[must_use]
pub fn look_again(
    step: &Step,
    world: &World,
    unwritten: Option<Duration>,
    refused: bool,
    instances: usize,
) -> Action {
    if step.phase == Phase::Unknown {
        return Action::await_change();
    }
    let poll = if refused { LONGEST_PAUSE } else { poll(instances) };
    let poll = poll.mul_f64(rand::rng().random_range(0.8..=1.0));
    let soonest = soonest(step, world, unwritten, refused).map_or(poll, |soon| soon.min(poll));
    // Kubernetes' own times have whole seconds: a look at the very deadline would come too early.
    Action::requeue(soonest + Duration::from_millis(20))
}

fn poll(instances: usize) -> Duration {
    let all = SECRETS_EACH.saturating_mul(u32::try_from(instances).unwrap_or(u32::MAX));
    all.clamp(SECRETS, LONGEST_PAUSE)
}

/// Sooner than the poll, where there is a reason.
fn soonest(
    step: &Step,
    world: &World,
    unwritten: Option<Duration>,
    refused: bool,
) -> Option<Duration> {
    // What passes by itself is abnormal once it lasts, and no watch tells that.
    // What the API server refuses it refuses again: nothing passes by itself before somebody does something.
    let rests = step.phase == Phase::Suspended || refused;
    let trouble = world.trouble.as_ref().filter(|_| !rests);
    let passes = trouble.is_some_and(|it| !it.abnormal).then_some(PASSING);
    let asks = world.unanswered.map(|since| since.clamp(ASK_AGAIN, ASK_AT_LAST));
    let migrates = world.unmigrated.as_ref().map(Unmigrated::look_again);
    let again = world.again.as_ref().map(|it| it.pause).filter(|it| !it.is_zero());
    let clocks = world.control.look_again(world.now);
    [step.look_again, unwritten, passes, asks, migrates, again, clocks].into_iter().flatten().min()
}

#[cfg(test)]
mod tests;
