//! What a phase waits for, in the words of conditions and of people.

use std::fmt::{self, Display, Formatter};

use crate::{
    observed::Vital,
    phase::Stage,
    pins::{Backend, Release, Snapshot, Strategy},
};

/// What a phase waits for; becomes the reason and the message of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// Something that the spec refers to is missing or taken.
    ForReferences,
    /// An older pass might still move what was found.
    ForFences,
    /// The backend does not serve yet, or its migrations are not done.
    ForBackend(Backend),
    /// A pod of another backend is not fully gone.
    ForOthersGone,
    /// Dashboard or exposure is not accepted yet.
    ForSurroundings,
    /// The backend is to be stopped, and a pod is still there.
    ForBackendStopped,
    /// Somebody can still write.
    ForTrafficHeld,
    /// The backend is too old to be paused, and an unheld export was not accepted.
    HoldUnsupported,
    /// The image was not pulled and started on the node yet, or cannot be.
    ForImageProven(Release),
    /// The export is not verified yet.
    ForExport(Snapshot),
    /// The cold copy is not verified yet.
    ForCopy(Snapshot),
    /// The import is not verified yet.
    ForImport(Snapshot),
    /// A job of another attempt may still have an effect.
    ForJobsStopped,
    /// The app owner has to deploy functions, or to let traffic in without them.
    ForFunctions,
    /// A person has to change the spec or ask for another try.
    ForHelp(Option<Stage>),
    /// The store was opened by the target and no copy was taken before: there is no way back.
    NoWayBack(Release),
    /// This release was rolled back and is not tried again by itself.
    Refused(Release),
    /// The store has been opened by a later version; only an import into a fresh store goes there.
    Outgrown(Release),
    /// The way back that this strategy buys cannot be had here and now.
    ForWayBack(Strategy),
    /// Somebody has to approve the upgrade.
    ForApproval,
    /// The maintenance window is closed.
    ForWindow,
    /// As many other instances are being upgraded as may be at a time.
    ForTurn,
    /// Something is gone that must never be made anew.
    Lost(Vital),
    /// The release changes once the instance is resumed.
    ForResume(Release),
    /// The last snapshot is not verified yet.
    ForFarewell(Snapshot),
    /// Children are still there.
    ForChildrenGone,
    /// A newer operator wrote this phase; nothing is touched.
    UnknownPhase,
    /// The pins cannot be read, so a newer operator wrote them; nothing is touched.
    UnknownPins,
}

impl Waiting {
    /// The reason of a condition: one CamelCase word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::ForReferences => "ReferencesUnresolved",
            Self::ForFences => "FencesOutdated",
            Self::ForBackend(_) => "BackendNotServing",
            Self::ForOthersGone => "OtherBackendLeaving",
            Self::ForSurroundings => "SurroundingsPending",
            Self::ForBackendStopped => "BackendStopping",
            Self::ForTrafficHeld => "TrafficDraining",
            Self::HoldUnsupported => "HoldUnsupported",
            Self::ForImageProven(_) => "ImageUnproven",
            Self::ForExport(_) => "ExportRunning",
            Self::ForCopy(_) => "CopyRunning",
            Self::ForImport(_) => "ImportRunning",
            Self::ForJobsStopped => "JobsStopping",
            Self::ForFunctions => "FunctionsMissing",
            Self::ForHelp(_) => "HelpNeeded",
            Self::NoWayBack(_) => "NoWayBack",
            Self::Refused(_) => "ReleaseRefused",
            Self::Outgrown(_) => "ReleaseOutgrown",
            Self::ForWayBack(_) => "WayBackUnobtainable",
            Self::ForApproval => "ApprovalPending",
            Self::ForWindow => "WindowClosed",
            Self::ForTurn => "TurnPending",
            Self::Lost(Vital::InstanceSecret) => "InstanceSecretLost",
            Self::Lost(Vital::Store) => "StoreLost",
            Self::ForResume(_) => "ResumePending",
            Self::ForFarewell(_) => "FarewellRunning",
            Self::ForChildrenGone => "ChildrenLeaving",
            Self::UnknownPhase => "UnknownPhase",
            Self::UnknownPins => "UnknownPins",
        }
    }

    /// The name of the guard that said no, for `status.blockedBy`.
    #[must_use]
    pub const fn guard(&self) -> &'static str {
        match self {
            Self::ForReferences => "ReferencesResolved",
            Self::ForFences => "FencesRaised",
            Self::ForBackend(_) => "BackendServing",
            Self::ForOthersGone => "BackendAlone",
            Self::ForSurroundings => "SurroundingsAccepted",
            Self::ForBackendStopped => "BackendStopped",
            Self::ForTrafficHeld | Self::HoldUnsupported => "TrafficHeld",
            Self::ForImageProven(_) => "ImageProven",
            Self::ForExport(_) => "ExportVerified",
            Self::ForCopy(_) => "CopyVerified",
            Self::ForImport(_) => "ImportVerified",
            Self::ForJobsStopped => "JobsStopped",
            Self::ForFunctions => "FunctionsDeployed",
            Self::ForHelp(_) => "CauseGone",
            Self::NoWayBack(_) => "WayBackKept",
            Self::Refused(_) => "ReleaseNotRefused",
            Self::Outgrown(_) => "StoreNotOutgrown",
            Self::ForWayBack(_) => "WayBackObtainable",
            Self::ForApproval => "UpgradeApproved",
            Self::ForWindow => "WindowOpen",
            Self::ForTurn => "TurnGiven",
            Self::Lost(_) => "VitalsPresent",
            Self::ForResume(_) => "InstanceResumed",
            Self::ForFarewell(_) => "FarewellVerified",
            Self::ForChildrenGone => "ChildrenGone",
            Self::UnknownPhase => "PhaseKnown",
            Self::UnknownPins => "PinsReadable",
        }
    }
}

