//! What a claim says of the data on it: which store it is, who opened it, and what it was made for.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::PersistentVolumeClaim, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use statemachine::pins::{Backend, Store};

use crate::plan::{Inputs, labels};

/// How many versions a store remembers; the oldest are forgotten first.
const REMEMBERED: usize = 32;

/// The stamp of a store: from when it was made or taken over. Who opens it later is in the record beside it
/// ([`super::gate`]), and on the volume itself.
pub(super) fn stamp(inputs: &Inputs<'_>, backend: &Backend) -> BTreeMap<String, String> {
    let found = inputs.found(&backend.store);
    let ours =
        found.filter(|it| labels::belongs(inputs.instance, &it.metadata) == labels::Belongs::Ours);
    if let Some(kept) = ours.and_then(|it| kept(inputs, backend, it)) {
        return kept;
    }
    let opened = with(opened_by(found.map(|it| &it.metadata)), backend);
    let first = (backend.store == Store::Original).then(|| "true".to_owned());
    stamp_of(inputs, backend, &opened, first)
}

/// Who has opened a store once this backend has.
pub(in crate::plan) fn with(mut opened: Vec<String>, backend: &Backend) -> Vec<String> {
    let last = backend.release.opener();
    if opened.last() != Some(&last) {
        opened.push(last);
    }
    opened
}

/// What is said of a store wherever it is: which one it is, and who was about to open it.
pub(in crate::plan) fn marks(
    inputs: &Inputs<'_>,
    backend: &Backend,
    opened: &[String],
) -> BTreeMap<String, String> {
    let release = &backend.release;
    let forgotten = opened.len().saturating_sub(REMEMBERED);
    BTreeMap::from([
        (labels::VERSION.to_owned(), release.version.clone()),
        (labels::IMAGE.to_owned(), release.image.clone()),
        (labels::ENGINE.to_owned(), release.engine.clone()),
        (labels::INSTANCE_NAME.to_owned(), inputs.deployment(&backend.store).to_string()),
        (labels::STORE.to_owned(), String::from(backend.store.clone())),
        (labels::OPENED_BY.to_owned(), opened[forgotten..].join(",")),
    ])
}

pub(super) fn stamp_of(
    inputs: &Inputs<'_>,
    backend: &Backend,
    opened: &[String],
    sealed: Option<String>,
) -> BTreeMap<String, String> {
    let mut stamp = marks(inputs, backend, opened);
    stamp.extend(sealed.map(|it| (labels::SEALED.to_owned(), it)));
    // What a claim was made for it stays, whoever takes it over.
    let copy = inputs.found(&backend.store).and_then(|it| mark(it, labels::COPY));
    stamp.extend(copy.map(|it| (labels::COPY.to_owned(), it)));
    stamp
}

/// What a claim that is ours already remembers: who opened it up to when the record took over.
pub(super) fn kept(
    inputs: &Inputs<'_>,
    backend: &Backend,
    claim: &PersistentVolumeClaim,
) -> Option<BTreeMap<String, String>> {
    let first = (backend.store == Store::Original).then(|| "true".to_owned());
    let sealed = mark(claim, labels::SEALED).or(first);
    let mut stamp = stamp_of(inputs, backend, &opened_by(Some(&claim.metadata)), sealed);
    for key in [labels::VERSION, labels::IMAGE, labels::ENGINE, labels::OPENED_BY] {
        stamp.insert(key.to_owned(), mark(claim, key)?);
    }
    Some(stamp)
}

pub(super) fn mark(claim: &PersistentVolumeClaim, key: &str) -> Option<String> {
    claim.metadata.annotations.as_ref()?.get(key).cloned()
}

/// Whether the claim was made for a cold copy.
#[must_use]
pub fn is_copy(claim: &PersistentVolumeClaim) -> bool {
    mark(claim, labels::COPY).is_some()
}

/// Everything that was about to open the store, oldest first: see [`statemachine::Release::opener`].
#[must_use]
pub fn opened_by(found: Option<&ObjectMeta>) -> Vec<String> {
    let annotation = found.and_then(|it| it.annotations.as_ref()?.get(labels::OPENED_BY));
    annotation.map(|it| it.split(',').map(str::to_owned).collect()).unwrap_or_default()
}
