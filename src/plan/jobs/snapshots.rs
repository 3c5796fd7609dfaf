//! The Jobs that write and read exports.

use std::{collections::BTreeMap, net::SocketAddr};

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Container, EnvVar, EnvVarSource, PodSpec, SecretKeySelector},
};
use kube::ResourceExt;
use statemachine::pins::Snapshot;

use super::{confined, job, worker};
use crate::plan::{
    Inputs,
    exports::{self, Exports, Place},
    labels,
    names::{Errand, attempt},
};

/// The key of the Secret for applications that holds the admin key, and the variable that Convex's CLI reads it from.
const ADMIN_KEY: &str = "CONVEX_SELF_HOSTED_ADMIN_KEY";

/// What a Job that talks to a backend is told.
#[derive(Clone, Copy, Debug)]
pub struct Carried<'a> {
    /// The attempt that it belongs to.
    pub attempt: &'a Snapshot,
    /// Which worker of that attempt it is, from 1 on.
    pub number: u32,
    /// Address and port of the one pod.
    pub backend: SocketAddr,
    /// How long it may take, in seconds.
    pub seconds: u64,
}

/// The Job that exports, judges the export by its content, and removes exports that nobody needs any more.
#[must_use]
pub fn export(
    inputs: &Inputs<'_>,
    carried: Carried<'_>,
    version: &str,
    held: bool,
    keep: &[String],
    (onto, place): (&Exports, &Place),
) -> Job {
    let id = attempt(carried.attempt);
    let mut arguments = vec!["--version", version];
    arguments.extend(held.then_some("--held"));
    let retention = inputs.instance.spec.maintenance.snapshot_retention.to_string();
    arguments.extend(["--retain", &retention]);
    let keep: Vec<_> = keep.iter().flat_map(|it| ["--keep", it.as_str()]).collect();
    arguments.extend(keep);
    talks(inputs, Errand::Export, carried, (&id, place), (&arguments, onto.mark(place)))
}

/// The Job that carries a snapshot into the backend and counts it there. In the store that the snapshot was taken of, it does
/// not replace what others have imported since.
#[must_use]
pub fn import(
    inputs: &Inputs<'_>,
    carried: Carried<'_>,
    (snapshot, place): (&Snapshot, &Place),
    same_store: bool,
) -> Job {
    let snapshot = attempt(snapshot);
    let mut arguments = vec!["--snapshot", &snapshot];
    arguments.extend(same_store.then_some("--same-store"));
    talks(inputs, Errand::Import, carried, (&snapshot, place), (&arguments, BTreeMap::new()))
}

fn talks(
    inputs: &Inputs<'_>,
    errand: Errand,
    carried: Carried<'_>,
    (export, place): (&str, &Place),
    (more, mut marks): (&[&str], BTreeMap<String, String>),
) -> Job {
    let (id, backend) = (attempt(carried.attempt), carried.backend.to_string());
    let (seconds, reached) = (carried.seconds.to_string(), exports::reached(inputs, place, export));
    let instance = inputs.instance.uid().unwrap_or_default();
    let mut arguments = vec!["--id", &id, "--instance", &instance, "--backend", &backend];
    arguments.extend(reached.arguments.iter().map(String::as_str));
    arguments.extend(["--deadline-seconds", &seconds]);
    arguments.extend(more);
    let mut container = keyed(inputs, worker(inputs, errand.name(), &arguments));
    container.env.get_or_insert_default().extend(reached.environment);
    let some = |it: &[_]| (!it.is_empty()).then(|| it.to_vec());
    let pod = PodSpec {
        containers: vec![Container { volume_mounts: some(&reached.mounts), ..container }],
        volumes: (!reached.volumes.is_empty()).then_some(reached.volumes),
        service_account: reached.account.clone(),
        service_account_name: reached.account,
        ..confined(inputs)
    };
    marks.insert(labels::ADDRESS.to_owned(), backend.clone());
    job(inputs, (errand, carried.attempt, carried.number), marks, pod)
}

fn keyed(inputs: &Inputs<'_>, mut container: Container) -> Container {
    let key = EnvVarSource {
        secret_key_ref: Some(SecretKeySelector {
            name: inputs.names.admin_secret(),
            key: ADMIN_KEY.to_owned(),
            optional: None,
        }),
        ..EnvVarSource::default()
    };
    let variable = EnvVar { name: ADMIN_KEY.to_owned(), value: None, value_from: Some(key) };
    container.env.get_or_insert_default().push(variable);
    container
}
