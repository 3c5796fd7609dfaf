//! An edge that was taken, and the one word that people are told about it.

use crate::{
    event::Event,
    phase::{Phase, Stage},
    pins::{Direction, Pins, Upgrade},
};

/// An edge that was taken; becomes a Kubernetes Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Taken {
    /// The phase left.
    pub from: Phase,
    /// Why it was left.
    pub event: Event,
    /// The phase entered.
    pub to: Phase,
    /// What that means.
    pub reason: Reason,
}

/// What an edge means: the reason of its Kubernetes Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The references of the spec are resolved; children are looked for, then made.
    Provisioning,
    /// A backend was found, or a new one was settled on; from here on the pins say where home is.
    Settled,
    /// Nobody was ever let in, so another release is simply taken.
    ReleaseTaken,
    /// The instance serves for the first time, or again after it was provisioned anew.
    Ready,
    /// The pins are lost or do not fit; what is true is looked for in the children.
    MemoryLost,
    /// The backend is stopped because its owner wishes so.
    Suspended,
    /// The wish to be suspended is withdrawn.
    Resumed,
    /// An upgrade is pinned.
    UpgradeStarted,
    /// The export is verified; the backend is stopped next, for a cold copy besides.
    ExportVerified,
    /// The way back and the payload are verified; the target starts next.
    SnapshotVerified,
    /// The target serves; the export is loaded into it next.
    ImportStarted,
    /// Everything arrived where the upgrade was aimed at.
    UpgradeFinished,
    /// The upgrade is turned round.
    RollbackStarted,
    /// Everything is back where the upgrade came from.
    RollbackFinished,
    /// The spec changed before the target started; the upgrade is dropped.
    UpgradeAbandoned,
    /// Another try was asked for.
    UpgradeRetried,
    /// The spec names a third release; the same upgrade goes there.
    UpgradeRedirected,
    /// What stopped the upgrade is gone.
    UpgradeResumed,
    /// The operator cannot mend this alone.
    Degraded,
    /// Home serves again.
    Recovered,
    /// The instance is going away.
    Deleting,
    /// The last snapshot is verified or given up; children go.
    Parted,
}

impl Reason {
    /// Every reason, in the order of a life.
    pub const ALL: [Self; 22] = [
        Self::Provisioning,
        Self::Settled,
        Self::ReleaseTaken,
        Self::Ready,
        Self::MemoryLost,
        Self::Suspended,
        Self::Resumed,
        Self::UpgradeStarted,
        Self::ExportVerified,
        Self::SnapshotVerified,
        Self::ImportStarted,
        Self::UpgradeFinished,
        Self::RollbackStarted,
        Self::RollbackFinished,
        Self::UpgradeAbandoned,
        Self::UpgradeRetried,
        Self::UpgradeRedirected,
        Self::UpgradeResumed,
        Self::Degraded,
        Self::Recovered,
        Self::Deleting,
        Self::Parted,
    ];

    /// The word itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "Provisioning",
            Self::Settled => "Settled",
            Self::ReleaseTaken => "ReleaseTaken",
            Self::Ready => "Ready",
            Self::MemoryLost => "MemoryLost",
            Self::Suspended => "Suspended",
            Self::Resumed => "Resumed",
            Self::UpgradeStarted => "UpgradeStarted",
            Self::ExportVerified => "ExportVerified",
            Self::SnapshotVerified => "SnapshotVerified",
            Self::ImportStarted => "ImportStarted",
            Self::UpgradeFinished => "UpgradeFinished",
            Self::RollbackStarted => "RollbackStarted",
            Self::RollbackFinished => "RollbackFinished",
            Self::UpgradeAbandoned => "UpgradeAbandoned",
            Self::UpgradeRetried => "UpgradeRetried",
            Self::UpgradeRedirected => "UpgradeRedirected",
            Self::UpgradeResumed => "UpgradeResumed",
            Self::Degraded => "Degraded",
            Self::Recovered => "Recovered",
            Self::Deleting => "Deleting",
            Self::Parted => "Parted",
        }
    }
}

impl Taken {
    /// An edge with the meaning that its pins give it.
    pub(crate) fn new(from: Phase, event: Event, to: Phase, before: &Pins, after: &Pins) -> Self {
        let reason = match to {
            Phase::Upgrading(stage) => upgrading(from, stage, before, after),
            Phase::Provisioning => provisioning(from, before, after),
            Phase::Ready => ready(from, before),
            Phase::Suspended => Reason::Suspended,
            Phase::Deleting if from == Phase::Deleting => Reason::Parted,
            Phase::Deleting => Reason::Deleting,
            Phase::Pending | Phase::Degraded | Phase::Unknown => Reason::Degraded,
        };
        Self { from, event, to, reason }
    }

    /// The reason of the Kubernetes Event: one CamelCase word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason.name()
    }
}

fn provisioning(from: Phase, before: &Pins, after: &Pins) -> Reason {
    match (from, &before.home, &after.home) {
        (Phase::Pending, ..) => Reason::Provisioning,
        (_, _, None) => Reason::MemoryLost,
        (_, None, Some(_)) => Reason::Settled,
        (Phase::Suspended, ..) => Reason::Resumed,
        _ if before.upgrade.is_some() => Reason::UpgradeAbandoned,
        _ => Reason::ReleaseTaken,
    }
}

fn ready(from: Phase, before: &Pins) -> Reason {
    match (from, before.upgrade.as_ref().map(|it| (it.stage, it.direction))) {
        (Phase::Provisioning, _) => Reason::Ready,
        (_, None) => Reason::Recovered,
        (_, Some((Stage::Exporting, _))) => Reason::UpgradeAbandoned,
        (_, Some((_, Direction::Forward))) => Reason::UpgradeFinished,
        (_, Some((_, Direction::Rollback))) => Reason::RollbackFinished,
    }
}

fn upgrading(from: Phase, stage: Stage, before: &Pins, after: &Pins) -> Reason {
    let (Some(was), Some(is)) = (&before.upgrade, &after.upgrade) else {
        return Reason::UpgradeStarted;
    };
    match (from, stage) {
        _ if was.id != is.id => Reason::UpgradeStarted,
        _ if was.direction != is.direction => Reason::RollbackStarted,
        (Phase::Degraded, _) => again(was, is),
        (_, Stage::Exporting) => Reason::ExportVerified,
        (_, Stage::Rolling) => Reason::SnapshotVerified,
        (_, Stage::Importing) => Reason::ImportStarted,
    }
}

fn again(was: &Upgrade, is: &Upgrade) -> Reason {
    if was.to.release != is.to.release {
        Reason::UpgradeRedirected
    } else if was.attempt != is.attempt {
        Reason::UpgradeRetried
    } else {
        Reason::UpgradeResumed
    }
}
