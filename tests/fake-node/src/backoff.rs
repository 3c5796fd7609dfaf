//! Kubelet's back-offs, and the speed at which this node's time runs.

use std::time::Duration;

/// How many times faster than a kubelet this node waits.
#[derive(Clone, Copy, Debug)]
pub struct Pace(f64);

impl Pace {
    /// A pace of `times`; anything below 1 is 1.
    #[must_use]
    pub const fn times(times: f64) -> Self {
        Self(if times > 1.0 { times } else { 1.0 })
    }

    /// What `wait` becomes.
    #[must_use]
    pub fn scale(self, wait: Duration) -> Duration {
        wait.div_f64(self.0)
    }
}

/// 10 s, doubling, up to 300 s: of crashes and of image pulls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_secs(10);
    const LONGEST: Duration = Duration::from_mins(5);

    /// The next wait, by a kubelet's clock.
    pub fn next_wait(&mut self) -> Duration {
        let wait = Self::FIRST * 2_u32.pow(self.failures.min(5));
        self.failures += 1;
        wait.min(Self::LONGEST)
    }
}

/// Back-off between restarts: none before the first, and forgotten after a long good run.
#[derive(Clone, Copy, Debug, Default)]
pub struct CrashBackoff {
    crashed: bool,
    waits: Backoff,
}

impl CrashBackoff {
    /// How long a kubelet takes a container for healthy again.
    const GOOD_RUN: Duration = Duration::from_mins(10);

    /// How long to wait after a run of `ran`, both by a kubelet's clock; `None` means at once.
    pub fn after(&mut self, ran: Duration) -> Option<Duration> {
        if ran >= Self::GOOD_RUN {
            *self = Self::default();
        }
        if self.crashed {
            return Some(self.waits.next_wait());
        }
        self.crashed = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_restart_is_at_once_and_the_waits_double_up_to_five_minutes() {
        let mut backoff = CrashBackoff::default();
        let waits: Vec<_> =
            (0..8).map(|_| backoff.after(MOMENT).map_or(0, |wait| wait.as_secs())).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn a_long_good_run_is_forgiven() {
        let mut backoff = CrashBackoff::default();
        backoff.after(MOMENT);
        backoff.after(MOMENT);
        assert_eq!(backoff.after(Duration::from_mins(10)), None);
        assert_eq!(backoff.after(MOMENT), Some(Duration::from_secs(10)));
    }

    #[test]
    fn ten_times_faster_is_a_tenth_of_the_wait() {
        assert_eq!(Pace::times(10.0).scale(Duration::from_secs(10)), MOMENT);
        assert_eq!(Pace::times(0.0).scale(MOMENT), MOMENT);
    }
}
