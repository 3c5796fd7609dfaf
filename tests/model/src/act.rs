//! Everything that can happen next, one thing at a time.

use crate::world::{Traffic, Version, World};

/// One step of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// The operator looks and decides.
    Read,
    /// It does so on an older version of the instance.
    ReadStale,
    /// A second operator looks and decides; it lost its lease and does not know.
    Second,
    /// The second one, on an older version.
    SecondStale,
    /// An operator executes its next write.
    Do(u8),
    /// Its write to the instance loses a race.
    Conflict,
    /// Its write never arrives.
    LostRequest,
    /// Its write arrives and it never learns so.
    LostResponse,
    /// It dies between two writes.
    Crash,
    /// The `StatefulSet` controller takes one step.
    Sync,
    /// A pod gets past its gate and opens its store.
    PodStarts(u8),
    /// A pod serves.
    PodServes(u8),
    /// A pod is fully gone.
    PodGone(u8),
    /// The last request of a held backend is through.
    Drained,
    /// A user writes, and the write is acknowledged.
    UserWrites,
    /// A job takes its next step.
    JobWorks(u8),
    /// A job fails.
    JobFails(u8),
    /// The pod that proves an image ends.
    ProofEnds(u8),
    /// The app owner deploys functions.
    Deploy,
    /// The garbage collector takes what has lost its owner.
    Collect,
    /// `spec.version` changes.
    Edit(Version),
    /// The strategy changes.
    EditStrategy(u8),
    /// `spec.suspend` is turned over.
    Suspend,
    /// Another try is asked for.
    Retry,
    /// The instance is deleted.
    Delete,
    /// An instance of the same name is made, with a UID of its own.
    Recreate,
    /// Somebody deletes the pod.
    Kill,
    /// Somebody deletes the `StatefulSet`.
    DeleteSet,
    /// Somebody deletes the gate's record.
    DeleteGate,
    /// Somebody deletes the instance's secret.
    LoseSecret,
    /// Somebody deletes a store.
    LoseStore(u8),
    /// Somebody deletes an export.
    LoseExport(u8),
    /// What was deleted is put back.
    PutBack,
    /// The whole status is lost.
    Amnesia,
    /// The pins are lost, the phase is not.
    Pinless,
    /// Home is lost from the pins, the fence is not.
    Homeless,
    /// The phase lasts longer than it may.
    Late,
    /// A version starts and will never serve.
    Break(Version),
    /// The image of a version is not there.
    Absent(Version),
    /// A finished job is removed by its time to live.
    Expire(u8),
    /// The node does not answer; what runs there may go on.
    NodeLost,
    /// The node is back.
    NodeBack,
    /// The gate's record cannot be written.
    Jam,
    /// It can be written again.
    Unjam,
    /// Retention removes an export that nothing pinned refers to.
    PruneExport(u8),
    /// Retention removes a store that nothing pinned refers to.
    PruneStore(u8),
}

/// Whose act it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// An operator, or what befalls it.
    Operator,
    /// The cluster, its nodes and its users.
    Cluster,
    /// People, and what they do by mistake.
    People,
}

impl Act {
    /// Whose act it is.
    #[must_use]
    pub const fn who(self) -> Who {
        match self {
            Self::Read
            | Self::ReadStale
            | Self::Second
            | Self::SecondStale
            | Self::Do(_)
            | Self::Conflict
            | Self::LostRequest
            | Self::LostResponse
            | Self::Crash => Who::Operator,
            Self::Sync
            | Self::PodStarts(_)
            | Self::PodServes(_)
            | Self::PodGone(_)
            | Self::Drained
            | Self::UserWrites
            | Self::JobWorks(_)
            | Self::JobFails(_)
            | Self::Expire(_)
            | Self::ProofEnds(_)
            | Self::Deploy
            | Self::Collect
            | Self::NodeLost
            | Self::NodeBack => Who::Cluster,
            _ => Who::People,
        }
    }
}

