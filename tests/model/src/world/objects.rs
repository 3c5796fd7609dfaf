//! What belongs to an instance, and what is made for it.

use statemachine::observed::Kind;

use super::{Backend, Name, Revision, Version};

/// A claim or a database, with what only the ghosts know of it: which write it holds, and who opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    pub name: Name,
    pub owner: u8,
    pub stamp: Version,
    pub sealed: Revision,
    pub fence: Revision,
    pub content: u8,
    pub stamps: u8,
    pub opened: u8,
    pub last: Version,
    pub code: bool,
    pub whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatefulSet {
    pub backend: Backend,
    pub up: bool,
    pub fence: Revision,
    pub owner: u8,
}

/// The one record that a pod compares its own template with before it opens a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gate {
    pub open: Option<Backend>,
    pub fence: Revision,
    pub owner: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pod {
    pub backend: Backend,
    pub leaving: bool,
    pub started: bool,
    pub ready: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Running,
    Succeeded,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    pub kind: Kind,
    pub of: Name,
    pub source: Name,
    pub into: Backend,
    pub read: Option<u8>,
    pub torn: bool,
    pub outcome: Outcome,
}

/// A verified export; `lost` once somebody deleted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Export {
    pub of: Name,
    pub content: u8,
    pub lost: bool,
}

/// The pod of the target image that runs nothing and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proof {
    pub of: Name,
    pub version: Version,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Traffic {
    Flowing,
    Draining,
    Held,
}
