//! The cluster as the model sees it: small, comparable, and renumbered so that only order matters.

mod objects;

use statemachine::{Phase, Stage, observed::Kind};

pub use self::objects::{Export, Gate, Job, Outcome, Pod, Proof, StatefulSet, Store, Traffic};

/// A version of Convex.
pub type Version = u8;
/// A resourceVersion of the instance; 0 means none.
pub type Revision = u8;

/// What an attempt makes is named by it; a store is Original (of 0), Made (attempt 0) or Copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    pub of: Revision,
    pub attempt: u8,
}

/// The store that an instance is born with.
pub const ORIGINAL: Name = Name { of: 0, attempt: 0 };

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Backend {
    pub version: Version,
    pub store: Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Upgrade {
    pub id: Revision,
    pub from: Backend,
    pub to: Backend,
    pub strategy: u8,
    pub stage: Stage,
    pub back: bool,
    pub attempt: u8,
    pub snapshot: Option<Name>,
    pub copy: Option<Name>,
    pub started: bool,
    pub retry: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pins {
    pub home: Option<Backend>,
    pub served: bool,
    pub upgrade: Option<Upgrade>,
    pub refused: Option<(Version, u8)>,
    pub farewell: Option<Name>,
    pub parted: bool,
    pub moved: Revision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // each is a field of the spec
pub struct Wish {
    pub version: Version,
    pub strategy: u8,
    pub rollback: bool,
    pub retry: u8,
    pub farewell: bool,
    pub suspend: bool,
}

/// The `ConvexInstance` in etcd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    pub uid: u8,
    pub revision: Revision,
    pub wish: Wish,
    pub deleting: bool,
    pub finalizer: bool,
    pub phase: Phase,
    pub pins: Pins,
    pub fence: Revision,
    pub late: bool,
}

/// One request of the operator to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Phase, pins, and the fence that goes with them.
    Status(Phase, Pins, Revision),
    AddFinalizer,
    RemoveFinalizer,
    Secret,
    Make(Backend),
    Stamp(Backend),
    Gate(Option<Backend>),
    Raise(Name),
    Roll(Backend),
    Zero(Backend),
    Seal(Name),
    Hold(Option<Name>),
    Flow,
    Prove(Name, Version),
    Export(Name),
    Copy {
        attempt: Name,
        from: Name,
    },
    Import {
        snapshot: Name,
        attempt: Name,
        into: Backend,
    },
    StopJobs(Option<(Kind, Name)>),
    DeleteStatefulSet,
    DeleteStores,
}

/// One pass of an operator: the instance as it believes it to be, and what it still has to write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pass {
    pub instance: Instance,
    pub todo: Vec<Write>,
}

/// How often each kind of trouble may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    pub edits: u8,
    pub deletions: u8,
    pub suspends: u8,
    pub writes: u8,
    pub crashes: u8,
    pub conflicts: u8,
    pub lost_requests: u8,
    pub stale_reads: u8,
    pub second: u8,
    pub job_failures: u8,
    pub lates: u8,
    pub breaks: u8,
    pub absences: u8,
    pub monkeys: u8,
    pub amnesia: u8,
    pub losses: u8,
    pub expiries: u8,
    pub recreations: u8,
    pub nodes: u8,
    pub jams: u8,
    pub prunings: u8,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct World {
    pub instance: Option<Instance>,
    pub previous: Option<Instance>,
    pub uids: u8,
    pub gate: Gate,
    pub statefulset: Option<StatefulSet>,
    pub pods: Vec<Pod>,
    pub stores: Vec<Store>,
    pub lost_store: Option<Store>,
    pub secret: bool,
    pub secret_lost: bool,
    pub exports: Vec<Export>,
    pub jobs: Vec<Job>,
    pub proofs: Vec<Proof>,
    pub traffic: Traffic,
    pub traffic_fence: Revision,
    /// The attempt whose worker may commit, as the hold record names it.
    pub permit: Option<Name>,
    pub passes: [Option<Pass>; 2],
    /// How many writes of users were acknowledged.
    pub acknowledged: u8,
    /// Versions that start and never serve.
    pub broken: u8,
    /// Versions whose image cannot be pulled.
    pub absent: u8,
    pub node_lost: bool,
    pub jammed: bool,
    /// Something happened that excuses Degraded.
    pub fault: bool,
    /// What must never be, and was.
    pub bad: u32,
    pub left: Budget,
}

impl World {
    /// A cluster that holds nothing but a new instance.
    #[must_use]
    pub fn new(instance: Instance, left: Budget) -> Self {
        Self {
            uids: instance.uid,
            instance: Some(instance),
            previous: None,
            gate: Gate::default(),
            statefulset: None,
            pods: Vec::new(),
            stores: Vec::new(),
            lost_store: None,
            secret: false,
            secret_lost: false,
            exports: Vec::new(),
            jobs: Vec::new(),
            proofs: Vec::new(),
            traffic: Traffic::Held,
            traffic_fence: 0,
            permit: None,
            passes: [None, None],
            acknowledged: 0,
            broken: 0,
            absent: 0,
            node_lost: false,
            jammed: false,
            fault: false,
            bad: 0,
            left,
        }
    }

    /// The pod that answers calls.
    #[must_use]
    pub fn answering(&self) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.ready && !pod.leaving)
    }

    pub(crate) fn store(&self, name: Name) -> Option<&Store> {
        self.stores.iter().find(|store| store.name == name)
    }

    pub(crate) fn store_mut(&mut self, name: Name) -> Option<&mut Store> {
        self.stores.iter_mut().find(|store| store.name == name)
    }
}

/// Whether a set of versions holds this one.
#[must_use]
pub const fn holds(set: u8, version: Version) -> bool {
    set >> version & 1 == 1
}
