//! The nouns of the pins: releases, stores, backends and the names of what is made for an upgrade.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What runs: comparable for equality, and for nothing else. Any difference starts an upgrade.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The version that was asked for (spec.version).
    #[schemars(length(max = 128))]
    pub version: String,
    /// The image reference that the spec resolves to. A tag that moves is no other reference.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub image: String,
    /// A fingerprint of the settings that decide which data is opened, such as which database.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 128))]
    pub engine: String,
}

impl Release {
    /// What a store remembers of a release that opened it: its version; and the name, tag and digest of its image, where that
    /// is not tagged like the version. Registries are mirrored, and are no part of it.
    #[must_use]
    pub fn opener(&self) -> String {
        let Self { version, image, .. } = self;
        let usual = image.is_empty() || image.ends_with(&format!(":{version}"));
        let named = image.rsplit('/').next().unwrap_or_default();
        if usual { version.clone() } else { format!("{version} {named}") }
    }

    /// Whether both are of one version, whatever the image is called that it comes in.
    #[must_use]
    pub fn is_version_of(&self, other: &Self) -> bool {
        self.engine == other.engine && self.version == other.version
    }

    /// Whether a store cannot tell the two apart.
    #[must_use]
    pub fn opens_as(&self, other: &Self) -> bool {
        self.engine == other.engine && self.opener() == other.opener()
    }
}

/// A `resourceVersion` of the instance. The write that pins an upgrade consumes the one it names, so
/// no two upgrades ever share an id, not even after the status was lost.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(description = "A resourceVersion of the instance, consumed by the write that pins it.")]
pub struct Revision(#[schemars(length(max = 64))] pub String);

/// A copy of the data, named by the attempt that made it.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The upgrade (or the farewell) that asked for it.
    pub of: Revision,
    /// Which try it was, from 1.
    #[schemars(range(max = 1_000_000))]
    pub attempt: u32,
}

/// A place that holds data: a volume or a database. On the wire a word of its own:
/// `Original`, `Made/<id>`, `Copied/<id>/<attempt>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Store {
    /// The one that the instance was born with.
    #[default]
    Original,
    /// One that was made empty for an upgrade.
    Made(Revision),
    /// One that a job filled with everything that another store held while nobody had it open.
    Copied(Snapshot),
}

/// A release running on a store.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// The release that runs.
    pub release: Release,
    /// The store that it opens.
    #[serde(default)]
    pub store: Store,
}

impl Revision {
    /// Whether it names nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl Store {
    /// Whether an empty one may stand in for it: a copy is only ever made by its job.
    #[must_use]
    pub const fn may_be_made_empty(&self) -> bool {
        !matches!(self, Self::Copied(_))
    }
}
