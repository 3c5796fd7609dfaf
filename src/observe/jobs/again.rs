//! When another worker takes up what one has left: ever later, never for all instances at the same moment, and not for ever.
//!
//! The pause is counted by the operator that has seen the failure, so that no two clocks have to agree; one that is started
//! anew counts it anew.

use std::{fmt, time::Duration};

use sha2::{Digest, Sha256};
use statemachine::{
    Phase, Stage,
    observed::{Kind, Outcome},
    pins::{Pins, Snapshot},
};

use super::{Jobs, Seen};
use crate::plan::names::Errand;

/// How many workers carry data in one attempt: each goes on where the one before it was, but for exports that are held.
const WORKERS: u32 = 5;
/// How many prove an image, which starts or does not.
const PROOFS: u32 = 2;
/// The longest pause before the second worker; before each later one it is twice as long.
const FIRST: Duration = Duration::from_secs(10);

/// The worker that comes after one that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// What it is for.
    pub errand: Errand,
    /// The attempt that it belongs to.
    pub of: Snapshot,
    /// Which worker of that attempt it is.
    pub number: u32,
    /// How long it still waits; zero where its time has come.
    pub pause: Duration,
}

/// What a phase has Jobs do for it, in this order.
pub(in crate::observe) fn tasks(phase: Phase, pins: &Pins) -> Vec<(Errand, Snapshot)> {
    match (phase, &pins.upgrade) {
        (Phase::Upgrading(stage), Some(upgrade)) => {
            let proof = (stage == Stage::Exporting).then(|| upgrade.next_snapshot());
            let carries = upgrade.job().map(|(kind, of)| (errand_of(kind), of));
            proof.map(|of| (Errand::Proof, of)).into_iter().chain(carries).collect()
        }
        (Phase::Deleting, _) => {
            pins.farewell.iter().map(|of| (Errand::Export, of.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// The errand of a Job that carries data this way.
#[must_use]
pub const fn errand_of(kind: Kind) -> Errand {
    match kind {
        Kind::Export => Errand::Export,
        Kind::Copy => Errand::Copy,
        Kind::Import => Errand::Import,
    }
}

impl Jobs {
    /// Has the task whose last worker failed go on, where there is to be another one. `lasted` is told whether there is such
    /// a failure, and tells for how long.
    pub(in crate::observe) fn begin_again(
        &mut self,
        tasks: &[(Errand, Snapshot)],
        lasted: impl FnOnce(bool) -> Option<Duration>,
    ) -> Option<Again> {
        let last = tasks.iter().filter_map(|(errand, of)| self.last(*errand, of));
        let failed = last.into_iter().find(|at| may_go_on(&self.0[*at]));
        let lasted = lasted(failed.is_some()).unwrap_or_default();
        let failed = &mut self.0[failed?];
        failed.awaited = true;
        let (errand, of, number) = (failed.errand, failed.of.clone(), failed.number + 1);
        let pause = pause(&failed.name, failed.number).saturating_sub(lasted);
        Some(Again { errand, of, number, pause })
    }
}

impl fmt::Display for Again {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "it is begun again, by worker {} of {}", self.number, limit(self.errand))
    }
}

/// One that talked to a pod which is gone is made anew as it was, and one that is complete has had its say.
fn may_go_on(seen: &Seen) -> bool {
    seen.outcome == Outcome::Failed
        && !seen.complete
        && !seen.stale
        && seen.number < limit(seen.errand)
}

const fn limit(errand: Errand) -> u32 {
    match errand {
        Errand::Proof => PROOFS,
        Errand::Export | Errand::Copy | Errand::Import => WORKERS,
    }
}

/// Between half of what it may be and all of it: by the name of the Job that failed, so that every pass finds the same.
fn pause(job: &str, number: u32) -> Duration {
    let longest = FIRST.saturating_mul(1 << number.saturating_sub(1).min(8));
    let digest = Sha256::digest(job);
    longest.mul_f64(0.5 + f64::from(digest[0]) / 510.0)
}

#[cfg(test)]
mod tests;
