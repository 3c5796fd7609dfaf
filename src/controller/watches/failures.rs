//! What becomes of a watch that fails: it is tried again, ever more seldom, and each cause is said once.

use std::time::{Duration, Instant};

use kube::runtime::{utils::Backoff, watcher};
use rand::RngExt;

use super::is_refused;
use crate::{metrics, readiness};

/// The first pause after a failure, and the longest: what is granted, installed or up again later is seen so soon.
const FIRST: Duration = Duration::from_secs(1);
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// Longer from failure to failure. What comes before a list says nothing of whether there will be one (kube resets its own
/// backoff there), so that only time makes it short again.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
    last: Option<Instant>,
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let calm = self.last.is_some_and(|it| it.elapsed() > 2 * LONGEST);
        self.failures = if calm { 0 } else { self.failures };
        let pause = FIRST.saturating_mul(1 << self.failures.min(5)).min(LONGEST);
        self.failures += 1;
        self.last = Some(Instant::now());
        Some(pause.mul_f64(rand::rng().random_range(0.8..=1.0)))
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {}
}

/// The failures of the watch of a kind: an operator that may not watch one is deaf to it.
#[derive(Debug)]
pub(super) struct Failures {
    kind: String,
    said: Option<String>,
}

impl Failures {
    pub(super) const fn of(kind: String) -> Self {
        Self { kind, said: None }
    }

    /// One more: every one is counted, and said where it is another one than before.
    pub(super) fn heed(&mut self, error: &watcher::Error) {
        metrics::watch_failed(&self.kind);
        if is_refused(error) {
            readiness::refused(&self.kind);
        }
        if self.is_new(error) {
            tracing::warn!(kind = self.kind, %error, "a watch failed; it is tried again until it comes about");
        }
    }

    fn is_new(&mut self, error: &watcher::Error) -> bool {
        let cause = Some(error.to_string());
        let is_new = self.said != cause;
        self.said = cause;
        is_new
    }

    /// It has told something, and so they are over: but for the word that it begins to list, which is no answer. Where kube goes on
    /// from where it was, there is no list.
    pub(super) fn told<K>(&mut self, event: &watcher::Event<K>) {
        if !matches!(event, watcher::Event::Init) && self.said.take().is_some() {
            tracing::info!(kind = self.kind, "a watch that failed has come about");
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn it_is_asked_ever_more_seldom_while_it_fails() {
        let mut patience = Patience::default();
        let pauses: Vec<_> = (0..6).map(|_| patience.next().unwrap()).collect();
        assert!(pauses[0] <= FIRST && pauses[2] > pauses[0], "{pauses:?}");
        assert!(pauses[5] <= LONGEST && pauses[5] >= LONGEST.mul_f64(0.8), "{pauses:?}");
        patience.reset();
        assert!(patience.next().unwrap() > FIRST, "a list that begins says nothing");
    }

    #[test]
    fn a_cause_is_said_once_until_it_is_another_one_or_has_been_over() {
        let failure = |why| watcher::Error::WatchError(Status::failure(why, "No").boxed());
        let mut failures = Failures::of("Pod".to_owned());
        let causes = ["forbidden", "forbidden", "not found", "forbidden", "forbidden"];
        let said = causes.map(|why| failures.is_new(&failure(why)));
        assert_eq!(said, [true, false, true, true, false]);
        failures.told(&watcher::Event::<()>::Init);
        assert!(!failures.is_new(&failure("forbidden")), "a list that begins is none yet");
        failures.told(&watcher::Event::Apply(()));
        assert!(failures.is_new(&failure("forbidden")), "it has gone on without a list");
    }
}
