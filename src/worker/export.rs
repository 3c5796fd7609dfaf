//! An export: asked for, awaited, fetched, judged by its content, and only then called a snapshot.
//!
//! It may be cut off anywhere and run again: what was judged whole once is judged again, the export that an
//! earlier run has asked for is found by a note that was written before, and nothing is asked for twice.

mod error;

use std::{fs, time::Duration};

use chrono::Utc;
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::{fs::File, time::sleep};

pub use self::error::Error;
use super::{
    job::{Task, Work},
    report::Report,
    snapshot::{Content, Folder, Manifest},
};
use crate::convex::deployment::{self, Deployment, Export, ExportState};

/// How often the backend is asked how far it is.
const ASK: Duration = Duration::from_secs(1);
/// The note of the export that there was before ours.
const NOTE: &str = "export";

/// What a Job that exports is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    task: Task,
    /// The version that is exported from.
    #[arg(long)]
    version: String,
    /// Nobody may write meanwhile: the deployment has to say that it is paused, before and after, and the tables of the
    /// backend have to be those of the export.
    #[arg(long)]
    held: bool,
    /// Snapshots that stay; every other one beside this one is taken away once this one is there.
    #[arg(long, num_args = 1..)]
    keep: Vec<String>,
    /// No snapshot stays but this one and those to keep.
    #[arg(long)]
    prune: bool,
}

/// Which export there was before ours was asked for.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    before: Option<String>,
}

impl Note {
    /// Whether this one was asked for after the note was written. Nobody could write from then on, so one that
    /// somebody else has asked for is as good as ours, as long as files are in it.
    fn is_before(&self, export: &Export) -> bool {
        self.before.as_ref() != Some(&export.id) && export.files != Some(false)
    }
}

impl Work for Options {
    type Error = Error;

    fn task(&self) -> &Task {
        &self.task
    }

    async fn work(&self, deployment: Deployment) -> Result<Report, Error> {
        Exporter { options: self, deployment }.export().await
    }

    async fn give_up(&self, deployment: Deployment) {
        Exporter { options: self, deployment }.give_up().await;
    }
}

struct Exporter<'a> {
    options: &'a Options,
    deployment: Deployment,
}

