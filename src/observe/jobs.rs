//! What became of Jobs: by their conditions, by the reports that their pods left, and by whether anybody still works.
//!
//! A Job counts for nothing but what its own pod reports under the name that it was given: a Job of somebody else is not
//! looked at, one that is complete and says nothing is a failure, and one whose pods are still there still runs.

pub mod again;
mod outcome;
mod seen;

use std::{collections::BTreeSet, net::SocketAddr};

use kube::ResourceExt;
use statemachine::{
    Proof, Stage,
    observed::{self, Kind, Outcome},
    pins::{Pins, Revision, Snapshot, Store, Upgrade},
};

pub use self::seen::Seen;
pub(super) use self::seen::{fills, task};
use self::seen::{orphan, seen};
use super::{Children, hold::Hold, pins};
use crate::{
    api::ConvexInstance,
    plan::names::{Errand, attempt},
};

/// Every Job of one instance.
#[derive(Clone, Debug, Default)]
pub struct Jobs(pub Vec<Seen>);

impl Jobs {
    /// What the children tell.
    pub(super) fn of(children: &Children, backend: Option<SocketAddr>) -> Self {
        let known: BTreeSet<_> = children.jobs.iter().filter_map(|job| job.uid()).collect();
        let jobs = children.jobs.iter().filter_map(|job| seen(job, children, backend));
        let orphans = children.workers.iter().filter_map(|pod| orphan(pod, &known));
        let mut all = Self(jobs.chain(orphans).collect());
        all.forget_what_is_past();
        all
    }

    /// What became of a worker is no news once another one has taken its place.
    fn forget_what_is_past(&mut self) {
        let last: Vec<_> = self.0.iter().map(|it| self.last(it.errand, &it.of)).collect();
        let past = (0..).zip(last).filter(|(at, last)| *last != Some(*at));
        past.for_each(|(at, _)| self.0[at].obstacle = None);
    }

    /// The last Job of one attempt.
    #[must_use]
    pub fn find(&self, errand: Errand, of: &Snapshot) -> Option<&Seen> {
        self.last(errand, of).map(|at| &self.0[at])
    }

    /// One that still runs is looked at first, whatever came after it.
    fn last(&self, errand: Errand, of: &Snapshot) -> Option<usize> {
        let all = self.0.iter().enumerate().filter(|(_, it)| it.errand == errand && it.of == *of);
        let last = all.max_by_key(|(_, it)| (it.outcome == Outcome::Running, it.number));
        last.map(|(at, _)| at)
    }

    /// In the machine's words, with what the backend itself still performs: an import goes on there, whatever became of the
    /// Job that has asked for it. Where the Job of this attempt runs, it is that one's.
    pub(super) fn with_imports(
        &self,
        attempt: Option<&Snapshot>,
        hold: Option<&Hold>,
    ) -> Vec<observed::Job> {
        let mut facts = self.facts();
        let own = attempt.and_then(|of| self.find(Errand::Import, of));
        let own = own.is_some_and(Seen::goes_on);
        if !own && hold.is_some_and(|it| it.untold.is_some() || !it.imports.is_empty()) {
            let (kind, of) = (Kind::Import, Snapshot::default());
            facts.push(observed::Job { kind, of, outcome: Outcome::Running });
        }
        facts
    }

    /// In the machine's words. One that failed because its backend's pod went is as if it had never been, and so is one that
    /// another one has taken the place of.
    fn facts(&self) -> Vec<observed::Job> {
        let counts = |it: &&Seen| !(it.stale && it.outcome == Outcome::Failed);
        let last = self.0.iter().enumerate();
        let last = last.filter(|(at, it)| self.last(it.errand, &it.of) == Some(*at));
        let fact = |it: &Seen| {
            let kind = match it.errand {
                Errand::Proof => return None,
                Errand::Export => Kind::Export,
                Errand::Copy => Kind::Copy,
                Errand::Import => Kind::Import,
            };
            let outcome = if it.goes_on() { Outcome::Running } else { it.outcome };
            Some(observed::Job { kind, of: it.of.clone(), outcome })
        };
        last.map(|(_, it)| it).filter(counts).filter_map(fact).collect()
    }

