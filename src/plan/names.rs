//! What children are called. The only place that knows a child's name.

use sha2::{Digest, Sha256};
use statemachine::pins::{Snapshot, Store};

use super::{host::Purpose, labels::Part};

/// The longest name that an instance may have; the CRD refuses longer ones.
pub const INSTANCE_NAME_MAX: usize = 52;
/// A Service is a DNS label.
const DNS_LABEL: usize = 63;
/// A `StatefulSet` puts its own name, a dash and a hash of ten characters into a label of its pods.
const STATEFUL_SET: usize = DNS_LABEL - 11;
const DIGEST: usize = 8;

const _: () = assert!(INSTANCE_NAME_MAX + "-dashboard".len() <= DNS_LABEL);

/// What a Job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errand {
    /// Shows that an image can be pulled and started.
    Proof,
    /// Carries data out of a backend.
    Export,
    /// Copies one claim onto another.
    Copy,
    /// Carries data into a backend.
    Import,
}

impl Errand {
    /// Every errand.
    pub const ALL: [Self; 4] = [Self::Proof, Self::Export, Self::Copy, Self::Import];

    /// The word itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Export => "export",
            Self::Copy => "copy",
            Self::Import => "import",
        }
    }
}

/// The name of an attempt, as Jobs, workers, snapshots and the record's permit call it.
#[must_use]
pub fn attempt(of: &Snapshot) -> String {
    format!("{}-{}", of.of.0, of.attempt)
}

/// The names of the children of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    instance: String,
}

impl Names {
    /// The names of the children of the instance of this name.
    #[must_use]
    pub fn of(instance: &str) -> Self {
        Self { instance: instance.to_owned() }
    }

    /// The Secret with name and secret of the instance.
    #[must_use]
    pub fn instance_secret(&self) -> String {
        self.child("-instance", DNS_LABEL)
    }

    /// The Secret that applications take URL and admin key from.
    #[must_use]
    pub fn admin_secret(&self) -> String {
        self.child("-admin", DNS_LABEL)
    }

    /// The Secret with what the backend reads of its database server.
    #[must_use]
    pub fn database_secret(&self) -> String {
        self.child("-database", DNS_LABEL)
    }

    /// The Secret with what the backend reads of its object storage.
    #[must_use]
    pub fn storage_secret(&self) -> String {
        self.child("-s3", DNS_LABEL)
    }

    /// The `ConfigMap` with the one record of which backend may open which store.
    #[must_use]
    pub fn gate(&self) -> String {
        self.child("-gate", DNS_LABEL)
    }

    /// The claim that holds the data, unless the spec names another.
    #[must_use]
    pub fn claim(&self) -> String {
        self.child("-data", DNS_LABEL)
    }

    /// The claim of a store that is not the original one.
    #[must_use]
    pub fn store(&self, store: &Store) -> String {
        match store {
            Store::Original => self.claim(),
            Store::Made(id) => self.child(&format!("-data-{}", id.0), DNS_LABEL),
            Store::Copied(of) => self.child(&format!("-copy-{}", attempt(of)), DNS_LABEL),
        }
    }

    /// The deployment of a store that was made on a server for the upgrade of this id, and of this instance alone.
    #[must_use]
    pub fn deployment(&self, uid: &str, id: &str) -> String {
        let digest = hex::encode(Sha256::digest(format!("{uid}/{id}")));
        self.child(&format!("-{id}-{}", &digest[..DIGEST]), DNS_LABEL)
    }

    /// The claim that exports are kept on.
    #[must_use]
    pub fn snapshots(&self) -> String {
        self.child("-snapshots", DNS_LABEL)
    }

    /// The route of a host.
    #[must_use]
    pub fn route(&self, purpose: Purpose) -> String {
        self.child(&format!("-{}", purpose.word()), DNS_LABEL)
    }

    /// The route that leads from plain HTTP to HTTPS.
    #[must_use]
    pub fn redirect(&self) -> String {
        self.child("-redirect", DNS_LABEL)
    }

    /// A Gateway or an Ingress of its own.
    #[must_use]
    pub fn way_in(&self) -> String {
        self.child("-public", DNS_LABEL)
    }

    /// The Job of one attempt; from the second one on with its number among those of the attempt.
    #[must_use]
    pub fn job(&self, errand: Errand, of: &Snapshot, number: u32) -> String {
        let again = if number > 1 { format!("-{number}") } else { String::new() };
        self.child(&format!("-{}-{}{again}", errand.name(), attempt(of)), DNS_LABEL)
    }

    /// The Service of the backend.
    #[must_use]
    pub fn backend_service(&self) -> String {
        self.child("-backend", DNS_LABEL)
    }

    /// The `StatefulSet` of the backend.
    #[must_use]
    pub fn backend(&self) -> String {
        self.child("-backend", STATEFUL_SET)
    }

    /// The one pod that the `StatefulSet` makes.
    #[must_use]
    pub fn backend_pod(&self) -> String {
        format!("{}-0", self.backend())
    }

    /// The Deployment and the Service of the dashboard.
    #[must_use]
    pub fn dashboard(&self) -> String {
        self.child("-dashboard", DNS_LABEL)
    }

    /// The service account, the network policy and the disruption budget of a part.
    #[must_use]
    pub fn of_part(&self, part: Part) -> String {
        match part {
            Part::Backend => self.child("-backend", DNS_LABEL),
            Part::Dashboard => self.dashboard(),
            Part::Worker => self.child("-worker", DNS_LABEL),
        }
    }

    /// Instance and suffix; where that is too long, the instance is cut and told apart by a digest.
    fn child(&self, suffix: &str, limit: usize) -> String {
        if self.instance.len() + suffix.len() <= limit {
            return format!("{}{suffix}", self.instance);
        }
        let digest = hex::encode(Sha256::digest(&self.instance));
        let kept = limit - suffix.len() - 1 - DIGEST;
        let head = self.instance.get(..kept).unwrap_or(&self.instance).trim_end_matches('-');
        format!("{head}-{}{suffix}", &digest[..DIGEST])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_kept_as_it_is() {
        let names = Names::of("orders");
        assert_eq!(names.backend(), "orders-backend");
        assert_eq!(names.claim(), "orders-data");
        assert_eq!(names.instance_secret(), "orders-instance");
    }

    #[test]
    fn the_longest_name_leaves_room_for_the_revision_label_of_the_pods() {
        let names = Names::of(&"a".repeat(INSTANCE_NAME_MAX));
        assert_eq!(names.backend().len(), STATEFUL_SET);
        assert!(names.dashboard().len() <= DNS_LABEL);
    }

    #[test]
    fn cut_names_of_different_instances_differ() {
        let long = "a".repeat(51);
        assert_ne!(
            Names::of(&format!("{long}b")).backend(),
            Names::of(&format!("{long}c")).backend()
        );
    }
}
