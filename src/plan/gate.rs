//! The one record that says which backend may open which store. Nobody but the machine writes it, and no
//! backend starts past it: not one whose template was edited or undone by hand, nor one that a stale operator
//! has made.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, ConfigMapKeySelector, EnvVar, EnvVarSource};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};
use statemachine::pins::{Backend, Release, Store};

use super::{
    labels::{self, Part},
    names::Names,
};
use crate::{api::ConvexInstance, observe::is_server};

/// The key of the record in its `ConfigMap`.
pub const RECORD: &str = "record";
/// How many versions a store remembers; the oldest are forgotten first.
const REMEMBERED: usize = 32;

/// Which backend may open which store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The backend that the gate was last set to.
    pub backend: Backend,
    /// Whether it may start now.
    pub open: bool,
    /// Which attempt may move data now: the upgrade and its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<String>,
    /// Every version that was about to open a store, by store, oldest first.
    #[serde(default)]
    pub opened: BTreeMap<String, Vec<String>>,
    /// The release that was last let into each store.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub releases: BTreeMap<String, Release>,
    /// The newest store on a server that users were let in to, where that is not the one that the instance was born with. A store
    /// on a volume is sealed on its claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Store>,
}

impl Record {
    /// The record in a `ConfigMap`; none where there is none or it cannot be read, which means closed.
    #[must_use]
    pub fn of(config: &ConfigMap) -> Option<Self> {
        serde_json::from_str(config.data.as_ref()?.get(RECORD)?).ok()
    }

    /// The record that lets this backend in, or shuts it out, by what was known of stores before.
    #[must_use]
    pub fn next(before: Option<&Self>, backend: &Backend, open: bool) -> Self {
        Self::knowing(&[], before, backend, open)
    }

    /// The same; of a store that is new to the record, its claim may know who opened it.
    #[must_use]
    pub fn knowing(known: &[String], before: Option<&Self>, backend: &Backend, open: bool) -> Self {
        let mut opened = before.map(|it| it.opened.clone()).unwrap_or_default();
        let mut releases = before.map(|it| it.releases.clone()).unwrap_or_default();
        if open {
            releases.insert(String::from(backend.store.clone()), backend.release.clone());
            let of =
                opened.entry(String::from(backend.store.clone())).or_insert_with(|| known.to_vec());
            let last = backend.release.opener();
            if of.last() != Some(&last) {
                of.push(last);
            }
            let forgotten = of.len().saturating_sub(REMEMBERED);
            of.drain(..forgotten);
        }
        let served = before.and_then(|it| it.served.clone());
        Self { backend: backend.clone(), open, permit: None, opened, releases, served }
    }

    /// The same record, once users are let in to this store.
    #[must_use]
    pub fn serving(self, store: Option<&Store>) -> Self {
        Self { served: store.cloned().or(self.served), ..self }
    }

    /// The store that the data is in, where no claim tells and the status is lost: one on a server that was made and that nobody
    /// was let in to need not hold it.
    #[must_use]
    pub fn home(&self) -> Store {
        if is_server(&self.backend.release) {
            return self.served.clone().unwrap_or_default();
        }
        self.backend.store.clone()
    }

    /// The same record, with what this attempt may do.
    #[must_use]
    pub fn permitting(self, attempt: Option<String>) -> Self {
        Self { permit: attempt, ..self }
    }

    /// The backend that last served from this store, as far as it is remembered.
    #[must_use]
    pub fn at(&self, store: &Store) -> Option<Backend> {
        if self.backend.store == *store {
            return Some(self.backend.clone());
        }
        let release = self.releases.get(&String::from(store.clone()))?.clone();
        Some(Backend { release, store: store.clone() })
    }

    /// Every store that anything was ever let into.
    pub fn stores(&self) -> impl Iterator<Item = Store> {
        self.releases.keys().filter_map(|it| Store::try_from(it.clone()).ok())
    }

    /// Everything that was about to open this store, oldest first: see [`Release::opener`].
    #[must_use]
    pub fn opened_by(&self, store: &Store) -> &[String] {
        self.opened.get(&String::from(store.clone())).map_or(&[], Vec::as_slice)
    }
}

