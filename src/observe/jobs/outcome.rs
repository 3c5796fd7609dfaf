//! How one Job went, and what its pod said about it.

use std::sync::Arc;

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{ContainerStateTerminated, Pod},
    },
    jiff::{SignedDuration, Timestamp},
};
use statemachine::{observed::Outcome, pins::Snapshot};

use crate::{
    observe::Obstacle,
    plan::{
        jobs::REACHABLE,
        names::{Errand, attempt},
    },
    worker::report::Report,
};

/// How long the pod of a Job that is complete may be unknown before it counts as gone.
const NEWS: SignedDuration = SignedDuration::from_secs(30);

/// How it went, what it reported where that was well, and why not where it was not.
pub(super) fn of(
    job: &Job,
    errand: Errand,
    of: &Snapshot,
    pods: &[&Arc<Pod>],
) -> (Outcome, Option<Report>, Option<Obstacle>) {
    let going = job.metadata.deletion_timestamp.is_some();
    if going || pods.iter().any(|pod| !is_over(pod)) {
        return (Outcome::Running, None, None);
    }
    if is(job, "Failed") {
        return (Outcome::Failed, None, Some(failure(errand, job, pods)));
    }
    if !is(job, "Complete") {
        return (Outcome::Running, None, None);
    }
    if errand == Errand::Proof {
        return (Outcome::Succeeded, None, None);
    }
    let arrived = pods.iter().any(|pod| phase(pod) == Some("Succeeded"));
    if !arrived && is_news(job) {
        return (Outcome::Running, None, None);
    }
    let said = pods.iter().filter_map(|pod| ended(pod, main(errand)));
    let well = said.filter(|it| it.exit_code == 0).find_map(|it| report(it, errand, of));
    match well {
        Some(report) => (Outcome::Succeeded, Some(report), None),
        None => (Outcome::Failed, None, Some(silent(errand, of))),
    }
}

/// Every container has ended, and none is started again.
pub(super) fn is_over(pod: &Pod) -> bool {
    matches!(phase(pod), Some("Succeeded" | "Failed"))
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

/// The watch of pods may bring later what the watch of Jobs has brought already: the pod that made this one complete.
fn is_news(job: &Job) -> bool {
    let ended = job.status.as_ref().and_then(|it| it.completion_time.as_ref());
    ended.is_some_and(|it| Timestamp::now().duration_since(it.0) < NEWS)
}

pub(super) fn is(job: &Job, condition: &str) -> bool {
    let conditions = job.status.as_ref().and_then(|it| it.conditions.as_ref());
    conditions.into_iter().flatten().any(|it| it.type_ == condition && it.status == "True")
}

/// The container that reports.
const fn main(errand: Errand) -> &'static str {
    match errand {
        Errand::Copy => "permitted",
        other => other.name(),
    }
}

fn ended<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStateTerminated> {
    let status = pod.status.as_ref()?;
    let inits = status.init_container_statuses.iter().flatten();
    let mut all = inits.chain(status.container_statuses.iter().flatten());
    all.find(|it| it.name == container)?.state.as_ref()?.terminated.as_ref()
}

/// A report of this very attempt; anything else is none.
fn report(ended: &ContainerStateTerminated, errand: Errand, of: &Snapshot) -> Option<Report> {
    let report: Report = serde_json::from_str(ended.message.as_deref()?).ok()?;
    let ((Report::Copied { id, .. }, Errand::Copy)
    | (Report::Exported { id, .. }, Errand::Export)
    | (Report::Imported { id, .. }, Errand::Import)) = (&report, errand)
    else {
        return None;
    };
    (*id == attempt(of)).then_some(report)
}

/// Why an upgrade is not felt where its exports would have nowhere to go.
const BUCKET: &str = "BucketUnusable";

const fn reason(errand: Errand) -> &'static str {
    match errand {
        Errand::Proof => "ImageUnproven",
        Errand::Export => "ExportFailed",
        Errand::Copy => "CopyFailed",
        Errand::Import => "ImportFailed",
    }
}

fn silent(errand: Errand, of: &Snapshot) -> Obstacle {
    Obstacle::new(
        "ReportMissing",
        format!(
            "the Job of {} {} is complete and its pod left no report of it: what it did counts for nothing. Ask for another try.",
            errand.name(),
            attempt(of)
        ),
    )
}

/// What the last container that ended badly has said; or else what the Job says of itself.
fn failure(errand: Errand, job: &Job, pods: &[&Arc<Pod>]) -> Obstacle {
    if let Some(told) = of_the_bucket(errand, pods) {
        return Obstacle::new(
            BUCKET,
            format!("{told} Nothing was moved, and everybody is served."),
        );
    }
    let told = last_words(errand, pods).unwrap_or_else(|| of_the_job(job));
    let what = errand.name();
    Obstacle::new(reason(errand), format!("the {what} did not come to its end: {told}"))
}

/// Why the worker before this one ended, where another one is started.
pub(super) fn setback(errand: Errand, pods: &[&Arc<Pod>]) -> Option<Obstacle> {
    if let Some(told) = of_the_bucket(errand, pods) {
        return Some(Obstacle::new(BUCKET, told));
    }
    let (told, what) = (last_words(errand, pods)?, errand.name());
    Some(Obstacle::new(reason(errand), format!("the {what} is begun again after: {told}")))
}

/// Why the bucket that an upgrade relies on takes no exports, as its proof has found.
fn of_the_bucket(errand: Errand, pods: &[&Arc<Pod>]) -> Option<String> {
    let mut said = pods.iter().filter_map(|pod| ended(pod, REACHABLE));
    let bad = said.find(|it| errand == Errand::Proof && it.exit_code != 0)?;
    match serde_json::from_str(bad.message.as_deref().unwrap_or_default()) {
        Ok(Report::Failed { message, .. }) => Some(message),
        _ => Some(format!("the bucket for exports: {}.", told(bad))),
    }
}

fn last_words(errand: Errand, pods: &[&Arc<Pod>]) -> Option<String> {
    let containers = [main(errand), errand.name()];
    let said = containers.iter().find_map(|container| {
        let bad = pods.iter().filter_map(|pod| ended(pod, container));
        bad.filter(|it| it.exit_code != 0).max_by_key(|it| it.finished_at.as_ref().map(|it| it.0))
    });
    said.map(told)
}

fn told(ended: &ContainerStateTerminated) -> String {
    let message = ended.message.as_deref().unwrap_or_default();
    if let Ok(Report::Failed { reason, message }) = serde_json::from_str(message) {
        return format!("{reason}: {message}");
    }
    let why = ended.reason.as_deref().unwrap_or("no reason given");
    format!("exit code {} ({why})", ended.exit_code)
}

fn of_the_job(job: &Job) -> String {
    let conditions = job.status.as_ref().and_then(|it| it.conditions.as_ref());
    let failed = conditions.into_iter().flatten().find(|it| it.type_ == "Failed");
    let words = failed.map(|it| {
        let parts = [it.reason.clone(), it.message.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    });
    words.unwrap_or_else(|| "the Job failed".to_owned())
}
