//! One upgrade as it is pinned, and what follows from its pins alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    observed::Kind,
    phase::Stage,
    pins::{Backend, Release, Revision, Snapshot, Store, Strategy},
};

/// Which way an upgrade is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Towards the target.
    Forward,
    /// Back to where it came from.
    Rollback,
}

/// One upgrade, from its first write to its last.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// Names the upgrade and everything that is made for it.
    pub id: Revision,
    /// The backend that the data belonged to.
    pub from: Backend,
    /// The backend that the data is meant for.
    pub to: Backend,
    /// How the data moves.
    pub strategy: Strategy,
    /// How far it has come; where Degraded goes back to.
    pub stage: Stage,
    /// Which way it is going.
    pub direction: Direction,
    /// Which try this is, from 1; part of the name of every job.
    #[schemars(range(max = 1_000_000))]
    pub attempt: u32,
    /// The export that was verified while everybody was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// The cold copy that was verified while the backend was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<Snapshot>,
    /// The target may have opened the store of from: there is no way back without a copy.
    pub target_started: bool,
    /// The retry token that has been used up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub retry: String,
}

impl Upgrade {
    /// The name of everything that this attempt makes.
    #[must_use]
    pub fn next_snapshot(&self) -> Snapshot {
        Snapshot { of: self.id.clone(), attempt: self.attempt }
    }

    /// The backend that the upgrade is going towards now.
    #[must_use]
    pub fn aim(&self) -> Backend {
        match self.direction {
            Direction::Forward => self.to.clone(),
            Direction::Rollback if self.overwritten() => {
                Backend { release: self.from.release.clone(), store: self.refuge() }
            }
            Direction::Rollback => self.from.clone(),
        }
    }

    /// Whether this is what the upgrade came from, out of whatever image: what `to` may have migrated must not be given to it.
    /// Where nothing but the image changes, images tell the two apart.
    #[must_use]
    pub fn came_from(&self, release: &Release) -> bool {
        let (from, to) = (&self.from.release, &self.to.release);
        release.opens_as(from) || !to.is_version_of(from) && release.is_version_of(from)
    }

    /// Whether reaching the aim takes an import.
    #[must_use]
    pub fn imports(&self) -> bool {
        match self.direction {
            Direction::Forward => self.strategy.imports(),
            Direction::Rollback => self.overwritten() && self.copy.is_none(),
        }
    }

    /// The job that the stage is about. What is pinned decides, never what is seen: passes of one
    /// fence cannot be told apart, so the export is pinned before the backend is stopped for a copy.
    #[must_use]
    pub fn job(&self) -> Option<(Kind, Snapshot)> {
        let kind = match self.stage {
            Stage::Exporting if self.strategy.exports() && self.snapshot.is_none() => Kind::Export,
            Stage::Exporting => Kind::Copy,
            Stage::Rolling => return None,
            Stage::Importing => Kind::Import,
        };
        Some((kind, self.next_snapshot()))
    }

    /// Whether the store of `from` may no longer be what `from` left.
    #[must_use]
    pub fn overwritten(&self) -> bool {
        self.target_started && self.to.store == self.from.store
    }

    /// Whether `from` can be restored.
    #[must_use]
    pub fn has_way_back(&self) -> bool {
        !self.overwritten() || self.copy.is_some() || self.snapshot.is_some()
    }

    /// The verified export that holds exactly the data of this upgrade. One that was made before
    /// users were let in again is no such thing.
    #[must_use]
    pub fn carried(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref().filter(|_| self.stage != Stage::Exporting)
    }

    /// Where a rollback goes when the store of `from` may have moved on.
    fn refuge(&self) -> Store {
        match &self.copy {
            Some(copy) => Store::Copied(copy.clone()),
            None => Store::Made(self.id.clone()),
        }
    }

    /// See [`Pins::vital_stores`](crate::Pins::vital_stores).
    pub(crate) fn vital_stores(&self) -> Vec<Store> {
        let given_up = self.direction == Direction::Rollback && self.overwritten();
        let held = (!given_up).then(|| self.from.store.clone());
        let copy = self.copy.clone().filter(|_| given_up).map(Store::Copied);
        let filled = (self.stage == Stage::Importing).then(|| self.aim().store);
        held.into_iter().chain(copy).chain(filled).collect()
    }
}
