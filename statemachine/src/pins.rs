//! What `status` remembers because it cannot be observed again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod store;
mod strategy;
mod upgrade;
mod wire;

pub use self::{
    store::{Backend, Release, Revision, Snapshot, Store},
    strategy::{Destination, Strategy, WayBack},
    upgrade::{Direction, Upgrade},
    wire::{UnknownWord, Unreadable},
};

/// A release that was tried and rolled back by policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// What is not tried again by itself.
    pub release: Release,
    /// The retry token that has been used up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub retry: String,
}

/// Everything that is persisted besides the phase.
///
/// What cannot be read (a newer operator wrote it) does not fail the whole object: it is kept as it
/// was written, [`step`](crate::step) touches nothing, and writing it back changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[schemars(description = "What the operator remembers because it cannot be observed again.")]
pub struct Pins {
    /// The revision that the last edge consumed; nothing that carries a newer one is written, and traffic is
    /// held or let flow under this one alone.
    #[serde(default, skip_serializing_if = "Revision::is_none")]
    pub fence: Revision,
    /// The revision consumed by the last edge that changed what is wanted of the backend: gate, stores and
    /// `StatefulSet` carry it or a newer one. See [`Pins::backend_fence`].
    #[serde(default, skip_serializing_if = "Revision::is_none")]
    pub moved: Revision,
    /// The backend that the data belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Backend>,
    /// Whether home has ever been let serve: from then on its data and its secret are irreplaceable.
    #[serde(default)]
    pub served: bool,
    /// The upgrade that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
    /// The release that the last automatic rollback turned away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The name of the snapshot that a deletion takes last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub farewell: Option<Snapshot>,
    /// The last snapshot of a deletion is verified, given up, or not asked for: children may go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parted: bool,
    /// What was found in place of pins and could not be read, word for word.
    #[serde(skip)]
    pub unreadable: Option<Unreadable>,
}

impl Pins {
    /// The fence that gate, stores and `StatefulSet` have to carry at least. An edge after which the same is wanted
    /// of the backend leaves it as it is: a pass of the phase that was left does no harm there.
    #[must_use]
    pub fn backend_fence(&self) -> &Revision {
        if self.moved.is_none() { &self.fence } else { &self.moved }
    }

    /// The stores whose absence is a loss now: where the data is, where the way back is once the
    /// data's own store has been given up, and what an import is filling. Without a home it is that
    /// of what was [found](crate::Observed::found). The shell looks for all of them when it reports
    /// [`Vital::Store`](crate::Vital); whether a loss counts, the machine decides.
    #[must_use]
    pub fn vital_stores(&self, found: Option<&Backend>) -> Vec<Store> {
        match &self.upgrade {
            Some(upgrade) => upgrade.vital_stores(),
            None => {
                self.home.as_ref().or(found).map(|home| home.store.clone()).into_iter().collect()
            }
        }
    }
}
