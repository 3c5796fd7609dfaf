//! One Job as it is seen, or the pod that is left of one.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{Resource, ResourceExt};
use statemachine::{observed::Outcome, pins::Snapshot};

use super::{outcome, snapshot};
use crate::{
    observe::{Children, Obstacle, trouble},
    plan::{labels, names::Errand},
    worker::report::Report,
};

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
    /// The uid of the claim that it fills; none where it fills none, or that one was not known.
    pub claim: Option<String>,
    /// The bucket that it fills; none where it fills none.
    pub bucket: Option<String>,
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

    /// Whether what it reports is said of this claim, and not of one that somebody took away.
    #[must_use]
    pub fn is_on(&self, claim: &PersistentVolumeClaim) -> bool {
        fills(self.claim.as_ref(), claim)
    }
}

/// Whether this claim is the one that a Job names; one that names none is held to be on it.
pub(in crate::observe) fn fills(named: Option<&String>, claim: &PersistentVolumeClaim) -> bool {
    named.is_none() || named == claim.metadata.uid.as_ref()
}

pub(super) fn seen(job: &Job, children: &Children, backend: Option<SocketAddr>) -> Option<Seen> {
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
    Some(Seen {
        errand,
        of,
        number: number(job),
        name,
        claim: job.annotations().get(labels::CLAIM_UID).cloned(),
        bucket: job.annotations().get(labels::BUCKET).cloned(),
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
pub(super) fn orphan(pod: &Arc<Pod>, known: &BTreeSet<String>) -> Option<Seen> {
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
        claim: None,
        bucket: None,
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
pub(in crate::observe) fn task(object: &impl Resource) -> Option<(Errand, Snapshot)> {
    let marks = object.annotations();
    let word = marks.get(labels::ERRAND)?;
    let errand = Errand::ALL.into_iter().find(|it| it.name() == word)?;
    Some((errand, snapshot(marks.get(labels::ATTEMPT)?)?))
}

fn kept_by(pod: &Arc<Pod>) -> Option<String> {
    let owner = pod.owner_references().iter().find(|it| it.controller == Some(true))?;
    Some(owner.uid.clone())
}
