//! The words of tests about the way in from outside.

use anyhow::Result;
use convex_operator::api::Condition;
use serde_json::Value;

use super::{PATIENCE, Stage, condition};

impl Stage {
    /// Applies an object of any kind to the namespace, as anybody might.
    ///
    /// # Errors
    /// It is refused.
    pub async fn apply(&self, manifest: &Value) -> Result<()> {
        self.kubectl.apply(self.namespace(), &manifest.to_string()).await.map(drop)
    }

    /// Waits until a condition has this reason.
    ///
    /// # Errors
    /// It does not get it in time.
    pub async fn condition_when(&self, name: &str, type_: &str, reason: &str) -> Result<Condition> {
        self.until(&format!("{type_} for {reason}"), PATIENCE, || async {
            let found = condition(&self.instance(name).await?, type_)?;
            Ok((found.reason == reason).then_some(found))
        })
        .await
    }

    /// Waits until clients get in from outside, and everything else is as it should be.
    ///
    /// # Errors
    /// It is not so in time.
    pub async fn exposed(&self, name: &str) -> Result<()> {
        self.settled(name).await?;
        self.condition_when(name, "Exposed", "Accepted").await.map(drop)
    }
}
