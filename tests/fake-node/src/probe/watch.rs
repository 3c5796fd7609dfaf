//! The three probes of a container over its life: startup first, then readiness and liveness side by side.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Probe};
use tokio::time::sleep;

use super::{Target, check};
use crate::backoff::Pace;

/// What the probes have found so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The startup probe has succeeded, or there is none.
    Started,
    /// The readiness probe says so, or there is none.
    Ready(bool),
}

/// A container must be restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhealthy {
    /// `Startup` or `Liveness`.
    pub probe: &'static str,
    /// What the last failure said.
    pub message: String,
}

/// Probes `container` until it is unhealthy, telling every change. A container without liveness probe stays healthy.
pub async fn watch(
    container: &Container,
    target: &Target,
    pace: Pace,
    tell: impl Fn(Health),
) -> Unhealthy {
    if let Some(probe) = &container.startup_probe
        && let Err(message) = until_started(probe, target, pace).await
    {
        return Unhealthy { probe: "Startup", message };
    }
    tell(Health::Started);
    let readiness = async {
        match &container.readiness_probe {
            Some(probe) => {
                follow_readiness(probe, target, pace, |ready| tell(Health::Ready(ready))).await;
            }
            None => tell(Health::Ready(true)),
        }
        std::future::pending().await
    };
    let liveness = async {
        match &container.liveness_probe {
            Some(probe) => {
                Unhealthy { probe: "Liveness", message: until_dead(probe, target, pace).await }
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        unhealthy = readiness => unhealthy,
        unhealthy = liveness => unhealthy,
    }
}

async fn until_started(probe: &Probe, target: &Target, pace: Pace) -> Result<(), String> {
    let mut count = Count::of(probe);
    let mut rounds = Rounds::of(probe, pace);
    loop {
        rounds.next().await;
        let outcome = check(probe, target).await;
        match (count.decided(outcome.is_ok()), outcome) {
            (Some(true), _) => return Ok(()),
            (Some(false), Err(message)) => return Err(message),
            _ => (),
        }
    }
}

async fn until_dead(probe: &Probe, target: &Target, pace: Pace) -> String {
    let mut count = Count::of(probe);
    let mut rounds = Rounds::of(probe, pace);
    loop {
        rounds.next().await;
        let outcome = check(probe, target).await;
        if let (Some(false), Err(message)) = (count.decided(outcome.is_ok()), outcome) {
            return message;
        }
    }
}

async fn follow_readiness(probe: &Probe, target: &Target, pace: Pace, tell: impl Fn(bool)) {
    let mut count = Count::of(probe);
    let mut rounds = Rounds::of(probe, pace);
    loop {
        rounds.next().await;
        if let Some(ready) = count.decided(check(probe, target).await.is_ok()) {
            tell(ready);
        }
    }
}

/// The rhythm of a probe: the first at once or after the initial delay, then one each period.
struct Rounds {
    wait: Duration,
    period: Duration,
}

impl Rounds {
    fn of(probe: &Probe, pace: Pace) -> Self {
        let seconds = |value: Option<i32>, or| {
            Duration::from_secs(u64::try_from(value.unwrap_or(or)).unwrap_or(0))
        };
        Self {
            wait: pace.scale(seconds(probe.initial_delay_seconds, 0)),
            period: pace.scale(seconds(probe.period_seconds, 10)),
        }
    }

    async fn next(&mut self) {
        sleep(std::mem::replace(&mut self.wait, self.period)).await;
    }
}

/// Outcomes in a row, against the thresholds.
struct Count {
    success: i32,
    failure: i32,
    last: Option<bool>,
    run: i32,
}

impl Count {
    fn of(probe: &Probe) -> Self {
        Self {
            success: probe.success_threshold.unwrap_or(1),
            failure: probe.failure_threshold.unwrap_or(3),
            last: None,
            run: 0,
        }
    }

    /// What the outcomes in a row decide; `None` below the threshold.
    fn decided(&mut self, outcome: bool) -> Option<bool> {
        self.run = if self.last == Some(outcome) { self.run + 1 } else { 1 };
        self.last = Some(outcome);
        let threshold = if outcome { self.success } else { self.failure };
        (self.run >= threshold).then_some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_outcomes_in_a_row_count() {
        let probe =
            Probe { failure_threshold: Some(2), success_threshold: Some(2), ..Probe::default() };
        let mut count = Count::of(&probe);
        let decisions: Vec<_> =
            [true, false, true, true, false, false].map(|outcome| count.decided(outcome)).into();
        assert_eq!(decisions, [None, None, None, Some(true), None, Some(false)]);
    }

    #[tokio::test]
    async fn a_container_without_probes_is_started_and_ready() {
        let told = std::cell::RefCell::new(Vec::new());
        let target = Target {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            ports: Vec::new(),
            env: Vec::new(),
            directory: "/".into(),
        };
        let container = Container::default();
        let watched =
            watch(&container, &target, Pace::times(1.0), |health| told.borrow_mut().push(health));
        assert!(tokio::time::timeout(Duration::from_millis(20), watched).await.is_err());
        assert_eq!(*told.borrow(), [Health::Started, Health::Ready(true)]);
    }
}
