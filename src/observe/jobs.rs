//! What became of Jobs: by their conditions, by the reports that their pods left, and by whether anybody still works.
//!
//! A Job counts for nothing but what its own pod reports under the name that it was given: a Job of somebody else is not
//! looked at, one that is complete and says nothing is a failure, and one whose pods are still there still runs.

pub mod again;
mod outcome;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{PersistentVolumeClaim, Pod},
    },
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::{SignedDuration, Timestamp},
};
use kube::{Resource, ResourceExt};
use statemachine::{
    Proof,
    observed::{self, Kind, Outcome},
    pins::{Revision, Snapshot, Store, Upgrade},
};

use super::{Children, Obstacle, hold::Hold, trouble};
use crate::{
    api::ConvexInstance,
    plan::{
        labels,
        names::{Errand, attempt},
    },
    worker::report::Report,
};

/// How far the clock of a worker's node may be behind that of the API server.
const CLOCKS: SignedDuration = SignedDuration::from_mins(10);

/// One Job, or what is left of one.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it is for.
    pub errand: Errand,
    /// The attempt that it belongs to.
    pub of: Snapshot,
    /// Which worker of that attempt it is, from 1 on.
    pub number: u32,
    /// Its name; empty where only its pod is left.
    pub name: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// How it went.
    pub outcome: Outcome,
    /// What it reported, where it succeeded.
    pub report: Option<Report>,
    /// Kubernetes holds it for done, whatever it reported.
    pub complete: bool,
    /// It failed, and another worker is about to take its place.
    pub awaited: bool,
    /// It was told to talk to a pod that is not there any more.
    pub stale: bool,
    /// Why it failed, or does not get on.
    pub obstacle: Option<Obstacle>,
}

impl Seen {
    /// Whether more is to come of it.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.outcome == Outcome::Running || self.awaited
    }
}

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
        if !own && hold.is_some_and(|it| it.silent || !it.imports.is_empty()) {
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
                && !children.claims.iter().any(|(store, claim)| {
                    *store == Store::Copied(it.of.clone()) && is_younger(claim, it.created)
                })
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
        let claim = children.snapshots.as_deref();
        let Some(claim) = claim.filter(|it| it.metadata.deletion_timestamp.is_none()) else {
            return Vec::new();
        };
        let now = self.0.iter().filter(|it| {
            it.errand == Errand::Export
                && it.outcome == Outcome::Succeeded
                && !is_younger(claim, it.created)
        });
        let told = instance.status.iter().flat_map(|status| &status.snapshots);
        let made = |time: &Option<Time>| time.as_ref().map(|it| it.0 + CLOCKS);
        let told = told.filter(|it| it.verified && !is_younger(claim, made(&it.time)));
        let told = told.filter_map(|it| snapshot(&it.id));
        let all: BTreeSet<_> = now.map(|it| it.of.clone()).chain(told).collect();
        all.into_iter().collect()
    }
}

/// Whether a claim was made after what is said to be on it: it has taken the place of one that somebody took away.
fn is_younger(claim: &PersistentVolumeClaim, than: Option<Timestamp>) -> bool {
    let made = claim.metadata.creation_timestamp.as_ref().map(|it| it.0);
    made.zip(than).is_some_and(|(made, than)| made > than)
}

/// The attempt of this name.
#[must_use]
pub fn snapshot(name: &str) -> Option<Snapshot> {
    let (id, number) = name.rsplit_once('-')?;
    let of = Snapshot { of: Revision(id.to_owned()), attempt: number.parse().ok()? };
    (!id.is_empty() && attempt(&of) == name).then_some(of)
}

fn seen(job: &Job, children: &Children, backend: Option<SocketAddr>) -> Option<Seen> {
    let (errand, of) = task(job)?;
    let uid = job.uid();
    let pods: Vec<_> = children.workers.iter().filter(|pod| kept_by(pod) == uid).collect();
    let told = job.annotations().get(labels::ADDRESS);
    let stale = told.zip(backend).is_some_and(|(told, now)| *told != now.to_string());
    let (outcome, report, failure) = outcome::of(job, errand, &of, &pods);
    let before = || children.workers.iter().filter(|pod| same(&***pod, job)).collect::<Vec<_>>();
    let mut live = pods.iter().filter(|pod| !outcome::is_over(pod));
    let stuck = live.find_map(|pod| trouble::of_pod(pod)).filter(|it| it.abnormal);
    let obstacle = match outcome {
        Outcome::Running => stuck.or_else(|| outcome::setback(errand, &before())),
        Outcome::Failed => failure,
        Outcome::Succeeded => None,
    };
    let (name, complete) = (job.name_any(), outcome::is(job, "Complete"));
    let created = job.creation_timestamp().map(|it| it.0);
    Some(Seen {
        errand,
        of,
        number: number(job),
        name,
        created,
        outcome,
        report,
        complete,
        awaited: false,
        stale,
        obstacle,
    })
}

/// Whether both are for the same, and of the same attempt.
fn same(one: &impl Resource, other: &impl Resource) -> bool {
    task(one) == task(other)
}

/// A pod whose Job is gone and that is not: it may still work.
fn orphan(pod: &Arc<Pod>, known: &BTreeSet<String>) -> Option<Seen> {
    let kept = kept_by(pod).is_some_and(|uid| known.contains(&uid));
    if kept || outcome::is_over(pod) {
        return None;
    }
    let (errand, of) = task(&**pod)?;
    Some(Seen {
        errand,
        of,
        number: number(&**pod),
        name: String::new(),
        created: None,
        outcome: Outcome::Running,
        report: None,
        complete: false,
        awaited: false,
        stale: false,
        obstacle: trouble::of_pod(pod).filter(|it| it.abnormal),
    })
}

/// Which worker of its attempt it is.
fn number(object: &impl Resource) -> u32 {
    object.annotations().get(labels::TRY).and_then(|it| it.parse().ok()).unwrap_or(1)
}

/// What a Job or its pod is for, and the attempt that it belongs to; none where it is nothing of ours.
pub(super) fn task(object: &impl Resource) -> Option<(Errand, Snapshot)> {
    let marks = object.annotations();
    let word = marks.get(labels::ERRAND)?;
    let errand = Errand::ALL.into_iter().find(|it| it.name() == word)?;
    Some((errand, snapshot(marks.get(labels::ATTEMPT)?)?))
}

fn kept_by(pod: &Arc<Pod>) -> Option<String> {
    let owner = pod.owner_references().iter().find(|it| it.controller == Some(true))?;
    Some(owner.uid.clone())
}

#[cfg(test)]
mod tests;
