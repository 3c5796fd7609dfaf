//! When to look again: the deadline of a phase, a poll for what is not watched, or a backoff.
//!
//! The crate `backoff` is unmaintained (RUSTSEC-2025-0012); it is used here alone, as a source of delays,
//! and `deny.toml` says how it goes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
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
pub struct Backoffs(Mutex<HashMap<String, ExponentialBackoff>>);

impl Backoffs {
    /// The next delay of an instance that failed: from about 1 s, doubling, up to 60 s, with full jitter.
    #[must_use]
    pub fn next(&self, instance: &str) -> Duration {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let backoff = all.entry(instance.to_owned()).or_insert_with(fresh);
        let ceiling = backoff.next_backoff().unwrap_or(LONGEST);
        jittered(ceiling)
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
    let clocks = world.control.look_again(world.now);
    [step.look_again, unwritten, passes, asks, migrates, clocks].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use statemachine::{Observed, Wish};

    use super::*;
    use crate::{
        fixtures::{all_is_well, world},
        observe::Obstacle,
    };

    fn looks(phase: Phase, trouble: Option<Obstacle>, refused: bool) -> Option<Duration> {
        let mut world = world(all_is_well());
        world.trouble = trouble;
        soonest(&statemachine::step(phase, &world.facts), &world, None, refused)
    }

    #[test]
    fn what_passes_by_itself_is_looked_at_soon_and_rest_only_costs_the_poll() {
        let pending = || Some(Obstacle::passing("VolumePending", "no pod has asked for it yet"));
        assert_eq!(looks(Phase::Ready, pending(), false), Some(PASSING));
        assert_eq!(looks(Phase::Ready, None, false), None);
        assert_eq!(looks(Phase::Ready, pending(), true), None, "it is refused again");
    }

    #[test]
    fn a_window_that_opens_soon_is_looked_at_when_it_opens() {
        let mut world = world(all_is_well());
        let step = statemachine::step(Phase::Ready, &world.facts);
        let due = world.now + chrono::TimeDelta::seconds(3);
        world.control.restart = Some(due);
        assert_eq!(soonest(&step, &world, None, false), Some(Duration::from_secs(3)));
        world.now = due;
        assert_eq!(soonest(&step, &world, None, false), None, "it is being done");
    }

    #[test]
    fn secrets_are_read_within_seconds_and_by_many_instances_no_oftener_than_the_api_server_bears()
    {
        assert_eq!([0, 1, 100].map(poll), [SECRETS; 3]);
        assert_eq!(poll(200), Duration::from_secs(20));
        assert_eq!([300, usize::MAX].map(poll), [LONGEST_PAUSE; 2]);
    }

    #[test]
    fn a_backend_that_answers_badly_is_asked_later_and_later() {
        let mut world = world(all_is_well());
        let step = statemachine::step(Phase::Ready, &world.facts);
        let mut asks = |since| {
            world.unanswered = Some(Duration::from_secs(since));
            soonest(&step, &world, None, false).map(|it| it.as_secs())
        };
        assert_eq!([0, 1, 4, 600].map(&mut asks), [1, 1, 4, 15].map(Some));
    }

    #[test]
    fn a_deployment_that_does_not_do_what_it_is_asked_for_is_asked_later_and_later() {
        let goes_on = |since: Option<u64>| {
            let unasked_for = since.map(Duration::from_secs);
            goes_on(&Applied { asked: true, unasked_for, ..Applied::default() }).unwrap()
        };
        assert!(goes_on(None) <= ASK_AGAIN && goes_on(Some(0)) <= ASK_AGAIN);
        assert!((1..50).any(|_| goes_on(Some(600)) > ASK_AT_LAST / 2));
        assert!((1..50).all(|_| goes_on(Some(600)) >= ASK_AT_LAST / 10));
    }

    /// A volume that waits for its first pod waits for as long as the instance is suspended.
    #[test]
    fn a_suspended_instance_rests() {
        let mut world = world(Observed {
            wish: Wish { suspend: true, ..all_is_well().wish },
            stopped: true,
            pods: Vec::new(),
            asked: None,
            ..all_is_well()
        });
        world.answer = None;
        world.trouble = Some(Obstacle::passing("VolumePending", "no pod has asked for it yet"));
        let step = statemachine::step(Phase::Suspended, &world.facts);
        assert_eq!(step.phase, Phase::Suspended);
        assert_eq!(soonest(&step, &world, None, false), None);
    }

    #[test]
    fn delays_grow_to_a_minute_and_start_anew_after_a_success() {
        let backoffs = Backoffs::default();
        for doublings in 0..12 {
            let ceiling = Duration::from_secs(1 << doublings).min(LONGEST);
            let delay = backoffs.next("a");
            assert!((ceiling / 10..=ceiling).contains(&delay), "{doublings}: {delay:?}");
        }
        backoffs.reset("a");
        assert!(backoffs.next("a") <= Duration::from_secs(1));
    }

    #[test]
    fn one_instance_does_not_slow_another_down() {
        let backoffs = Backoffs::default();
        for _ in 0..12 {
            let _ = backoffs.next("a");
        }
        assert!(backoffs.next("b") <= Duration::from_secs(1));
    }
}
