//! Imports of others: a deployment that is held goes on with them all the same, and what they bring is not in an export that
//! was begun before.

use std::collections::BTreeSet;

use tokio::time::sleep;

use super::{ASK, Error, Exporter};
use crate::{
    convex::deployment::{self, Deployment},
    worker::snapshot::Location,
};

impl<L: Location> Exporter<'_, L> {
    /// Waits until the backend performs none, and says which ones it has performed so far.
    pub(super) async fn no_import(&self) -> Result<BTreeSet<String>, Error> {
        let mut told = Vec::new();
        loop {
            let now = known(self.backend.ask(Deployment::imports_in_progress).await)?;
            if now.is_empty() {
                self.backend.does(None);
                return self.performed().await;
            }
            if told != now {
                tracing::info!(imports = ?now, "an import of somebody else is performed; waiting for its end");
                let imports = now.join(", ");
                self.backend.does(Some(format!("it still performs import {imports} of somebody else, whose end an export waits for")));
                told = now;
            }
            sleep(ASK).await;
        }
    }

    /// None is or was performed but these.
    pub(super) async fn is_untouched(&self, before: &BTreeSet<String>) -> Result<(), Error> {
        match self.performed().await?.difference(before).next() {
            None => Ok(()),
            Some(import) => Err(Error::ImportPerformed(import.clone())),
        }
    }

    async fn performed(&self) -> Result<BTreeSet<String>, Error> {
        let all = known(self.backend.ask(Deployment::imports_performed).await)?;
        Ok(all.into_iter().collect())
    }
}

/// One that does not know the question performs none.
fn known(told: Result<Vec<String>, deployment::Error>) -> Result<Vec<String>, Error> {
    match told {
        Err(deployment::Error::Refused { .. }) => Ok(Vec::new()),
        told => Ok(told?),
    }
}
