//! Where an instance is in its life, and the two strings that say so on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an instance is in its life (leaf states only).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(from = "Wire", into = "Wire")]
pub enum Phase {
    /// Something that the spec refers to is missing or taken; no child exists because of us.
    #[default]
    Pending,
    /// Children are being brought up and nobody is let in yet.
    Provisioning,
    /// The backend that the data belongs to serves, and everything owed is there.
    Ready,
    /// The backend is stopped because its owner wishes so; all data is kept and nobody is let in.
    /// A substate of Ready on the wire: phase `Ready`, stage `Suspended`.
    Suspended,
    /// The instance is on its way from one backend to another.
    Upgrading(Stage),
    /// The operator cannot mend this alone; what runs keeps running and nothing is destroyed.
    Degraded,
    /// The instance is going away.
    Deleting,
    /// A newer operator wrote a phase that this one does not know.
    Unknown,
}

/// How far an upgrade has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// The target image is proven, then the data is copied out of what ran before and verified.
    Exporting,
    /// The backend is being replaced by the one that is aimed at.
    Rolling,
    /// The verified snapshot is being loaded into the backend that is aimed at.
    Importing,
}

/// The composite states that answer for their leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// Everything that may still be deleted.
    Alive,
    /// Everything that happens under the pins of one upgrade.
    Upgrading,
}

impl Phase {
    /// Every phase, in the order of a life.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Provisioning,
        Self::Ready,
        Self::Suspended,
        Self::Upgrading(Stage::Exporting),
        Self::Upgrading(Stage::Rolling),
        Self::Upgrading(Stage::Importing),
        Self::Degraded,
        Self::Deleting,
        Self::Unknown,
    ];

    /// The name of the phase on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Provisioning => "Provisioning",
            Self::Ready | Self::Suspended => "Ready",
            Self::Upgrading(_) => "Upgrading",
            Self::Degraded => "Degraded",
            Self::Deleting => "Deleting",
            Self::Unknown => "Unknown",
        }
    }

    /// The name of the stage on the wire, empty where the phase has none.
    #[must_use]
    pub const fn stage(self) -> &'static str {
        match self {
            Self::Suspended => "Suspended",
            Self::Upgrading(Stage::Exporting) => "Exporting",
            Self::Upgrading(Stage::Rolling) => "Rolling",
            Self::Upgrading(Stage::Importing) => "Importing",
            _ => "",
        }
    }
}

/// A phase as `status` spells it. A shell that meets [`Phase::Unknown`] leaves both strings as they
/// are: what a newer operator wrote is not ours to rewrite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wire {
    /// The phase; absent before the operator has seen the instance.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 64))]
    pub phase: String,
    /// The stage; absent where the phase has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 64))]
    pub stage: String,
}

impl From<Wire> for Phase {
    fn from(Wire { phase, stage }: Wire) -> Self {
        if phase.is_empty() && stage.is_empty() {
            return Self::Pending;
        }
        Self::ALL
            .into_iter()
            .find(|known| known.name() == phase && known.stage() == stage)
            .unwrap_or(Self::Unknown)
    }
}

impl From<Phase> for Wire {
    fn from(phase: Phase) -> Self {
        Self { phase: phase.name().into(), stage: phase.stage().into() }
    }
}
