//! Imports of others: a deployment that is held goes on with them all the same, and what they bring is not in an export that
//! was begun before.

use std::collections::BTreeSet;

use tokio::time::sleep;

use super::{ASK, Error, Exporter};
use crate::{convex::deployment::Imports, worker::snapshot::Location};

impl<L: Location> Exporter<'_, L> {
    /// Waits until the backend performs none, and says which ones it has performed so far.
    pub(super) async fn no_import(&self) -> Result<BTreeSet<String>, Error> {
        let mut told = BTreeSet::new();
        loop {
            // Of one answer: else one that began between two would be among those before.
            let Imports { in_progress: now, completed } = self.backend.imports().await?;
            if now.is_empty() {
                self.backend.does(None);
                return Ok(completed);
            }
            if told != now {
                tracing::info!(imports = ?now, "an import of somebody else is performed; waiting for its end");
                let imports = now.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                self.backend.does(Some(format!("it still performs import {imports} of somebody else, whose end an export waits for")));
                told = now;
            }
            sleep(ASK).await;
        }
    }

    /// None is or was performed but these.
    pub(super) async fn is_untouched(&self, before: &BTreeSet<String>) -> Result<(), Error> {
        let now = self.backend.imports().await?;
        match now.besides(|it| before.contains(it)) {
            None => Ok(()),
            Some(import) => Err(Error::ImportPerformed(import.clone())),
        }
    }
}
