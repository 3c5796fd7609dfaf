//! An import: a snapshot that is judged once more, carried into the backend, and counted there.
//!
//! Whether it may say yes to the backend is asked at its start: the record is in the environment of a container, which
//! does not change while it runs. Who takes the permit from a Job that runs has to end its pod as well.
//!
//! It may be cut off anywhere and run again: the import that an earlier run has begun is found by its note and
//! followed to its end, and one that has come to its end is only counted again.

mod error;
mod others;
mod upload;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

pub use self::error::Error;
use self::upload::Upload;
use super::{
    backend::Backend,
    job::{Task, Work, beside},
    permit,
    report::Report,
    snapshot::{self, Content, Location, Manifest, Note, Variables},
};
use crate::convex::deployment::{Deployment, ImportState};

/// How often the backend is asked how far it is.
const ASK: Duration = Duration::from_secs(1);

/// What a Job that imports is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    task: Task,
    /// What the operator called the snapshot that is carried in.
    #[arg(long)]
    snapshot: String,
    /// The store is the one that the snapshot was taken of: what others have imported there since is not replaced.
    #[arg(long)]
    same_store: bool,
    /// The record, as JSON, as it was when this container started; empty where there is none.
    #[arg(long, env = "RECORD", default_value = "")]
    record: String,
}

/// The import that was begun.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    import: String,
}

impl Work for Options {
    type Error = Error;

    fn task(&self) -> &Task {
        &self.task
    }

    async fn work<L: Location>(&self, backend: Backend, location: L) -> Result<Report, Error> {
        permit::of(&self.record, &self.task.id)?;
        Importer { options: self, backend, location }.import().await
    }

    async fn give_up<L: Location>(&self, backend: Backend, location: L) {
        Importer { options: self, backend, location }.give_up().await;
    }

    fn is_gone_on_with(&self) -> bool {
        true
    }
}

struct Importer<'a, L> {
    options: &'a Options,
    backend: Backend,
    location: L,
}

impl<L: Location> Importer<'_, L> {
    async fn import(&self) -> Result<Report, Error> {
        let Options { task, snapshot, .. } = self.options;
        let (manifest, variables) = self.judged().await?;
        let rows = self.performed(&manifest.content).await?;
        let documents = manifest.content.all_documents();
        if rows < documents {
            return Err(Error::RowsMissing { rows, documents });
        }
        self.is_all(&manifest.content).await?;
        let variables = self.restored(variables).await?;
        Ok(Report::Imported {
            id: task.id.clone(),
            snapshot: snapshot.clone(),
            documents,
            variables,
        })
    }

    /// The snapshot and its variables, which are what they were when it was called one.
    async fn judged(&self) -> Result<(Manifest, Variables), Error> {
        let manifest = self.location.noted::<Manifest>(Note::Manifest).await?;
        let wanted = self.options.snapshot.clone();
        let Some(manifest) = manifest else { return Err(Error::SnapshotMissing(wanted)) };
        if !manifest.is_of(&wanted, &self.options.task.instance) {
            return Err(Error::OtherSnapshot { wanted, found: manifest.id });
        }
        let archive = self.location.archive().await.map_err(snapshot::Error::Unreadable)?;
        let content = beside(move || Content::read(&archive)).await??;
        let variables = self.location.noted::<Variables>(Note::Variables).await?;
        let variables = variables.unwrap_or_default();
        if content == manifest.content && manifest.keeps(&variables) {
            Ok((manifest, variables))
        } else {
            Err(Error::Changed)
        }
    }

    /// Follows the import of this attempt to its end, and says how many rows it wrote.
    async fn performed(&self, content: &Content) -> Result<u64, Error> {
        let note = self.note();
        loop {
            let Some(begun) = self.location.noted::<Begun>(note).await? else {
                self.is_alone().await?;
                self.begin(content.bytes).await?;
                continue;
            };
            let id = begun.import;
            match self.backend.ask(async |it| it.import(&id).await).await? {
                Some(ImportState::Completed { rows }) => return Ok(rows),
                Some(ImportState::Failed) => {
                    self.location.forget(note).await?;
                    return Err(Error::ImportFailed);
                }
                Some(ImportState::WaitingForConfirmation) => {
                    if let Err(error) = self.is_alone().await {
                        self.give_up().await;
                        self.location.forget(note).await?;
                        return Err(error);
                    }
                    self.confirm(&id).await?;
                }
                Some(ImportState::Uploaded | ImportState::InProgress) => sleep(ASK).await,
                // It was begun in a store that is not this one any more.
                None => self.location.forget(note).await?,
            }
        }
    }

    /// Uploads, and notes what the backend calls it. An answer that is lost leaves an upload that nobody says yes to.
    async fn begin(&self, bytes: u64) -> Result<(), Error> {
        let archive = Arc::new(self.location.archive().await?);
        let upload = Upload { backend: &self.backend, archive, bytes };
        match upload.done().await {
            Ok(import) => {
                self.own(&import).await?;
                self.location.note(self.note(), &Begun { import }).await?;
            }
            Err(Error::Backend(error)) if error.is_transient() => {
                self.backend.wait(&error).await;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Says yes. Whether that was understood is seen by how the import stands then.
    async fn confirm(&self, id: &str) -> Result<(), Error> {
        match self.backend.once.perform_import(id).await {
            Err(error) if error.is_transient() => self.backend.wait(&error).await,
            confirmed => {
                confirmed?;
                tracing::info!("the import is confirmed");
            }
        }
        Ok(())
    }

    fn note(&self) -> Note<'_> {
        Note::Import(&self.options.task.id)
    }

    /// Every table of the app has in the backend what it has in the snapshot, and there is no other; of those of
    /// components it is only known that no rows are missing in all.
    async fn is_all(&self, content: &Content) -> Result<(), Error> {
        let there = self.backend.ask(Deployment::documents).await?;
        let of_the_app = content.documents.iter().filter(|(table, _)| !table.contains('/'));
        let wanted: BTreeMap<_, _> =
            of_the_app.map(|(table, many)| (table.as_str(), *many)).collect();
        let tables = there.keys().map(String::as_str).chain(wanted.keys().copied());
        for table in tables {
            let there = there.get(table).copied().unwrap_or_default();
            let snapshot = wanted.get(table).copied().unwrap_or_default();
            if there != snapshot {
                return Err(Error::DocumentsDiffer { table: table.to_owned(), there, snapshot });
            }
        }
        Ok(())
    }

    /// Sets what differs; a variable that came since stays.
    async fn restored(&self, kept: Variables) -> Result<u64, Error> {
        let there = self.backend.ask(Deployment::variables).await?;
        let differs = |(name, value): &(String, String)| there.get(name) != Some(value);
        let wanted: BTreeMap<_, _> = kept.into_iter().filter(differs).collect();
        if !wanted.is_empty() {
            self.backend.ask(async |it| it.set_variables(&wanted).await).await?;
        }
        Ok(wanted.len() as u64)
    }

    /// What was told yes goes on by itself; what was not told so yet is taken back.
    async fn give_up(&self) {
        let Ok(Some(begun)) = self.location.noted::<Begun>(self.note()).await else { return };
        if let Err(error) = self.backend.once.cancel_import(&begun.import).await {
            tracing::warn!(%error, "the import could not be canceled");
        }
    }
}
