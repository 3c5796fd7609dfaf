//! The claim that holds the data, with its stamp: which versions were about to open it, and whether it
//! is the one that the instance's data is in.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};
use statemachine::pins::Backend;

use super::{
    Inputs,
    gate::Record,
    labels::{self, Part},
    quantity,
};

/// The size of a volume that nobody asks a size of.
const SIZE: &str = "10Gi";
/// How many versions a store remembers; the oldest are forgotten first.
const REMEMBERED: usize = 32;

/// The claim, stamped with the version that is about to open it. One that is there keeps its size: that
/// is asked for by [`grown`], which may be refused without harm.
#[must_use]
pub fn stamped(inputs: &Inputs<'_>, backend: &Backend) -> PersistentVolumeClaim {
    let wanted = inputs.instance.spec.backend.storage.pvc.size.as_deref().unwrap_or(SIZE);
    sized(inputs, backend, inputs.claim_request().unwrap_or(wanted))
}

/// The same claim with the size that the spec asks for, where that is more than it has.
#[must_use]
pub fn grown(inputs: &Inputs<'_>, backend: &Backend) -> Option<PersistentVolumeClaim> {
    let wanted = inputs.instance.spec.backend.storage.pvc.size.as_deref()?;
    let now = inputs.claim_request()?;
    (quantity::milli(wanted) > quantity::milli(now)).then(|| sized(inputs, backend, wanted))
}

/// The claim as an instance leaves it that goes: with who opened it meanwhile.
#[must_use]
pub fn left_behind(inputs: &Inputs<'_>, record: &Record) -> Option<PersistentVolumeClaim> {
    let opened = record.opened_by(&record.backend.store);
    let stamp = stamp_of(inputs, &record.backend, opened);
    (!opened.is_empty()).then(|| with_stamp(inputs, stamp, inputs.claim_request().unwrap_or(SIZE)))
}

fn sized(inputs: &Inputs<'_>, backend: &Backend, size: &str) -> PersistentVolumeClaim {
    with_stamp(inputs, stamp(inputs, backend), size)
}

fn with_stamp(
    inputs: &Inputs<'_>,
    stamp: BTreeMap<String, String>,
    size: &str,
) -> PersistentVolumeClaim {
    let mut metadata = labels::outliving(inputs.instance, Part::Backend, inputs.claim());
    metadata.annotations = Some(stamp);
    PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: access_modes(inputs),
            storage_class_name: storage_class(inputs),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), Quantity(size.to_owned()))])),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}

/// What a claim that is taken over looks like was decided by whoever made it. It is wanted as it is: an
/// earlier instance may have applied the same fields, and what is no longer applied would be removed.
fn taken_over<'a>(inputs: &'a Inputs<'_>) -> Option<&'a PersistentVolumeClaimSpec> {
    inputs.found_claim?.spec.as_ref()
}

fn is_taken_over(inputs: &Inputs<'_>) -> bool {
    inputs.instance.spec.backend.storage.pvc.existing_claim.is_some()
}

fn access_modes(inputs: &Inputs<'_>) -> Option<Vec<String>> {
    if is_taken_over(inputs) {
        return taken_over(inputs)?.access_modes.clone();
    }
    Some(vec!["ReadWriteOnce".to_owned()])
}

fn storage_class(inputs: &Inputs<'_>) -> Option<String> {
    if is_taken_over(inputs) {
        return taken_over(inputs)?.storage_class_name.clone();
    }
    inputs.instance.spec.backend.storage.pvc.storage_class_name.clone()
}

/// The stamp of a store: from when it was made or taken over. Who opens it later is in the record beside it
/// ([`super::gate`]), and on the volume itself. A store is sealed from its birth while it is the only one there ever was.
fn stamp(inputs: &Inputs<'_>, backend: &Backend) -> BTreeMap<String, String> {
    if let Some(kept) = kept(inputs, backend) {
        return kept;
    }
    let mut opened = opened_by(inputs.claim_meta());
    if opened.last() != Some(&backend.release.version) {
        opened.push(backend.release.version.clone());
    }
    stamp_of(inputs, backend, &opened)
}

fn stamp_of(inputs: &Inputs<'_>, backend: &Backend, opened: &[String]) -> BTreeMap<String, String> {
    let release = &backend.release;
    let forgotten = opened.len().saturating_sub(REMEMBERED);
    BTreeMap::from([
        (labels::VERSION.to_owned(), release.version.clone()),
        (labels::IMAGE.to_owned(), release.image.clone()),
        (labels::ENGINE.to_owned(), release.engine.clone()),
        (labels::INSTANCE_NAME.to_owned(), inputs.keys.name.to_string()),
        (labels::STORE.to_owned(), String::from(backend.store.clone())),
        (labels::OPENED_BY.to_owned(), opened[forgotten..].join(",")),
        (labels::SEALED.to_owned(), "true".to_owned()),
    ])
}

/// What a claim that is ours already remembers: who opened it up to when the record took over.
fn kept(inputs: &Inputs<'_>, backend: &Backend) -> Option<BTreeMap<String, String>> {
    let meta = inputs.claim_meta()?;
    if labels::belongs(inputs.instance, meta) != labels::Belongs::Ours {
        return None;
    }
    let annotations = meta.annotations.as_ref()?;
    let mut stamp = stamp_of(inputs, backend, &opened_by(Some(meta)));
    for key in [labels::VERSION, labels::IMAGE, labels::ENGINE, labels::OPENED_BY] {
        stamp.insert(key.to_owned(), annotations.get(key)?.clone());
    }
    Some(stamp)
}

/// Every version that was about to open the store, oldest first.
#[must_use]
pub fn opened_by(found: Option<&ObjectMeta>) -> Vec<String> {
    let annotation = found.and_then(|it| it.annotations.as_ref()?.get(labels::OPENED_BY));
    annotation.map(|it| it.split(',').map(str::to_owned).collect()).unwrap_or_default()
}
