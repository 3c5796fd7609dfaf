//! Where the exports of an instance are kept: on a claim or in a bucket. The claim is known besides to the observer alone, which
//! looks it up (`observe/children/exports.rs`); the workers see a folder of it, or a prefix of the bucket
//! ([`crate::worker::snapshot::Location`]).

mod place;

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::{
    api::core::v1::{
        EnvVar, PersistentVolumeClaim, PersistentVolumeClaimSpec, Volume, VolumeMount,
        VolumeResourceRequirements,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt;

pub use self::place::{BucketUnknown, Place, bucket, common, words};
use super::{
    Child, Inputs, Kind, Step, backend,
    claim::{is_bound, is_going, is_usable, requested},
    jobs::{claimed, filled, mount},
    labels::{self, Belongs, Part},
    names::Names,
    outside::{self, Server},
    pod as settings, quantity,
};
use crate::{api::ConvexInstance, observe::jobs::Seen, worker::snapshot::BUCKET};

/// The size of the claim where nobody asks for one.
const SIZE: &str = "10Gi";
/// What the claim is called in a pod, and where it is.
const VOLUME: &str = "snapshots";

/// The claim that exports of an instance are kept on, as it was seen.
#[derive(Clone, Debug, Default)]
pub struct Exports(Option<Arc<PersistentVolumeClaim>>);

impl Exports {
    /// They are kept on this claim; on none yet, or none any more.
    #[must_use]
    pub const fn on(claim: Option<Arc<PersistentVolumeClaim>>) -> Self {
        Self(claim)
    }

    /// The claim, for whoever compares it with the one that is wanted before it is written.
    #[must_use]
    pub const fn claim(&self) -> Option<&Arc<PersistentVolumeClaim>> {
        self.0.as_ref()
    }

    /// Whether there is such a place.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether what is kept can be had, and will be.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.0.as_deref().is_some_and(is_usable)
    }

    /// Whether somebody has deleted the place: it goes as soon as no pod uses it.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.0.as_deref().is_some_and(is_going)
    }

    /// Whether what a Job reports is said of this place, and not of one that somebody took away.
    #[must_use]
    pub fn is_of(&self, job: &Seen) -> bool {
        self.0.as_deref().is_some_and(|claim| job.is_on(claim))
    }

    /// What goes with the instance, as messages name it; none where it stays, or is not this instance's.
    #[must_use]
    pub fn leftover(&self, instance: &ConvexInstance) -> Option<String> {
        let claim = self.0.as_deref().filter(|it| is_ours(instance, it))?;
        Some(format!("persistentvolumeclaim/{}", claim.name_any()))
    }

    /// Makes the place, where it is not this instance's already: then it is as it was wanted when it was made. Nobody owns it: it
    /// goes with its instance only by policy. One that an earlier instance has left keeps its class and its size, whatever the
    /// spec says by now: [`Self::grown`] asks for more, which may be refused without harm.
    #[must_use]
    pub fn made(&self, inputs: &Inputs<'_>) -> Option<Step> {
        let found = self.0.as_deref();
        if found.is_some_and(|it| is_ours(inputs.instance, it)) {
            return None;
        }
        let wanted = &inputs.instance.spec.maintenance.snapshots;
        let class = match found.and_then(|it| it.spec.as_ref()) {
            Some(there) => there.storage_class_name.clone(),
            None => wanted.storage_class_name.clone(),
        };
        let size = found.and_then(requested).or(wanted.size.as_deref()).unwrap_or(SIZE);
        Some(Step::Ensure(Child::Claim(Box::new(claim(inputs, class, size)))))
    }

    /// Makes the place as large as the spec asks for, where it is this instance's and has less. A claim that no pod has asked for
    /// yet has no volume that could grow.
    #[must_use]
    pub fn grown(&self, inputs: &Inputs<'_>) -> Option<PersistentVolumeClaim> {
        let found = self.0.as_deref().filter(|it| is_ours(inputs.instance, it) && is_bound(it))?;
        let wanted = inputs.instance.spec.maintenance.snapshots.size.as_deref()?;
        let more = quantity::milli(wanted) > quantity::milli(requested(found)?);
        let class = found.spec.as_ref()?.storage_class_name.clone();
        more.then(|| claim(inputs, class, wanted))
    }

    /// Says which place a Job fills: this claim, or a bucket.
    #[must_use]
    pub fn mark(&self, place: &Place) -> BTreeMap<String, String> {
        match place.bucket() {
            Some(bucket) => [(labels::BUCKET.to_owned(), bucket.to_owned())].into(),
            None => filled(self.0.as_ref().and_then(|it| it.uid())),
        }
    }
}

fn is_ours(instance: &ConvexInstance, claim: &PersistentVolumeClaim) -> bool {
    labels::belongs(instance, &claim.metadata) == Belongs::Ours
}

fn claim(inputs: &Inputs<'_>, class: Option<String>, size: &str) -> PersistentVolumeClaim {
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

/// Takes the claim away, with every export on it.
#[must_use]
pub fn removed(names: &Names) -> Step {
    Step::Remove(Kind::Claim, names.snapshots())
}

/// What a container of a Job is told as the place of an export, and what it and its pod need for that.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The arguments that name the place.
    pub arguments: Vec<String>,
    /// The claim, or files that say how a bucket is reached, and where each is.
    pub mounts: Vec<VolumeMount>,
    /// The volumes of these.
    pub volumes: Vec<Volume>,
    /// What tells how the bucket is reached.
    pub environment: Vec<EnvVar>,
    /// As whom the bucket is asked, where the spec names somebody.
    pub account: Option<String>,
}

/// How a Job gets at the export of this name.
#[must_use]
pub fn reached(inputs: &Inputs<'_>, place: &Place, id: &str) -> Reached {
    match place {
        Place::Claim => {
            let at = format!("/{VOLUME}");
            let volume = claimed(VOLUME, &inputs.names.snapshots());
            Reached {
                arguments: vec!["--folder".to_owned(), format!("{VOLUME}/{id}")],
                mounts: vec![mount(VOLUME, &at)],
                volumes: vec![volume],
                environment: Vec::new(),
                account: None,
            }
        }
        Place::Bucket { bucket, prefix } => {
            let mut environment = backend::about_storage(inputs);
            let places = backend::named(inputs, &environment);
            let named = place.variable().map(|it| outside::named(inputs, Server::Storage, it));
            let told = named.is_none().then(|| format!("--bucket={bucket}"));
            environment.extend(named.map(|it| EnvVar { name: BUCKET.to_owned(), ..it }));
            let prefix = ["--prefix".to_owned(), prefix.clone()];
            Reached {
                arguments: told.into_iter().chain(prefix).collect(),
                volumes: settings::volumes(inputs.instance, &places),
                mounts: places,
                environment,
                account: settings::account(inputs, Part::Backend),
            }
        }
    }
}
