//! The claim that holds the data, with its stamp: which versions were about to open it, and whether it
//! is the one that the instance's data is in.

mod stamp;

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};
use statemachine::pins::{Backend, Store};

pub use self::stamp::{is_copy, opened_by};
use self::stamp::{kept, mark, stamp, stamp_of};
pub(super) use self::stamp::{marks, with};
use super::{
    Inputs,
    gate::Record,
    labels::{self, Part},
    quantity,
};

/// The size of a volume that nobody asks a size of.
const SIZE: &str = "10Gi";

/// The claim of the backend's store, stamped with the version that is about to open it. One that is there keeps its size:
/// that is asked for by [`grown`], which may be refused without harm.
#[must_use]
pub fn stamped(inputs: &Inputs<'_>, backend: &Backend) -> PersistentVolumeClaim {
    with_stamp(inputs, backend, stamp(inputs, backend), &size(inputs, &backend.store))
}

/// The claim that a cold copy is to be made on: it was opened by whoever opened the original, and is marked as what it is, for
/// nothing may be opened before the copy is whole.
#[must_use]
pub fn copied(inputs: &Inputs<'_>, backend: &Backend, opened: &[String]) -> PersistentVolumeClaim {
    let stamp = copied_stamp(inputs, backend, opened);
    with_stamp(inputs, backend, stamp, &size(inputs, &backend.store))
}

/// The same claim as large as the others have become, where it has a volume already.
#[must_use]
pub fn copied_grown(
    inputs: &Inputs<'_>,
    backend: &Backend,
    opened: &[String],
) -> Option<PersistentVolumeClaim> {
    let bound = inputs.found(&backend.store).is_some_and(is_bound);
    let grows = bound && has_less(inputs, &backend.store);
    let stamp = || copied_stamp(inputs, backend, opened);
    grows.then(|| with_stamp(inputs, backend, stamp(), needed(inputs, &backend.store)))
}

fn copied_stamp(
    inputs: &Inputs<'_>,
    backend: &Backend,
    opened: &[String],
) -> BTreeMap<String, String> {
    let found = inputs.found(&backend.store);
    let mut stamp = match found.and_then(|it| kept(inputs, backend, it)) {
        Some(kept) => kept,
        None => stamp_of(inputs, backend, &with(opened.to_vec(), backend), None),
    };
    stamp.insert(labels::COPY.to_owned(), String::from(backend.store.clone()));
    stamp
}

/// The same claim with the size that the spec asks for, where that is more than it has.
#[must_use]
pub fn grown(inputs: &Inputs<'_>, backend: &Backend) -> Option<PersistentVolumeClaim> {
    let wanted = inputs.instance.spec.backend.storage.pvc.size.as_deref()?;
    let now = requested(inputs.found(&backend.store)?)?;
    let more = quantity::milli(wanted) > quantity::milli(now);
    more.then(|| with_stamp(inputs, backend, stamp(inputs, backend), wanted))
}

/// The same claim, marked as the one that holds the data from this edge on. The original one is from its birth, while it
/// is the only one there ever was.
#[must_use]
pub fn sealed(inputs: &Inputs<'_>, backend: &Backend) -> Option<PersistentVolumeClaim> {
    let mut stamp = stamp(inputs, backend);
    if stamp.contains_key(labels::SEALED) {
        return None;
    }
    stamp.insert(labels::SEALED.to_owned(), inputs.fence.to_owned());
    Some(with_stamp(inputs, backend, stamp, &size(inputs, &backend.store)))
}

/// The claim of a store as an instance leaves it that goes: with who opened it meanwhile, by which the next one knows what it
/// holds.
#[must_use]
pub fn left_behind(
    inputs: &Inputs<'_>,
    record: &Record,
    store: &Store,
) -> Option<PersistentVolumeClaim> {
    let (backend, opened) = (record.at(store)?, record.opened_by(store));
    let sealed = inputs.found(store).and_then(|it| mark(it, labels::SEALED));
    let stamp = stamp_of(inputs, &backend, opened, sealed);
    (!opened.is_empty()).then(|| with_stamp(inputs, &backend, stamp, &size(inputs, store)))
}

