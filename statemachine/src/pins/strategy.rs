//! How an upgrade moves the data, and what it buys before it dares to.

use serde::{Deserialize, Serialize};

/// How an upgrade moves the data, and which way back it buys. On the wire one word:
/// `InPlace/None`, `InPlace/Export`, `InPlace/Copy`, `ExportImport/SameStore/Export`,
/// `ExportImport/SameStore/Copy`, `ExportImport/FreshStore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Strategy {
    /// The target opens the store, once the way back is bought.
    InPlace(WayBack),
    /// The target is loaded from an export.
    ExportImport(Destination),
}

/// What is bought before the target opens the store of `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WayBack {
    /// Nothing: what the target migrates stays migrated (`preUpgradeSnapshot: Off`).
    None,
    /// A held export, to be imported into a new store.
    Export,
    /// A cold copy of the store, which the release of `from` opens as it is.
    Copy,
}

/// Where an export is imported, and so what a rollback goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// The store that the data came from: code stays, the import replaces the data. The way back is
    /// the payload itself, imported into a new store.
    SameStore,
    /// The same store, of which a cold copy is made besides the payload: the way back is exact.
    SameStoreCopied,
    /// A new and empty store: the old one is kept untouched and is the way back.
    FreshStore,
}

impl Strategy {
    /// Every way in which data moves.
    pub const ALL: [Self; 6] = [
        Self::InPlace(WayBack::None),
        Self::InPlace(WayBack::Export),
        Self::InPlace(WayBack::Copy),
        Self::ExportImport(Destination::SameStore),
        Self::ExportImport(Destination::SameStoreCopied),
        Self::ExportImport(Destination::FreshStore),
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InPlace(WayBack::None) => "InPlace/None",
            Self::InPlace(WayBack::Export) => "InPlace/Export",
            Self::InPlace(WayBack::Copy) => "InPlace/Copy",
            Self::ExportImport(Destination::SameStore) => "ExportImport/SameStore/Export",
            Self::ExportImport(Destination::SameStoreCopied) => "ExportImport/SameStore/Copy",
            Self::ExportImport(Destination::FreshStore) => "ExportImport/FreshStore",
        }
    }

    /// Whether anything is bought or made before the target starts: the upgrade passes Exporting.
    #[must_use]
    pub const fn prepares(self) -> bool {
        self.exports() || self.stops()
    }

    /// Whether the data is exported, held, out of the running backend.
    #[must_use]
    pub const fn exports(self) -> bool {
        matches!(self, Self::InPlace(WayBack::Export) | Self::ExportImport(_))
    }

    /// Whether the backend is stopped for a cold copy of its store.
    #[must_use]
    pub const fn stops(self) -> bool {
        matches!(
            self,
            Self::InPlace(WayBack::Copy) | Self::ExportImport(Destination::SameStoreCopied)
        )
    }

    /// Whether the target is loaded from the export.
    #[must_use]
    pub const fn imports(self) -> bool {
        matches!(self, Self::ExportImport(_))
    }

    /// Whether the target starts on a new and empty store.
    #[must_use]
    pub const fn starts_over(self) -> bool {
        matches!(self, Self::ExportImport(Destination::FreshStore))
    }
}
