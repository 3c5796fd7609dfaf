//! What may be found of keys.

use chrono::Utc;
use statemachine::pins::Store;

use crate::{
    api::ConvexInstance,
    convex::{AdminKey, InstanceName, InstanceSecret, NotMinted},
    observe::Obstacle,
    plan::deployment,
};

/// The keys of an instance, as they are or as they are about to be made.
#[derive(Clone, Debug)]
pub struct Keys {
    /// `INSTANCE_NAME` of the store that the instance was born with.
    pub name: InstanceName,
    /// `INSTANCE_NAME` of the store that the data is in, or is meant for.
    pub deployment: InstanceName,
    /// Whether an operator has made the Secret that they are in, for this instance or for an earlier one of its name.
    pub of_the_operator: bool,
    /// `INSTANCE_SECRET`.
    pub secret: InstanceSecret,
    /// Where the pod takes the secret from.
    pub source: Source,
    /// Where the secret was found.
    pub found: KeysFound,
    /// The admin key of the deployment.
    pub admin: AdminKey,
    /// How much of the Secret for applications is there.
    pub admin_found: AdminFound,
}

impl Keys {
    /// Whether the instance secret is kept where the pod takes it from.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(self.found, KeysFound::Ours | KeysFound::Named)
    }

    /// An admin key that a backend takes which has this store open. While one store is left for another, that need not be the
    /// one that the data is meant for.
    ///
    /// # Errors
    /// It cannot be minted.
    pub fn of_store(
        &self,
        instance: &ConvexInstance,
        store: &Store,
    ) -> Result<AdminKey, NotMinted> {
        let name = deployment::name(instance, &self.name, store);
        if name == self.deployment {
            return Ok(self.admin.clone());
        }
        let now = u64::try_from(Utc::now().timestamp()).unwrap_or(1);
        AdminKey::mint(&name, &self.secret, now)
    }
}

/// How much of the Secret for applications was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminFound {
    /// Nothing: it is made.
    Nowhere,
    /// The URL is not that of the backend, or the key is missing: it is completed.
    InPart,
    /// A key to another deployment of this instance, which it has left or will come back to: it is minted for the one in use.
    Renamed,
    /// All that there has to be. A key that is spoilt counts: it is told, and not written over.
    Whole,
}

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name of the Secret.
    pub secret: String,
    /// The key in it.
    pub key: String,
}

/// Where the instance secret was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysFound {
    /// Nowhere: it is new.
    Nowhere,
    /// In our own Secret.
    Ours,
    /// In the Secret that an earlier instance of this name left behind.
    Retained,
    /// In the Secret that the spec names.
    Named,
}

/// Whether there is data that keys were made for: then new ones are not invented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// None that anybody was let in to.
    New,
    /// Data of this instance.
    Own,
    /// Data that comes with a claim of an earlier instance.
    Inherited {
        /// The claim.
        claim: String,
        /// The Secret that the earlier instance had.
        secret: Option<String>,
    },
}

/// What was found of the keys.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The keys; none where they cannot be had.
    pub keys: Option<Keys>,
    /// What is wrong with them.
    pub obstacle: Option<Obstacle>,
    /// Whether there are keys that do not fit the data: what runs keeps running with those that it has, and
    /// nothing is rolled.
    pub unfit: bool,
    /// Our own Secrets that exist, for a deletion.
    pub stored: Vec<String>,
}
