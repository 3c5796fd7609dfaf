//! Our own export: asked for once, found again by a note that was written before, and awaited.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::{Error, Exporter, fetch::has_room};
use crate::{
    convex::deployment::{self, Deployment, Export, ExportState},
    worker::snapshot::Neighbour,
};

/// How often the backend is asked how far it is.
const ASK: Duration = Duration::from_secs(1);
/// The note of the export that there was before ours.
pub(super) const NOTE: &str = "export";
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

impl Exporter<'_> {
    /// Our own export, once it can be fetched.
    pub(super) async fn awaited(&self) -> Result<Export, Error> {
        let mut told = None;
        loop {
            let export = self.ours().await?;
            match export.state {
                ExportState::Completed => return Ok(export),
                ExportState::Canceled | ExportState::Failed => return Err(Error::ExportCanceled),
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
    async fn ours(&self) -> Result<Export, Error> {
        let folder = &self.folder;
        let note = folder.note(NOTE);
        loop {
            let latest = self.backend.ask(Deployment::latest_export).await?;
            let noted = folder.read::<Note>(&note)?;
            let id = latest.as_ref().map(|it| it.id.clone());
            match (noted, latest) {
                (Some(noted), Some(latest)) if noted.is_before(&latest) => return Ok(latest),
                (_, Some(latest)) if latest.is_open() => {
                    tracing::info!("an export of somebody else is under way; waiting for its end");
                    sleep(ASK).await;
                }
                (Some(noted), _) if noted.before != id => {
                    tracing::info!(latest = id, "the latest export has no files; it is not ours");
                    folder.forget(&note)?;
                }
                (None, latest) => {
                    self.is_held().await?;
                    self.has_room_for_one_like(latest.and_then(|it| it.size))?;
                    folder.write(&note, &Note { before: id })?;
                }
                (Some(_), _) => self.request().await?,
            }
        }
    }

    /// Asks for an export. Whether that was understood is seen by the export that is there then: an answer may be lost.
    async fn request(&self) -> Result<(), Error> {
        self.is_held().await?;
        match self.backend.once.request_export().await {
            Err(error) if error.is_transient() => self.backend.wait(&error).await,
            // It was asked for since we looked: by us in vain, or by somebody else.
            Err(deployment::Error::ExportInProgress) => sleep(ASK).await,
            asked => asked?,
        }
        Ok(())
    }

    /// Refuses before anything is asked for what cannot end well: the next export is as large as those before, or larger.
    fn has_room_for_one_like(&self, latest: Option<u64>) -> Result<(), Error> {
        self.folder.discard()?;
        let beside = Neighbour::all(&self.folder)?.into_iter().map(|it| it.bytes);
        has_room(&self.folder, beside.chain(latest).max())
    }

    /// The backend would go on for ever.
    pub(super) async fn give_up(&self) {
        let _ = self.folder.discard();
        let note = self.folder.read::<Note>(&self.folder.note(NOTE)).ok().flatten();
        let latest = self.backend.once.latest_export().await.ok().flatten();
        let ours = |it: &Export| note.is_some_and(|note| note.is_before(it));
        if let Some(export) = latest.filter(Export::is_open).filter(ours)
            && let Err(error) = self.backend.once.cancel_export(&export.id).await
        {
            tracing::warn!(%error, "the export could not be canceled");
        }
    }
}
