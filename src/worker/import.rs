//! An import: a snapshot that is judged once more, carried into the backend, and counted there.
//!
//! Whether it may say yes to the backend is asked at its start: the record is in the environment of a container, which
//! does not change while it runs. Who takes the permit from a Job that runs has to end its pod as well.
//!
//! It may be cut off anywhere and run again: the import that an earlier run has begun is found by its note and
//! followed to its end, and one that has come to its end is only counted again.

mod error;

use std::{collections::BTreeMap, fs, time::Duration};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{fs::File, io::AsyncReadExt, time::sleep};

pub use self::error::Error;
use super::{
    job::{Task, Work},
    permit,
    report::Report,
    snapshot::{Content, Folder, Manifest},
};
use crate::convex::deployment::{Deployment, ImportState};

/// How often the backend is asked how far it is.
const ASK: Duration = Duration::from_secs(1);
/// The smallest part of an upload; Convex's own CLI sends as much.
const PART: u64 = 5 * 1024 * 1024;
/// How many parts an upload may have is one more.
const PARTS: u64 = 9_999;

/// What a Job that imports is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    task: Task,
    /// What the operator called the snapshot that is carried in.
    #[arg(long)]
    snapshot: String,
    /// The record, as JSON, as it was when this container started; empty where there is none.
    #[arg(long, env = "RECORD", default_value = "")]
    record: String,
}

/// The import that was begun.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    import: String,
}

impl Work for Options {
    type Error = Error;

    fn task(&self) -> &Task {
        &self.task
    }

    async fn work(&self, deployment: Deployment) -> Result<Report, Error> {
        Importer { options: self, deployment }.import().await
    }

    async fn give_up(&self, deployment: Deployment) {
        Importer { options: self, deployment }.give_up().await;
    }
}

struct Importer<'a> {
    options: &'a Options,
    deployment: Deployment,
}

impl Importer<'_> {
    async fn import(&self) -> Result<Report, Error> {
        let Options { task, snapshot, record } = self.options;
        permit::of(record, &task.id)?;
        let folder = Folder::open(&task.folder)?;
        let manifest = self.judged(&folder).await?;
        let rows = self.performed(&folder, &manifest.content).await?;
        let documents = manifest.content.all_documents();
        if rows < documents {
            return Err(Error::RowsMissing { rows, documents });
        }
        self.is_all(&manifest.content).await?;
        let variables = self.restored_variables(&folder).await?;
        Ok(Report::Imported {
            id: task.id.clone(),
            snapshot: snapshot.clone(),
            documents,
            variables,
        })
    }

    /// The snapshot, which is what it was when it was called one.
    async fn judged(&self, folder: &Folder) -> Result<Manifest, Error> {
        let manifest = folder.read::<Manifest>(&folder.manifest())?;
        let wanted = self.options.snapshot.clone();
        let Some(manifest) = manifest else { return Err(Error::SnapshotMissing(wanted)) };
        if manifest.id != wanted {
            return Err(Error::OtherSnapshot { wanted, found: manifest.id });
        }
        let path = folder.archive();
        let read = tokio::task::spawn_blocking(move || Content::read(&path)).await;
        let content = read.map_err(std::io::Error::other)??;
        if content == manifest.content { Ok(manifest) } else { Err(Error::Changed) }
    }

    /// Follows the import of this attempt to its end, and says how many rows it wrote.
    async fn performed(&self, folder: &Folder, content: &Content) -> Result<u64, Error> {
        let note = folder.note(&format!("import-{}", self.options.task.id));
        loop {
            let Some(begun) = folder.read::<Note>(&note)? else {
                let import = self.upload(folder, content.bytes).await?;
                folder.write(&note, &Note { import })?;
                continue;
            };
            match self.deployment.import(&begun.import).await? {
                Some(ImportState::Completed { rows }) => return Ok(rows),
                Some(ImportState::Failed) => {
                    fs::remove_file(&note)?;
                    return Err(Error::ImportFailed);
                }
                Some(ImportState::WaitingForConfirmation) => {
                    tracing::info!("the import is confirmed");
                    self.deployment.perform_import(&begun.import).await?;
                }
                Some(ImportState::Uploaded | ImportState::InProgress) => sleep(ASK).await,
                // It was begun in a store that is not this one any more.
                None => fs::remove_file(&note)?,
            }
        }
    }

    async fn upload(&self, folder: &Folder, bytes: u64) -> Result<String, Error> {
        let token = self.deployment.start_upload().await?;
        let size = PART.max(bytes.div_ceil(PARTS));
        let mut file = File::open(folder.archive()).await?;
        let mut parts: Vec<Value> = Vec::new();
        loop {
            let mut part = Vec::new();
            (&mut file).take(size).read_to_end(&mut part).await?;
            if part.is_empty() && !parts.is_empty() {
                break;
            }
            let number = parts.len() as u64 + 1;
            parts.push(self.deployment.upload_part(&token, number, part).await?);
            tracing::info!(part = number, of = bytes.div_ceil(size), "a part was uploaded");
        }
        Ok(self.deployment.finish_upload(&token, &parts).await?)
    }

    /// Every table has in the backend what it has in the snapshot, and there is no other.
    async fn is_all(&self, content: &Content) -> Result<(), Error> {
        let there = self.deployment.documents().await?;
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
    async fn restored_variables(&self, folder: &Folder) -> Result<u64, Error> {
        let kept: BTreeMap<String, String> = folder.read(&folder.variables())?.unwrap_or_default();
        let there = self.deployment.variables().await?;
        let differs = |(name, value): &(String, String)| there.get(name) != Some(value);
        let wanted: BTreeMap<_, _> = kept.into_iter().filter(differs).collect();
        if !wanted.is_empty() {
            self.deployment.set_variables(&wanted).await?;
        }
        Ok(wanted.len() as u64)
    }

    /// What was told yes goes on by itself; what was not told so yet is taken back.
    async fn give_up(&self) {
        let Ok(folder) = Folder::open(&self.options.task.folder) else { return };
        let note = folder.note(&format!("import-{}", self.options.task.id));
        let Ok(Some(begun)) = folder.read::<Note>(&note) else { return };
        if let Err(error) = self.deployment.cancel_import(&begun.import).await {
            tracing::warn!(%error, "the import could not be canceled");
        }
    }
}