impl Display for Waiting {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForBackend(backend) => {
                write!(out, "the backend of {} does not serve yet", backend.release)
            }
            Self::ForImageProven(release) => {
                write!(out, "the image of {release} has not been pulled and started yet")
            }
            Self::ForExport(it) => write!(out, "export {it} is not verified yet"),
            Self::ForCopy(it) => write!(out, "cold copy {it} is not verified yet"),
            Self::ForImport(it) => write!(out, "import {it} is not verified yet"),
            Self::ForFarewell(it) => write!(out, "the last snapshot {it} is not verified yet"),
            Self::ForHelp(Some(stage)) => write!(
                out,
                "the upgrade stopped in {stage:?}; put the version back, change it, or ask for another try"
            ),
            Self::NoWayBack(release) => write!(
                out,
                "{release} cannot be restored: its store may have been opened by the target, and there is no copy of it; choose a version that the data can go on to"
            ),
            Self::Refused(release) => write!(
                out,
                "{release} was rolled back; it is tried again after a new retry token or as another version"
            ),
            Self::Outgrown(release) => write!(
                out,
                "the store has moved on from {release}; only an import into a fresh store goes there"
            ),
            Self::ForWayBack(strategy) => {
                write!(out, "{} cannot be had here: its way back is not available", strategy.name())
            }
            Self::ForResume(release) => {
                write!(out, "{release} is taken once the instance is resumed")
            }
            plain => out.write_str(plain.words()),
        }
    }
}

impl Waiting {
    /// The sentence of those that name nothing.
    const fn words(&self) -> &'static str {
        match self {
            Self::ForReferences => "something that the spec refers to is missing or taken",
            Self::ForFences => "an older pass of the operator could still move what was found",
            Self::ForOthersGone => "a pod of another backend is not fully gone",
            Self::ForSurroundings => "dashboard or exposure is not accepted yet",
            Self::ForBackendStopped => "the backend is being stopped and a pod is still there",
            Self::ForTrafficHeld => {
                "users are still being turned away and somebody can still write"
            }
            Self::HoldUnsupported => {
                "the backend is too old to be paused; accept an unheld export or choose a cold copy"
            }
            Self::ForJobsStopped => "a job of another attempt may still have an effect",
            Self::ForFunctions => {
                "the data is imported; deploy functions or let traffic in without them"
            }
            Self::ForApproval => "the upgrade waits for somebody to approve it",
            Self::ForWindow => "the maintenance window is closed",
            Self::ForTurn => "as many instances are being upgraded as may be at a time",
            Self::Lost(Vital::InstanceSecret) => {
                "the instance secret is gone and is not made anew: put it back"
            }
            Self::Lost(Vital::Store) => {
                "the store that holds the data is gone and is not made anew: put it back"
            }
            Self::ForChildrenGone => "children of the instance are still there",
            Self::UnknownPhase => "a newer operator wrote this phase; nothing is touched",
            Self::UnknownPins => "the pins cannot be read; nothing is touched",
            _ => "the instance needs a person to change its spec",
        }
    }
}

impl Display for Release {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "version {}", short(&self.version))
    }
}

impl Display for Snapshot {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.of.0, self.attempt)
    }
}

/// A commit hash by its first seven letters, as people call it; anything else in full.
fn short(version: &str) -> &str {
    let hash = version.len() >= 20 && version.bytes().all(|letter| letter.is_ascii_hexdigit());
    if hash { &version[..7] } else { version }
}
