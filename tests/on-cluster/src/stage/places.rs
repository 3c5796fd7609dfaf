//! Where a test stops an instance on its way from one version to another, with data, for as long as it likes.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::State;

use super::{
    Stage,
    data::Data,
    upgrades::{steered, steering, ways},
};

/// Where an instance stands still on its way from v1 to v2, for as long as a test likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its export is never taken up.
    Exporting,
    /// Its backend is stopped, and the pod that copies does not start; only where the node is played.
    Copying,
    /// The new version answers, and is never ready.
    Rolling,
    /// Its import does not end.
    Importing,
    /// The new version was not ready in time, and the owner has decided nothing yet.
    Degraded,
    /// The old version answers on the copy, and is not ready there either.
    RollingBack,
}

/// The stages of an upgrade, on any node.
pub const STAGES: [Place; 3] = [Place::Exporting, Place::Rolling, Place::Importing];
/// What else an upgrade may come by.
pub const ASIDE: [Place; 3] = [Place::Copying, Place::Degraded, Place::RollingBack];

/// The pods that copy.
const COPIERS: &str = "dev-copy-*";

impl Place {
    /// One word, for names.
    #[must_use]
    pub fn word(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// A way of moving data that comes by here.
    #[must_use]
    pub fn way(self) -> Value {
        match self {
            Self::Exporting | Self::Rolling | Self::Importing => ways::same_store(),
            Self::Copying | Self::RollingBack => ways::copy(),
            Self::Degraded => {
                let mut way = ways::copy();
                way["rolloutDeadlineSeconds"] = 12.into();
                way
            }
        }
    }

    /// The version that is served in the end.
    #[must_use]
    pub const fn aim(self) -> &'static str {
        if matches!(self, Self::RollingBack) { "v1" } else { "v2" }
    }

    /// The phase that it is in meanwhile, with its stage.
    const fn phase(self) -> &'static str {
        match self {
            Self::Exporting | Self::Copying => "Upgrading/Exporting",
            Self::Rolling | Self::RollingBack => "Upgrading/Rolling",
            Self::Importing => "Upgrading/Importing",
            Self::Degraded => "Degraded",
        }
    }

    /// A version that is not to be served here.
    #[must_use]
    pub const fn strange(self) -> &'static str {
        match self {
            Self::Exporting | Self::Copying | Self::RollingBack => "v2",
            Self::Rolling | Self::Importing | Self::Degraded => "v1",
        }
    }

    /// What the backends do wrong on the way.
    const fn faults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Exporting => &[("EXPORT_STALLS", "v1")],
            Self::Copying => &[],
            Self::Rolling | Self::Degraded | Self::RollingBack => &[("UNREADY", "v2")],
            Self::Importing => &[("IMPORT_STALLS", "v2")],
        }
    }
}

impl Stage {
    /// An instance with data that stands still in this place on its way from v1 to v2.
    ///
    /// # Errors
    /// It does not get there in time.
    pub async fn stopped_in(&self, place: Place, policy: &str, way: Value) -> Result<Data> {
        self.ready(&steered(way, place.faults()).with("deletionPolicy", policy)).await?;
        let data = self.fill("dev").await?;
        if place == Place::Copying {
            self.meets(COPIERS, "unmounted")?;
        }
        self.patch("dev", json!({"version": "v2"})).await?;
        match place {
            Place::Exporting => {
                self.stage_of("dev", "Exporting").await?;
                self.job("export").await?;
            }
            Place::Copying => drop(self.job("copy").await?),
            Place::Rolling => self.serves_nobody("v2").await?,
            Place::Importing => {
                self.stage_of("dev", "Importing").await?;
                self.job("import").await?;
            }
            Place::Degraded => drop(self.phase("dev", "Degraded").await?),
            Place::RollingBack => {
                self.serves_nobody("v2").await?;
                let back =
                    json!({"version": "v1", "backend": {"env": steering(&[("UNREADY", "v1,v2")])}});
                self.patch("dev", back).await?;
                self.serves_nobody("v1").await?;
            }
        }
        Ok(data)
    }

    async fn serves_nobody(&self, version: &str) -> Result<()> {
        self.stage_of("dev", "Rolling").await?;
        self.answers("dev", version).await
    }

    /// Takes away what keeps it there.
    ///
    /// # Errors
    /// It was not kept there.
    pub async fn let_go(&self, place: Place) -> Result<()> {
        let state = State::from(&self.instance("dev").await?);
        ensure!(state.phase == place.phase(), "it has left {place:?}: {state}");
        if place == Place::Copying {
            self.spares(COPIERS)?;
        }
        self.patch("dev", json!({"backend": {"env": steering(&[])}})).await
    }
}
