//! The words of tests about upgrades: what is asked for, how far it comes, and what may not happen meanwhile.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use convex_operator::api::{ConvexInstance, ConvexInstanceStatus};
use k8s_openapi::api::{batch::v1::Job, core::v1::PersistentVolumeClaim};
use kube::{ResourceExt, api::ListParams};
use serde_json::{Value, json};
use statemachine::pins::Upgrade;

use super::{Stage, small};
use crate::{Instance, State};

/// An upgrade replaces pods several times, and on a crowded machine each takes its time.
pub const UPGRADE: Duration = Duration::from_mins(4);

/// The ways in which data is moved, as a spec asks for them.
pub mod ways {
    use serde_json::{Value, json};

    /// In place, with the cold copy that a volume gets by default.
    #[must_use]
    pub fn copy() -> Value {
        json!({ "preUpgradeSnapshot": "Auto" })
    }

    /// In place, with an export.
    #[must_use]
    pub fn export() -> Value {
        json!({ "preUpgradeSnapshot": "Export" })
    }

    /// By export and import, into the same store.
    #[must_use]
    pub fn same_store() -> Value {
        json!({ "upgradeStrategy": "exportImport", "preUpgradeSnapshot": "Auto" })
    }

    /// By export and import, into the same store, with nothing but the export as a way back.
    #[must_use]
    pub fn export_only() -> Value {
        json!({ "upgradeStrategy": "exportImport", "preUpgradeSnapshot": "Export" })
    }

    /// By export and import, into a fresh store.
    #[must_use]
    pub fn fresh_store() -> Value {
        json!({ "upgradeStrategy": "exportImport", "exportImport": { "into": "FreshStore" } })
    }
}

/// A small instance `dev` of version v1 that is upgraded like this.
#[must_use]
pub fn upgraded_by(maintenance: Value) -> Instance {
    small("dev").with("version", "v1").with("maintenance", maintenance)
}

/// The same, whose backends are told to misbehave: `("EXPORT_STALLS", "v1")`.
#[must_use]
pub fn steered(maintenance: Value, faults: &[(&str, &str)]) -> Instance {
    upgraded_by(maintenance).with("backend.env", steering(faults))
}

/// The environment that tells backends to misbehave, for a patch of the spec.
#[must_use]
pub fn steering(faults: &[(&str, &str)]) -> Value {
    let variable = |(fault, versions): &(&str, &str)| {
        let name = format!("STANDIN_{fault}_VERSIONS");
        json!({ "name": name, "value": versions })
    };
    faults.iter().map(variable).collect()
}

impl Stage {
    /// Waits until the instance is as its spec wants it, at this version, and that this is what answers.
    ///
    /// # Errors
    /// It does not become so in time.
    pub async fn runs(&self, name: &str, version: &str) -> Result<State> {
        let so = |state: &State| state.is_settled() && state.running == version;
        let what = format!("Ready with {version}");
        let state = self.follow(name).await?.until(&what, UPGRADE, so).await?;
        let answers = self.door(name).await?.version().await?;
        ensure!(answers == version, "{answers} answers where {version} is told");
        Ok(state)
    }

    /// Waits until it is in a phase for a reason.
    ///
    /// # Errors
    /// It does not get there in time.
    pub async fn stands(&self, name: &str, phase: &str, reason: &str) -> Result<State> {
        let so = |state: &State| state.phase == phase && state.reason == reason;
        let what = format!("{phase} for {reason}");
        self.follow(name).await?.until(&what, UPGRADE, so).await
    }

    /// Waits until its upgrade is in this stage.
    ///
    /// # Errors
    /// As [`Self::stands`].
    pub async fn stage_of(&self, name: &str, stage: &str) -> Result<State> {
        let phase = format!("Upgrading/{stage}");
        let there = |state: &State| state.phase == phase;
        self.follow(name).await?.until(&phase, UPGRADE, there).await
    }

    /// Waits until everything is done but that somebody deploys functions.
    ///
    /// # Errors
    /// As [`Self::stands`].
    pub async fn lacks_functions(&self, name: &str) -> Result<State> {
        self.stands(name, "Upgrading/Importing", "FunctionsMissing").await
    }

    /// Waits until it is Degraded for a reason.
    ///
    /// # Errors
    /// As [`Self::stands`].
    pub async fn degrades(&self, name: &str, reason: &str) -> Result<State> {
        self.stands(name, "Degraded", reason).await
    }

    /// Asks for another try, with a token that was not used before.
    ///
    /// # Errors
    /// It is refused.
    pub async fn retry(&self, name: &str, token: &str) -> Result<()> {
        let annotated = json!({"metadata": {"annotations": {"convex.icod.de/retry": token}}});
        self.merge::<ConvexInstance>(name, annotated).await?;
        Ok(())
    }

    /// What the status says.
    ///
    /// # Errors
    /// There is none.
    pub async fn status(&self, name: &str) -> Result<ConvexInstanceStatus> {
        self.instance(name).await?.status.context("a status")
    }

    /// The upgrade that is pinned; none where none is under way.
    ///
    /// # Errors
    /// The instance is not there.
    pub async fn pinned(&self, name: &str) -> Result<Option<Upgrade>> {
        Ok(self.status(name).await?.lifecycle.and_then(|it| it.upgrade))
    }

    /// The stores besides the one in use, by the names of their claims.
    ///
    /// # Errors
    /// The instance is not there.
    pub async fn other_stores(&self, name: &str) -> Result<Vec<String>> {
        Ok(self.status(name).await?.stores.into_iter().map(|it| it.claim).collect())
    }

    /// The claims of the namespace, by name.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn claims(&self) -> Result<Vec<String>> {
        let all = self.all::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
        Ok(all.iter().map(ResourceExt::name_any).collect())
    }

    /// Waits for the Job of this errand: `export`, `copy`, `import`, `proof`.
    ///
    /// # Errors
    /// It is not made in time.
    pub async fn job(&self, errand: &str) -> Result<Job> {
        self.until(&format!("a Job that carries out {errand}"), UPGRADE, || async {
            let all = self.all::<Job>().list(&ListParams::default()).await?;
            let found = |it: &Job| it.name_any().contains(&format!("-{errand}-"));
            Ok(all.items.into_iter().rfind(found))
        })
        .await
    }

    /// That no data directory ever had two writers, in the journals that the backends keep beside the data.
    ///
    /// # Errors
    /// One had.
    pub async fn never_two_writers(&self) -> Result<()> {
        for claim in self.claims().await? {
            let Ok(journal) = self.journal(&claim).await else { continue };
            let second = journal.iter().any(|event| event.contains("second"));
            ensure!(!second, "{claim} had two writers: {journal:?}");
        }
        Ok(())
    }

    /// That no store was opened by an older version after a newer one; versions are `v1`, `v2` and so on.
    ///
    /// # Errors
    /// One was.
    pub async fn never_backwards(&self) -> Result<()> {
        for claim in self.claims().await? {
            let Ok(versions) = self.openers(&claim).await else { continue };
            ensure!(versions.is_sorted(), "{claim} was opened by {versions:?}, in this order");
        }
        Ok(())
    }
}
