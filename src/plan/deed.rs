//! What the Secret with the keys says of data on a server: which database holds it, and who has opened it.
//!
//! A volume carries that on its claim, which outlives status, record and instance. Of a database there is nothing in Kubernetes but
//! the Secret whose keys belong to it: it is stamped like a claim, before a version is let at the database, and stays with the data.
//! A Secret that somebody else keeps is never written, and says nothing.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use statemachine::pins::{Backend, Release, Store};

use super::{
    Inputs, claim,
    labels::{self, Belongs},
};
use crate::{api::ConvexInstance, convex::InstanceName};

/// What is stamped on a Secret of ours about data on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Whether this very instance has written it, and not an earlier one of its name.
    pub own: bool,
    /// The store that users were let in to last, as whoever wrote it called it.
    pub store: Store,
    /// The deployment of that store.
    pub deployment: InstanceName,
    /// What was about to open it last.
    pub release: Release,
    /// Everything that was about to open it, oldest first.
    pub opened: Vec<String>,
    /// Whether the instance that has written it was deleted before it had let anybody in.
    pub never_served: bool,
}

impl Deed {
    /// What a Secret says; none where it is not ours, or says nothing.
    #[must_use]
    pub fn of(instance: &ConvexInstance, secret: &Secret) -> Option<Self> {
        let ours = labels::belongs(instance, &secret.metadata) != Belongs::Foreign;
        if !ours || !instance.spec.backend.db.is_server() {
            return None;
        }
        let mark = |key: &str| secret.annotations().get(key).cloned();
        let writer = mark(labels::STAMPED_FOR)?;
        Some(Self {
            own: writer == instance.uid().unwrap_or_default(),
            store: Store::try_from(mark(labels::STORE)?).ok()?,
            deployment: InstanceName::parse(mark(labels::INSTANCE_NAME)?).ok()?,
            release: Release {
                version: mark(labels::VERSION)?,
                image: mark(labels::IMAGE)?,
                engine: mark(labels::ENGINE)?,
            },
            opened: claim::opened_by(Some(&secret.metadata)),
            never_served: mark(labels::NEVER_SERVED) == Some(writer),
        })
    }

    /// Whether an earlier instance has left it that let users in, as far as anybody knows.
    #[must_use]
    pub const fn is_inherited(&self) -> bool {
        !self.own && !self.never_served
    }

    /// The store that it is about. What an earlier instance has left is the one that its successor is born with.
    #[must_use]
    pub fn about(&self) -> Store {
        if self.own { self.store.clone() } else { Store::Original }
    }

    /// What the data belongs to.
    #[must_use]
    pub fn backend(&self) -> Backend {
        Backend { release: self.release.clone(), store: self.about() }
    }
}

/// The stamp of a store that these have opened, as annotations.
#[must_use]
pub fn stamp(
    inputs: &Inputs<'_>,
    backend: &Backend,
    opened: &[String],
) -> BTreeMap<String, String> {
    let mut stamp = claim::marks(inputs, backend, opened);
    let uid = inputs.instance.uid().unwrap_or_default();
    stamp.insert(labels::STAMPED_FOR.to_owned(), uid);
    stamp
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{UID, instance, instance_with, secret};

    fn served() -> ConvexInstance {
        instance_with(|spec| {
            spec["backend"]["db"] =
                json!({"engine": "postgres", "secretRef": "pg", "urlKey": "uri"});
        })
    }

    fn stamped(by: &str) -> Secret {
        let mut secret = secret("dev-instance", &[("INSTANCE_SECRET", "x")]);
        let marks = [
            (labels::STAMPED_FOR, by),
            (labels::STORE, "Made/7"),
            (labels::INSTANCE_NAME, "dev-7-1234abcd"),
            (labels::VERSION, "v2"),
            (labels::IMAGE, "example.com/backend:v2"),
            (labels::ENGINE, "postgres"),
            (labels::OPENED_BY, "v1,v2"),
        ];
        let marks = marks.map(|(key, value)| (key.to_owned(), value.to_owned()));
        secret.metadata.annotations = Some(marks.into());
        secret
    }

    #[test]
    fn what_an_earlier_instance_has_left_is_the_store_that_its_successor_is_born_with() {
        let own = Deed::of(&served(), &stamped(UID)).unwrap();
        assert_eq!((own.own, String::from(own.about())), (true, "Made/7".to_owned()));
        let left = Deed::of(&served(), &stamped("another")).unwrap();
        assert_eq!((left.own, left.about()), (false, Store::Original));
        assert_eq!(left.backend().release.version, "v2");
        assert_eq!((left.deployment.as_str(), left.opened.len()), ("dev-7-1234abcd", 2));
    }

    #[test]
    fn a_secret_of_somebody_else_and_one_about_a_volume_say_nothing() {
        let mut foreign = stamped(UID);
        foreign.metadata.labels = None;
        assert_eq!(Deed::of(&served(), &foreign), None);
        assert_eq!(Deed::of(&instance(), &stamped(UID)), None);
        let mut bare = stamped(UID);
        bare.metadata.annotations = None;
        assert_eq!(Deed::of(&served(), &bare), None);
    }
}