impl Exporter<'_> {
    async fn export(&self) -> Result<Report, Error> {
        let folder = Folder::open(&self.options.task.folder)?;
        if let Some(report) = self.made_before(&folder).await? {
            return Ok(report);
        }
        let export = self.awaited(&folder).await?;
        self.fetch(&folder, &export).await?;
        let content = judged(&folder.part()).await?;
        self.is_all(&content).await?;
        let variables = self.deployment.variables().await?;
        folder.write(&folder.variables(), &variables)?;
        folder.publish()?;
        let manifest = Manifest {
            id: self.options.task.id.clone(),
            version: self.options.version.clone(),
            time: Utc::now(),
            content,
            variables: variables.len(),
        };
        folder.write(&folder.manifest(), &manifest)?;
        Ok(report(&manifest))
    }

    /// What an earlier run has made, judged once more.
    async fn made_before(&self, folder: &Folder) -> Result<Option<Report>, Error> {
        let Some(manifest) = folder.read::<Manifest>(&folder.manifest())? else { return Ok(None) };
        if manifest.id != self.options.task.id {
            return Err(Error::FolderTaken(manifest.id));
        }
        if judged(&folder.archive()).await? != manifest.content {
            return Err(Error::Changed);
        }
        Ok(Some(report(&manifest)))
    }

    /// Our own export, once it can be fetched.
    async fn awaited(&self, folder: &Folder) -> Result<Export, Error> {
        let mut told = None;
        loop {
            let export = self.ours(folder).await?;
            match export.state {
                ExportState::Completed => return Ok(export),
                ExportState::Canceled | ExportState::Failed => {
                    fs::remove_file(folder.note(NOTE))?;
                    return Err(Error::ExportCanceled);
                }
                ExportState::Requested | ExportState::InProgress => {}
            }
            let now = Some((export.state, export.progress.clone()));
            if told != now {
                tracing::info!(state = ?export.state, progress = export.progress, "the export is being made");
                told = now;
            }
            sleep(ASK).await;
        }
    }

    /// Our own export, asked for where that was not done yet.
    async fn ours(&self, folder: &Folder) -> Result<Export, Error> {
        loop {
            let latest = self.deployment.latest_export().await?;
            let note = folder.read::<Note>(&folder.note(NOTE))?;
            let id = latest.as_ref().map(|it| it.id.clone());
            match (note, latest) {
                (Some(note), Some(latest)) if note.is_before(&latest) => return Ok(latest),
                (_, Some(latest)) if latest.is_open() => {
                    tracing::info!("an export of somebody else is under way; waiting for its end");
                    sleep(ASK).await;
                }
                (Some(note), latest) if note.before != id => {
                    tracing::info!(
                        ?latest,
                        "somebody took an export without files; it is not ours"
                    );
                    fs::remove_file(folder.note(NOTE))?;
                }
                (None, latest) => {
                    has_room(folder, latest.and_then(|it| it.size))?;
                    folder.write(&folder.note(NOTE), &Note { before: id })?;
                }
                (Some(_), _) => match self.deployment.request_export().await {
                    // Somebody was faster: that one is not ours.
                    Err(deployment::Error::ExportInProgress) => fs::remove_file(folder.note(NOTE))?,
                    asked => asked?,
                },
            }
        }
    }

    async fn fetch(&self, folder: &Folder, export: &Export) -> Result<(), Error> {
        has_room(folder, export.size)?;
        let mut file = File::create(folder.part()).await?;
        let bytes = self.deployment.download(&export.id, &mut file).await?;
        file.sync_all().await?;
        tracing::info!(bytes, "the export was fetched");
        match export.size {
            Some(told) if told != bytes => Err(Error::SizeDiffers { told, bytes }),
            _ => Ok(()),
        }
    }

    /// Where nobody can write, the backend's own tables have as many documents as the export.
    async fn is_all(&self, content: &Content) -> Result<(), Error> {
        if !self.options.held {
            return Ok(());
        }
        let there = match self.deployment.documents().await {
            Ok(there) => there,
            Err(error) => {
                tracing::warn!(%error, "the backend cannot tell its tables; the export was judged by itself alone");
                return Ok(());
            }
        };
        for (table, there) in there {
            let exported = content.documents.get(&table).copied().unwrap_or_default();
            if exported != there {
                return Err(Error::DocumentsDiffer { table, there, exported });
            }
        }
        Ok(())
    }

    /// The backend would go on for ever.
    async fn give_up(&self) {
        let Ok(folder) = Folder::open(&self.options.task.folder) else { return };
        let note = folder.read::<Note>(&folder.note(NOTE)).ok().flatten();
        let latest = self.deployment.latest_export().await.ok().flatten();
        let ours = |it: &Export| note.is_some_and(|note| note.is_before(it));
        if let Some(export) = latest.filter(Export::is_open).filter(ours)
            && let Err(error) = self.deployment.cancel_export(&export.id).await
        {
            tracing::warn!(%error, "the export could not be canceled");
        }
    }
}

/// Refuses before anything is written what cannot end well.
fn has_room(folder: &Folder, needed: Option<u64>) -> Result<(), Error> {
    let free = folder.room()?;
    match needed {
        Some(needed) if needed > free => Err(Error::NoRoom { needed, free }),
        _ => Ok(()),
    }
}

/// Reads an export to its last byte, beside everything else.
async fn judged(path: &std::path::Path) -> Result<Content, Error> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || Content::read(&path)).await;
    Ok(read.map_err(std::io::Error::other)??)
}

fn report(manifest: &Manifest) -> Report {
    let content = &manifest.content;
    Report::Exported {
        id: manifest.id.clone(),
        bytes: content.bytes,
        sha256: content.sha256.clone(),
        tables: content.documents.len() as u64,
        documents: content.all_documents(),
        files: content.files,
        pruned: Vec::new(),
    }
}