    /// Whether the image of this attempt runs where it has to.
    pub(super) fn proof(&self, of: Option<&Snapshot>, fails_for_long: bool) -> Proof {
        let found = of.and_then(|of| self.find(Errand::Proof, of));
        match found.map(|it| it.outcome) {
            Some(Outcome::Succeeded) => Proof::Proven,
            Some(Outcome::Failed) if !found.is_some_and(Seen::goes_on) => Proof::Failed,
            Some(Outcome::Running) if fails_for_long => Proof::Failed,
            Some(Outcome::Running | Outcome::Failed) | None => Proof::Unknown,
        }
    }

    /// Whether the image of this attempt cannot be had, as far as can be told now.
    pub(super) fn pull_fails(&self, of: Option<&Snapshot>) -> bool {
        let found = of.and_then(|of| self.find(Errand::Proof, of));
        let obstacle = found.and_then(|it| it.obstacle.as_ref());
        obstacle.is_some_and(|it| it.reason == "ImagePullFailed")
    }

    /// Every cold copy that was verified and is still there.
    pub(super) fn copied(&self, children: &Children) -> Vec<Snapshot> {
        let done = self.0.iter().filter(|it| {
            it.errand == Errand::Copy
                && it.outcome == Outcome::Succeeded
                && !children.store_is_lost(&Store::Copied(it.of.clone()))
                && children
                    .claims
                    .iter()
                    .any(|(store, claim)| *store == Store::Copied(it.of.clone()) && it.is_on(claim))
        });
        done.map(|it| it.of.clone()).collect()
    }

    /// Whether a rollback would find nothing to go to: neither the copy nor the export that was pinned.
    pub(super) fn way_back_is_gone(
        &self,
        upgrade: &Upgrade,
        instance: &ConvexInstance,
        children: &Children,
    ) -> bool {
        match (&upgrade.copy, &upgrade.snapshot) {
            _ if !upgrade.overwritten() => false,
            (Some(copy), _) => children.store_is_lost(&Store::Copied(copy.clone())),
            (None, Some(export)) => !self.verified(instance, children).contains(export),
            (None, None) => false,
        }
    }

    /// Every export that was verified and is still there: what Jobs report now, and what the status remembers.
    pub(super) fn verified(&self, instance: &ConvexInstance, children: &Children) -> Vec<Snapshot> {
        // What becomes of objects in a bucket is not watched: the worker that reads them tells.
        let claim = Some(&children.exports).filter(|it| it.is_usable());
        let is_there = |it: &&Seen| it.bucket.is_some() || claim.is_some_and(|on| on.is_of(it));
        let now = self.0.iter().filter(|it| {
            it.errand == Errand::Export && it.outcome == Outcome::Succeeded && is_there(it)
        });
        let told = instance.status.iter().flat_map(|status| &status.snapshots);
        let told = told.filter(|it| it.verified && (it.bucket.is_some() || claim.is_some()));
        let told = told.filter_map(|it| snapshot(&it.id));
        // Of what is being made its own Job speaks alone: the claim may have been taken away since it was told.
        let made = making(&pins(instance));
        let told = told.filter(|it| !made.contains(it));
        let all: BTreeSet<_> = now.map(|it| it.of.clone()).chain(told).collect();
        all.into_iter().collect()
    }
}

/// The exports that are not pinned yet.
fn making(pins: &Pins) -> Vec<Snapshot> {
    let farewell = pins.farewell.clone().filter(|_| !pins.parted);
    let exports = pins.upgrade.as_ref().filter(|it| {
        it.stage == Stage::Exporting && it.strategy.exports() && it.snapshot.is_none()
    });
    exports.map(Upgrade::next_snapshot).into_iter().chain(farewell).collect()
}

/// The attempt of this name.
#[must_use]
pub fn snapshot(name: &str) -> Option<Snapshot> {
    let (id, number) = name.rsplit_once('-')?;
    let of = Snapshot { of: Revision(id.to_owned()), attempt: number.parse().ok()? };
    (!id.is_empty() && attempt(&of) == name).then_some(of)
}

#[cfg(test)]
mod tests;