/// What opened a store last, where that was not this one, and this one, or its version, has opened it before: such a store may
/// have been migrated since.
#[must_use]
pub fn left_behind<'a>(opened: &'a [String], wanted: &str) -> Option<&'a str> {
    let last = opened.last().filter(|last| *last != wanted)?;
    let moved_on = version_of(last) != version_of(wanted);
    let is_it = |it: &&String| *it == wanted || moved_on && version_of(it) == version_of(wanted);
    opened.iter().any(|it| is_it(&it)).then_some(last.as_str())
}

/// The version of what a store remembers: see [`Release::opener`].
#[must_use]
pub fn version_of(opener: &str) -> &str {
    opener.split_once(' ').map_or(opener, |(version, _)| version)
}

/// The variable by which a container reads the record as it is when it starts. Without a record whoever reads it says
/// itself that it is closed, or has no permit.
#[must_use]
pub fn variable(names: &Names) -> EnvVar {
    let record =
        ConfigMapKeySelector { name: names.gate(), key: RECORD.to_owned(), optional: Some(true) };
    EnvVar {
        name: "RECORD".to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            config_map_key_ref: Some(record),
            ..EnvVarSource::default()
        }),
    }
}

/// The `ConfigMap` that holds the record, under a fence.
#[must_use]
pub fn config_map(instance: &ConvexInstance, record: &Record, fence: &str) -> ConfigMap {
    let name = Names::of(&instance.name_any()).gate();
    let mut metadata = labels::owned(instance, Part::Backend, name);
    metadata.annotations = Some([(labels::FENCE.to_owned(), fence.to_owned())].into());
    let text = serde_json::to_string(record).unwrap_or_default();
    ConfigMap { metadata, data: Some([(RECORD.to_owned(), text)].into()), ..ConfigMap::default() }
}

#[cfg(test)]
mod tests {
    use statemachine::worlds::born;

    use super::*;

    fn of_version(version: &str) -> Backend {
        let mut backend = born();
        backend.release.version = version.to_owned();
        backend.release.image = format!("example.com/backend:{version}");
        backend
    }

    #[test]
    fn a_release_is_remembered_by_its_version_and_by_an_image_that_is_not_that_of_the_version() {
        let mut release = of_version("v1").release;
        assert_eq!(release.opener(), "v1");
        release.image = "example.com/backend:v1-patched".to_owned();
        assert_eq!(release.opener(), "v1 backend:v1-patched");
        assert_eq!((version_of(&release.opener()), version_of("v1")), ("v1", "v1"));
    }

    #[test]
    fn a_store_remembers_who_was_let_in_and_not_who_was_shut_out() {
        let first = Record::next(None, &of_version("v1"), true);
        let shut = Record::next(Some(&first), &of_version("v1"), false);
        let second = Record::next(Some(&shut), &of_version("v2"), true);
        let again = Record::next(Some(&second), &of_version("v2"), true);
        assert_eq!(again.opened_by(&born().store), ["v1", "v2"]);
        assert_eq!(Record::next(None, &of_version("v1"), false).opened_by(&born().store), [""; 0]);
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let record = (0..40).fold(None, |before: Option<Record>, number| {
            Some(Record::next(before.as_ref(), &of_version(&format!("v{number}")), true))
        });
        let record = record.unwrap();
        let opened = record.opened_by(&born().store);
        assert_eq!((opened.len(), opened.last().unwrap().as_str()), (32, "v39"));
    }

    #[test]
    fn what_cannot_be_read_is_no_record() {
        let with = |text: &str| ConfigMap {
            data: Some(BTreeMap::from([(RECORD.to_owned(), text.to_owned())])),
            ..ConfigMap::default()
        };
        let record = Record::next(None, &born(), true).permitting(Some("7-1".to_owned()));
        assert_eq!(Record::of(&with(&serde_json::to_string(&record).unwrap())), Some(record));
        assert_eq!(Record::of(&with("{")), None);
        assert_eq!(Record::of(&ConfigMap::default()), None);
    }
}
