//! What is done to an instance, and how it is known that it is over.

use std::env;

use on_cluster::{Instance, stage::small};
use serde_json::{Value, json};

/// What is done to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flow {
    /// In place, with a cold copy as the way back.
    InPlace,
    /// Through export and import, into the same store, with what `Auto` chooses as the way back.
    ExportImport,
    /// In place to a target that cannot open the data, and back by itself to the copy.
    Rollback,
    /// In place to a target that cannot open the data, and back by itself, the export loaded into a new store.
    Reimport,
    /// Through export and import, into a new store.
    FreshStore,
}

impl Flow {
    const ALL: [Self; 5] =
        [Self::InPlace, Self::ExportImport, Self::Rollback, Self::Reimport, Self::FreshStore];

    /// All of them, or, for looking at one alone, that one: `CAMPAIGN_FLOW=Rollback`.
    pub fn wanted() -> impl Iterator<Item = Self> {
        let only = env::var("CAMPAIGN_FLOW").ok();
        let is_wanted =
            move |it: &Self| only.as_ref().is_none_or(|only| only.contains(&format!("{it:?}")));
        Self::ALL.into_iter().filter(is_wanted)
    }

    /// The instance before.
    pub fn instance(self, name: &str) -> Instance {
        let instance = small(name).with("version", "v1").with("maintenance", self.maintenance());
        // A target that is older than the data is found out at once, and not by a deadline.
        let goes_back = self.ends_with() == "v1";
        let formats = if goes_back { "v1=130,v2=128" } else { "v1=128,v2=130" };
        let env = json!([{"name": "STANDIN_METADATA_VERSION", "value": formats}]);
        // One flow with a dashboard tells what follows the backend; the bounds of writes are for the backend alone.
        let followed = self == Self::FreshStore;
        instance.with("backend.env", env).with("dashboard.enabled", followed)
    }

    fn maintenance(self) -> Value {
        match self {
            Self::InPlace => json!({}),
            Self::ExportImport => json!({"upgradeStrategy": "exportImport"}),
            Self::Rollback => json!({"onFailure": "Rollback"}),
            Self::Reimport => json!({"onFailure": "Rollback", "preUpgradeSnapshot": "Export"}),
            Self::FreshStore => {
                json!({"upgradeStrategy": "exportImport", "exportImport": {"into": "FreshStore"}})
            }
        }
    }

    /// How many writes it may take where nobody is killed; one that goes back has no bound of its own.
    pub const fn budget(self) -> usize {
        match self {
            Self::InPlace => 14,
            Self::ExportImport | Self::FreshStore => 22,
            Self::Rollback | Self::Reimport => usize::MAX,
        }
    }

    /// Whether it ends in a store that is new, on which code is deployed again.
    pub const fn needs_code(self) -> bool {
        matches!(self, Self::Reimport | Self::FreshStore)
    }

    /// The version that it ends with.
    pub const fn ends_with(self) -> &'static str {
        match self {
            Self::Rollback | Self::Reimport => "v1",
            _ => "v2",
        }
    }
}