impl Act {
    /// Seen at a glance to be impossible; saves a copy of the world.
    #[must_use]
    pub fn is_idle(self, world: &World) -> bool {
        let left = &world.left;
        let beyond = |at: u8, many: usize| usize::from(at) >= many;
        let busy = |who: usize| world.passes[who].is_some();
        match self {
            Self::Read => busy(0),
            Self::ReadStale => left.stale_reads == 0 || busy(0),
            Self::Second => left.second == 0 || busy(1),
            Self::SecondStale => left.second == 0 || left.stale_reads == 0 || busy(1),
            Self::Do(who) => !busy(usize::from(who)),
            Self::Conflict => left.conflicts == 0 || !busy(0),
            Self::LostRequest | Self::LostResponse => left.lost_requests == 0 || !busy(0),
            Self::Crash => left.crashes == 0 || !busy(0),
            Self::PodStarts(at) | Self::PodServes(at) | Self::PodGone(at) => {
                beyond(at, world.pods.len())
            }
            Self::Drained => world.traffic != Traffic::Draining,
            Self::UserWrites => left.writes == 0,
            Self::JobWorks(at) => beyond(at, world.jobs.len()),
            Self::ProofEnds(at) => beyond(at, world.proofs.len()),
            Self::NodeLost => left.nodes == 0,
            Self::NodeBack => !world.node_lost,
            Self::Unjam => !world.jammed,
            Self::PutBack => !world.secret_lost && world.lost_store.is_none(),
            _ => self.is_unpaid(world),
        }
    }

    /// The budget of what people do is used up.
    fn is_unpaid(self, world: &World) -> bool {
        let left = &world.left;
        match self {
            Self::Edit(_) | Self::EditStrategy(_) | Self::Retry => left.edits == 0,
            Self::Suspend => left.suspends == 0,
            Self::Delete => left.deletions == 0,
            Self::Recreate => left.recreations == 0,
            Self::Kill | Self::DeleteSet | Self::DeleteGate => left.monkeys == 0,
            Self::LoseSecret => left.losses == 0,
            Self::Amnesia | Self::Pinless | Self::Homeless => left.amnesia == 0,
            Self::Late => left.lates == 0,
            Self::Break(_) => left.breaks == 0,
            Self::Absent(_) => left.absences == 0,
            Self::Jam => left.jams == 0,
            _ => false,
        }
    }
}

/// What happens by itself, sooner or later, when nothing else goes wrong.
pub const FAIR: [Act; 23] = [
    Act::Do(0),
    Act::Do(1),
    Act::Read,
    Act::Collect,
    Act::Sync,
    Act::PodStarts(0),
    Act::PodStarts(1),
    Act::PodServes(0),
    Act::PodServes(1),
    Act::PodGone(0),
    Act::PodGone(1),
    Act::Drained,
    Act::ProofEnds(0),
    Act::ProofEnds(1),
    Act::JobWorks(0),
    Act::JobWorks(1),
    Act::JobWorks(2),
    Act::JobWorks(3),
    Act::JobWorks(4),
    Act::JobWorks(5),
    Act::JobWorks(6),
    Act::JobWorks(7),
    Act::Deploy,
];

/// Everything else that does not concern one job, store or export.
pub const FOUL: [Act; 31] = [
    Act::ReadStale,
    Act::Second,
    Act::SecondStale,
    Act::Conflict,
    Act::LostRequest,
    Act::LostResponse,
    Act::Crash,
    Act::UserWrites,
    Act::Edit(1),
    Act::Edit(2),
    Act::Edit(3),
    Act::Suspend,
    Act::Retry,
    Act::Delete,
    Act::Recreate,
    Act::Kill,
    Act::DeleteSet,
    Act::DeleteGate,
    Act::LoseSecret,
    Act::PutBack,
    Act::Amnesia,
    Act::Pinless,
    Act::Homeless,
    Act::Late,
    Act::Break(2),
    Act::Break(3),
    Act::Absent(2),
    Act::NodeLost,
    Act::NodeBack,
    Act::Jam,
    Act::Unjam,
];
