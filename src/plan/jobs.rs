//! The Jobs of an upgrade: the proof of an image, and what carries data, from the operator's own image. No shell, no token of
//! a service account; keys come from a Secret, and what a worker may do from the one record.
//!
//! A Job is named by the attempt that it belongs to, so that the result of another one is never taken for its own. It starts
//! one worker: when there is to be another one is the operator's to say, and it says so by another Job.

mod pod;
mod snapshots;

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        batch::v1::{Job, JobSpec},
        core::v1::{Container, PodSpec, PodTemplateSpec, Volume, VolumeMount},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use statemachine::pins::{Release, Snapshot, Store};

use self::pod::{beside_the_backend, confined, contained, worker};
pub(super) use self::pod::{claimed, mount};
pub use self::snapshots::{Carried, export, import};
use super::{
    Inputs,
    exports::{self, Place},
    labels::{self, Part},
    names::{Errand, attempt},
    pod as settings,
};

/// How long a Job that has ended stays to be looked at, in seconds: longer than any stage lasts.
const KEPT_SECONDS: i32 = 8 * DAY;
/// The same of an import, after which people are waited for, who deploy code on what is new.
const IMPORT_KEPT_SECONDS: i32 = 90 * DAY;
const DAY: i32 = 24 * 3600;
/// The subcommand, and the container of a proof, that sees whether a bucket takes exports.
pub const REACHABLE: &str = "reachable";
/// Where a worker's container leaves its report, seen from its working folder.
const REPORT: &str = "dev/termination-log";

/// The Job that pulls an image where the backend runs, and starts it to do nothing; before that it sees whether the bucket takes
/// exports that this upgrade makes, where it makes some and they go to one.
#[must_use]
pub fn proof(
    inputs: &Inputs<'_>,
    of: &Snapshot,
    number: u32,
    (release, onto): (&Release, Option<&Place>),
) -> Job {
    let mut container = contained(inputs, "proof");
    container.image = Some(release.image.clone());
    container.command = Some(["/bin/sh", "-c", "exit 0"].map(str::to_owned).into());
    // What is pulled as the backend's account is pulled is proven to be had by it.
    let account = settings::account(inputs, Part::Backend);
    let (reachable, volumes) = onto.and_then(|place| reachable(inputs, place)).unzip();
    let pod = PodSpec {
        init_containers: reachable.map(|it| vec![it]),
        containers: vec![container],
        volumes: volumes.filter(|it| !it.is_empty()),
        service_account: account.clone(),
        service_account_name: account,
        ..confined(inputs)
    };
    let pod = beside_the_backend(inputs, pod);
    job(inputs, (Errand::Proof, of, number), BTreeMap::new(), pod)
}

/// The container that looks at the bucket, with its volumes; none where there is none.
fn reachable(inputs: &Inputs<'_>, place: &Place) -> Option<(Container, Vec<Volume>)> {
    place.bucket()?;
    let reached = exports::reached(inputs, place, "");
    let arguments: Vec<_> = reached.arguments.iter().map(String::as_str).collect();
    let container = Container {
        env: Some(reached.environment),
        volume_mounts: (!reached.mounts.is_empty()).then_some(reached.mounts),
        ..worker(inputs, REACHABLE, &arguments)
    };
    Some((container, reached.volumes))
}

/// The Job that copies the claim of one store onto another. The first container asks for its permit before its first
/// byte; the second asks again after the last one, and is the one that reports.
#[must_use]
pub fn copy(inputs: &Inputs<'_>, of: &Snapshot, number: u32, (from, to): (&Store, &Store)) -> Job {
    let id = attempt(of);
    let mut copy = worker(inputs, "copy", &["--id", &id, "--from", "from", "--to", "to"]);
    copy.volume_mounts = Some(vec![
        VolumeMount { read_only: Some(true), ..mount("from", "/from") },
        mount("to", "/to"),
    ]);
    let mut permitted = worker(inputs, "permitted", &["--id", &id, "--to", "to"]);
    permitted.volume_mounts =
        Some(vec![VolumeMount { read_only: Some(true), ..mount("to", "/to") }]);
    let pod = PodSpec {
        init_containers: Some(vec![copy]),
        containers: vec![permitted],
        volumes: Some(vec![claimed("from", &inputs.claim(from)), claimed("to", &inputs.claim(to))]),
        ..confined(inputs)
    };
    let marks = filled(inputs.found(to).and_then(|it| it.metadata.uid.clone()));
    job(inputs, (Errand::Copy, of, number), marks, pod)
}

/// Says which claim a Job fills.
pub(super) fn filled(claim: Option<String>) -> BTreeMap<String, String> {
    claim.map(|uid| (labels::CLAIM_UID.to_owned(), uid)).into_iter().collect()
}

fn job(
    inputs: &Inputs<'_>,
    (errand, of, number): (Errand, &Snapshot, u32),
    mut marks: BTreeMap<String, String>,
    pod: PodSpec,
) -> Job {
    marks.insert(labels::ERRAND.to_owned(), errand.name().to_owned());
    marks.insert(labels::ATTEMPT.to_owned(), attempt(of));
    marks.insert(labels::TRY.to_owned(), number.to_string());
    let name = inputs.names.job(errand, of, number);
    let mut metadata = labels::owned(inputs.instance, Part::Worker, name);
    metadata.annotations = Some(marks.clone());
    Job {
        metadata,
        spec: Some(JobSpec {
            backoff_limit: Some(0),
            // A pod that is still there may still write.
            pod_replacement_policy: Some("Failed".to_owned()),
            ttl_seconds_after_finished: Some(match errand {
                Errand::Import => IMPORT_KEPT_SECONDS,
                _ => KEPT_SECONDS,
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels::labels(inputs.instance, Part::Worker)),
                    annotations: Some(marks),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod),
            },
            ..JobSpec::default()
        }),
        ..Job::default()
    }
}

#[cfg(test)]
mod tests;
