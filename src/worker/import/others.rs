//! Imports of others: what they brought after the snapshot was taken is not in it, and an import would replace it.

use std::collections::BTreeSet;

use super::{Error, Importer};
use crate::worker::{
    export::Asked,
    snapshot::{Location, Note},
};

impl<L: Location> Importer<'_, L> {
    /// Nobody but us has imported since the export that the snapshot is made of. In another store there is nothing yet that
    /// anybody relies on; and where users were not held, the owner has accepted that what came since is lost.
    pub(super) async fn is_alone(&self) -> Result<(), Error> {
        if !self.options.same_store {
            return Ok(());
        }
        let asked = self.location.noted::<Asked>(Note::Export).await?;
        let before = asked.filter(|it| it.held).and_then(|it| it.imports);
        let Some(before) = before else { return Ok(()) };
        let now = self.backend.imports().await?;
        let ours = self.ours().await?;
        match now.besides(|it| before.contains(it) || ours.contains(it)) {
            None => Ok(()),
            Some(import) => Err(Error::ImportPerformed(import.clone())),
        }
    }

    /// Keeps that an import is ours, for the attempts after this one.
    pub(super) async fn own(&self, import: &str) -> Result<(), Error> {
        let mut ours = self.ours().await?;
        ours.insert(import.to_owned());
        Ok(self.location.note(Note::Imports, &ours).await?)
    }

    async fn ours(&self) -> Result<BTreeSet<String>, Error> {
        Ok(self.location.noted(Note::Imports).await?.unwrap_or_default())
    }
}
