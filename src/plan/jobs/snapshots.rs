//! The claim that exports are kept on, and the Jobs that write and read them.

use std::{collections::BTreeMap, net::SocketAddr};

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{
            Container, EnvVar, EnvVarSource, PersistentVolumeClaim, PersistentVolumeClaimSpec,
            PodSpec, SecretKeySelector, VolumeResourceRequirements,
        },
    },
    apimachinery::pkg::api::resource::Quantity,
};
use statemachine::pins::Snapshot;

use super::{claimed, confined, filled, job, mount, worker};
use crate::plan::{
    Inputs,
    claim::{is_bound, requested},
    labels::{self, Part},
    names::{Errand, attempt},
    quantity,
};

/// The size of the claim where nobody asks for one.
const SIZE: &str = "10Gi";
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

/// The claim that exports are kept on. Nobody owns it: it goes with its instance only by policy. One that an earlier instance
/// has left keeps its class and its size, whatever the spec says by now: [`grown`] asks for more, which may be refused
/// without harm.
#[must_use]
pub fn claim(inputs: &Inputs<'_>, found: Option<&PersistentVolumeClaim>) -> PersistentVolumeClaim {
    let wanted = &inputs.instance.spec.maintenance.snapshots;
    let there = found.and_then(|it| it.spec.as_ref());
    let class = match there {
        Some(there) => there.storage_class_name.clone(),
        None => wanted.storage_class_name.clone(),
    };
    let size = found.and_then(requested).or(wanted.size.as_deref()).unwrap_or(SIZE);
    of_size(inputs, class, size)
}

/// The same claim with the size that the spec asks for, where it is this instance's and has less. One that no pod has asked
/// for yet has no volume that could grow.
#[must_use]
pub fn grown(inputs: &Inputs<'_>, found: &PersistentVolumeClaim) -> Option<PersistentVolumeClaim> {
    let wanted = inputs.instance.spec.maintenance.snapshots.size.as_deref()?;
    let ours = labels::belongs(inputs.instance, &found.metadata) == labels::Belongs::Ours;
    let more =
        ours && is_bound(found) && quantity::milli(wanted) > quantity::milli(requested(found)?);
    let class = found.spec.as_ref()?.storage_class_name.clone();
    more.then(|| of_size(inputs, class, wanted))
}

fn of_size(inputs: &Inputs<'_>, class: Option<String>, size: &str) -> PersistentVolumeClaim {
    let size = Quantity(size.to_owned());
    PersistentVolumeClaim {
        metadata: labels::outliving(inputs.instance, Part::Worker, inputs.names.snapshots()),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: class,
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), size)])),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}

/// The Job that exports onto the claim of this uid, judges the export by its content, and removes exports that nobody needs any
/// more.
#[must_use]
pub fn export(
    inputs: &Inputs<'_>,
    carried: Carried<'_>,
    version: &str,
    held: bool,
    keep: &[String],
    claim: Option<String>,
) -> Job {
    let id = attempt(carried.attempt);
    let mut arguments = vec!["--version", version];
    arguments.extend(held.then_some("--held"));
    let retention = inputs.instance.spec.maintenance.snapshot_retention.to_string();
    arguments.extend(["--retain", &retention]);
    let keep: Vec<_> = keep.iter().flat_map(|it| ["--keep", it.as_str()]).collect();
    arguments.extend(keep);
    talks(inputs, Errand::Export, carried, &id, (&arguments, filled(claim)))
}

/// The Job that carries a snapshot into the backend and counts it there.
#[must_use]
pub fn import(inputs: &Inputs<'_>, carried: Carried<'_>, snapshot: &Snapshot) -> Job {
    let snapshot = attempt(snapshot);
    let more = (&["--snapshot", &snapshot][..], BTreeMap::new());
    talks(inputs, Errand::Import, carried, &snapshot, more)
}

fn talks(
    inputs: &Inputs<'_>,
    errand: Errand,
    carried: Carried<'_>,
    folder: &str,
    (more, mut marks): (&[&str], BTreeMap<String, String>),
) -> Job {
    let (id, backend) = (attempt(carried.attempt), carried.backend.to_string());
    let (seconds, folder) = (carried.seconds.to_string(), format!("snapshots/{folder}"));
    let mut arguments = vec!["--id", &id, "--backend", &backend, "--folder", &folder];
    arguments.extend(["--deadline-seconds", &seconds]);
    arguments.extend(more);
    let container = keyed(inputs, worker(inputs, errand.name(), &arguments));
    let pod = PodSpec {
        containers: vec![Container {
            volume_mounts: Some(vec![mount("snapshots", "/snapshots")]),
            ..container
        }],
        volumes: Some(vec![claimed("snapshots", &inputs.names.snapshots())]),
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