fn with_stamp(
    inputs: &Inputs<'_>,
    backend: &Backend,
    stamp: BTreeMap<String, String>,
    size: &str,
) -> PersistentVolumeClaim {
    let store = &backend.store;
    let mut metadata = labels::outliving(inputs.instance, Part::Backend, inputs.claim(store));
    metadata.annotations = Some(stamp);
    PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: access_modes(inputs, store),
            storage_class_name: storage_class(inputs, store),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), Quantity(size.to_owned()))])),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}

/// What a claim has; or else what a new one needs.
fn size(inputs: &Inputs<'_>, store: &Store) -> String {
    let now = inputs.found(store).and_then(requested);
    now.unwrap_or_else(|| needed(inputs, store)).to_owned()
}

/// What the spec asks for, and for a store besides no less than any other has: what is in one must fit into the other.
fn needed<'a>(inputs: &'a Inputs<'_>, store: &Store) -> &'a str {
    let wanted = inputs.instance.spec.backend.storage.pvc.size.as_deref().unwrap_or(SIZE);
    let others = inputs.claims.iter().filter(|(of, _)| of != store);
    let others = others.flat_map(|(_, claim)| [requested(claim), capacity(claim)]);
    let most = others.flatten().chain([wanted]).max_by_key(|it| quantity::milli(it));
    most.unwrap_or(wanted)
}

/// Whether a claim that was made for a copy was made before the others grew, and has no volume yet: no pod has ever had it, and
/// what is copied onto it moves its `resourceVersion`, so that whoever is late cannot remove it.
#[must_use]
pub fn is_outgrown(inputs: &Inputs<'_>, store: &Store) -> bool {
    !inputs.found(store).is_some_and(is_bound) && has_less(inputs, store)
}

pub(super) fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    phase(claim) == Some("Bound")
}

/// Whether what is on it can be had, and will be.
pub(crate) fn is_usable(claim: &PersistentVolumeClaim) -> bool {
    !is_going(claim) && phase(claim) != Some("Lost")
}

/// Whether somebody has deleted it: it is only there for as long as a pod keeps it.
pub(crate) const fn is_going(claim: &PersistentVolumeClaim) -> bool {
    claim.metadata.deletion_timestamp.is_some()
}

fn phase(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.status.as_ref()?.phase.as_deref()
}

fn has_less(inputs: &Inputs<'_>, store: &Store) -> bool {
    let now = inputs.found(store).and_then(requested).and_then(quantity::milli);
    now.is_some_and(|now| Some(now) < quantity::milli(needed(inputs, store)))
}

/// The size that a claim asks for.
pub(super) fn requested(claim: &PersistentVolumeClaim) -> Option<&str> {
    let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
    Some(requests.get("storage")?.0.as_str())
}

fn capacity(claim: &PersistentVolumeClaim) -> Option<&str> {
    Some(claim.status.as_ref()?.capacity.as_ref()?.get("storage")?.0.as_str())
}

/// What a claim that is taken over looks like was decided by whoever made it. It is wanted as it is: an
/// earlier instance may have applied the same fields, and what is no longer applied would be removed.
fn taken_over<'a>(inputs: &'a Inputs<'_>) -> Option<&'a PersistentVolumeClaimSpec> {
    inputs.found(&Store::Original)?.spec.as_ref()
}

fn is_taken_over(inputs: &Inputs<'_>) -> bool {
    inputs.instance.spec.backend.storage.pvc.existing_claim.is_some()
}

fn access_modes(inputs: &Inputs<'_>, store: &Store) -> Option<Vec<String>> {
    if is_taken_over(inputs) && *store == Store::Original {
        return taken_over(inputs)?.access_modes.clone();
    }
    Some(vec!["ReadWriteOnce".to_owned()])
}

/// A claim that is there keeps its class; a store besides is of the class of the others, where the spec asks for none.
fn storage_class(inputs: &Inputs<'_>, store: &Store) -> Option<String> {
    let class = |claim: &PersistentVolumeClaim| claim.spec.as_ref()?.storage_class_name.clone();
    let asked = inputs.instance.spec.backend.storage.pvc.storage_class_name.clone();
    let found = inputs.found(store);
    match *store {
        Store::Original if is_taken_over(inputs) => found.and_then(class),
        Store::Original => asked,
        _ => {
            let others = || inputs.claims.iter().find_map(|(_, claim)| class(claim));
            found.and_then(class).or(asked).or_else(others)
        }
    }
}

#[cfg(test)]
mod tests;
