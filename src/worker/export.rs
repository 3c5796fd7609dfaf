//! An export: asked for, awaited, fetched, judged by its content, and only then called a snapshot.
//!
//! It may be cut off anywhere and run again. Where nobody may write meanwhile, each run exports anew: nobody has looked whether
//! users were let in between two of them. Where anybody may, what was judged whole once is judged again, the export
//! that an earlier run has asked for is found by a note that was written before, and nothing is asked for twice.

mod asked;
mod error;
mod fetch;
mod imports;
mod request;

use std::time::Duration;

use chrono::Utc;
use clap::Args;

pub use self::{asked::Asked, error::Error};
use super::{
    backend::Backend,
    job::{Task, Work, beside},
    report::Report,
    snapshot::{self, Content, Keep, Location, Manifest, Note},
};
use crate::convex::deployment::{self, Deployment};

/// How often it is asked how far the backend is, and whether it is still held.
const ASK: Duration = Duration::from_secs(1);
/// How many snapshots are told at most: Kubernetes keeps 4,096 bytes of a report.
const MOST_TOLD: usize = 32;

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
    /// How many snapshots stay, this one among them: the newest. Every other one is taken away once this one is there. Left
    /// out, all stay.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    retain: Option<u32>,
    /// Snapshots that stay besides, however old.
    #[arg(long, num_args = 1..)]
    keep: Vec<String>,
}

impl Work for Options {
    type Error = Error;

    fn task(&self) -> &Task {
        &self.task
    }

    async fn work<L: Location>(&self, backend: Backend, location: L) -> Result<Report, Error> {
        Exporter { options: self, backend, location }.export().await
    }

    async fn give_up<L: Location>(&self, backend: Backend, location: L) {
        Exporter { options: self, backend, location }.give_up().await;
    }

    /// Where it is to be held the next one exports anew, and would wait for the end of this.
    fn is_gone_on_with(&self) -> bool {
        !self.held
    }
}

struct Exporter<'a, L> {
    options: &'a Options,
    backend: Backend,
    location: L,
}

impl<L: Location> Exporter<'_, L> {
    async fn export(&self) -> Result<Report, Error> {
        let manifest = match self.made_before().await? {
            Some(manifest) => manifest,
            None => self.made_now().await?,
        };
        let newest =
            self.options.retain.map_or(usize::MAX, |it| it.try_into().unwrap_or(usize::MAX));
        let keep = self.keep(newest);
        Ok(report(&manifest, snapshot::prune(&self.location, keep).await?))
    }

    fn keep(&self, newest: usize) -> Keep<'_> {
        let Options { task: Task { id: new, instance, .. }, keep: needed, .. } = self.options;
        Keep { new, instance, newest, needed }
    }

    async fn made_now(&self) -> Result<Manifest, Error> {
        // A worker whose backend is gone, or lets users in, has nothing to put in the place of what there is.
        self.is_held().await?;
        let made = tokio::select! {
            made = self.made() => made,
            error = self.hold_is_broken() => Err(error),
        };
        if let Err(error) = &made {
            self.clear(error).await;
        }
        made
    }

    async fn made(&self) -> Result<Manifest, Error> {
        let location = &self.location;
        if self.options.held {
            self.start_over().await?;
        }
        let export = self.awaited().await?;
        let sum = self.fetched(&export).await?;
        let archive = location.drafted().await?;
        let content = beside(move || Content::judge(&archive, sum)).await??;
        self.is_all(&content).await?;
        self.is_held().await?;
        self.is_as_it_was().await?;
        let variables = self.backend.ask(Deployment::variables).await?;
        location.note(Note::Variables, &variables).await?;
        location.publish().await?;
        let manifest = Manifest {
            id: self.options.task.id.clone(),
            instance: Some(self.options.task.instance.clone()),
            version: self.options.version.clone(),
            time: Utc::now(),
            content,
            variables: variables.len(),
            variables_sha256: Some(snapshot::variables_digest(&variables)),
        };
        location.note(Note::Manifest, &manifest).await?;
        Ok(manifest)
    }

    /// Leaves nothing that the next run must not go on with. Best effort: a file that is left takes room, and no more.
    async fn clear(&self, error: &Error) {
        let _ = self.location.discard().await;
        if error.is_of_the_export() {
            self.cancel().await;
            let _ = self.location.forget(Note::Export).await;
        }
    }

    /// Ends as soon as somebody is let in who may write, and is to be held.
    async fn hold_is_broken(&self) -> Error {
        // Its own: an answer to this says nothing of what else is asked again and again meanwhile.
        let backend = Backend::new(self.backend.once.clone());
        loop {
            tokio::time::sleep(ASK).await;
            if let Err(error) = self.is_held_by(&backend).await {
                return error;
            }
        }
    }

    /// What an earlier run has made, judged once more.
    async fn made_before(&self) -> Result<Option<Manifest>, Error> {
        let noted = self.location.noted::<Manifest>(Note::Manifest).await?;
        let Some(manifest) = noted else { return Ok(None) };
        let Task { id, instance, .. } = &self.options.task;
        if !manifest.is_of(id, instance) {
            return Err(Error::FolderTaken(manifest.id));
        }
        if self.options.held {
            return Ok(None);
        }
        let archive = self.location.archive().await.map_err(snapshot::Error::Unreadable)?;
        let content = beside(move || Content::read(&archive)).await??;
        if content == manifest.content { Ok(Some(manifest)) } else { Err(Error::Changed) }
    }

    /// Where it is to be held, the deployment says that it is.
    async fn is_held(&self) -> Result<(), Error> {
        self.is_held_by(&self.backend).await
    }

    async fn is_held_by(&self, backend: &Backend) -> Result<(), Error> {
        if !self.options.held {
            return Ok(());
        }
        match backend.ask(Deployment::is_paused).await {
            Ok(Some(true)) => Ok(()),
            Ok(Some(false)) => Err(Error::NotHeld("says that it is not paused")),
            Ok(None) | Err(deployment::Error::Refused { .. }) => {
                Err(Error::NotHeld("does not say whether it is paused"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where nobody can write, the backend's own tables have as many documents as the export.
    async fn is_all(&self, content: &Content) -> Result<(), Error> {
        if !self.options.held {
            return Ok(());
        }
        let there = self.backend.ask(Deployment::documents).await.map_err(untold)?;
        for (table, there) in there {
            let exported = content.documents.get(&table).copied().unwrap_or_default();
            if exported != there {
                return Err(Error::DocumentsDiffer { table, there, exported });
            }
        }
        Ok(())
    }
}

/// What cannot be compared now cannot be compared after an import either.
fn untold(error: deployment::Error) -> Error {
    match error {
        deployment::Error::Refused { .. } => Error::TablesUntold(error),
        other => other.into(),
    }
}

fn report(manifest: &Manifest, beside: Vec<String>) -> Report {
    let content = &manifest.content;
    let mut kept = vec![manifest.id.clone()];
    kept.extend(beside);
    // A report has its limit; the volume has them all.
    kept.truncate(MOST_TOLD);
    Report::Exported {
        id: manifest.id.clone(),
        bytes: content.bytes,
        sha256: content.sha256.clone(),
        tables: content.documents.len() as u64,
        documents: content.all_documents(),
        files: content.files,
        version: manifest.version.clone(),
        time: manifest.time,
        kept,
    }
}
