//! Our own export: asked for once, found again by a note that was written before, and awaited.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{ASK, Asked, Error, Exporter};
use crate::{
    convex::deployment::{self, Deployment, Export, ExportState},
    worker::snapshot::{Location, Note},
};

/// How long a worker that ends waits for an export to be canceled: less than a container is given to end.
const FAREWELL: Duration = Duration::from_secs(5);

impl<L: Location> Exporter<'_, L> {
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
        let location = &self.location;
        loop {
            let latest = self.backend.ask(Deployment::latest_export).await?;
            let noted = location.noted::<Asked>(Note::Export).await?;
            let id = latest.as_ref().map(|it| it.id.clone());
            match (noted, latest) {
                (Some(noted), Some(latest)) if noted.is_before(&latest) => {
                    return self.found(noted, latest).await;
                }
                (_, Some(latest)) if latest.is_open() => self.wait_for(&latest).await,
                (Some(noted), _) if noted.before != id => {
                    tracing::info!(latest = id, "the latest export has no files; it is not ours");
                    location.forget(Note::Export).await?;
                }
                (None, _) => self.prepare().await?,
                (Some(_), _) => self.request().await?,
            }
        }
    }

    /// Which one is ours is kept: a worker that comes late has no other to cancel.
    async fn found(&self, mut noted: Asked, export: Export) -> Result<Export, Error> {
        self.backend.does(None);
        if noted.ours.is_none() {
            noted.ours = Some(export.id.clone());
            self.location.note(Note::Export, &noted).await?;
        }
        Ok(export)
    }

    async fn wait_for(&self, other: &Export) {
        tracing::info!(
            export = other.id,
            "an export of somebody else is under way; waiting for its end"
        );
        self.backend.does(Some(format!("it still makes export {} of somebody else, whose end ours waits for. Cancel it in the dashboard if nobody needs it", other.id)));
        sleep(ASK).await;
    }

    /// Writes down what there is before ours is asked for. Imports come first: an export that somebody has asked for
    /// meanwhile is in the note, and never taken for ours.
    async fn prepare(&self) -> Result<(), Error> {
        let held = self.options.held;
        self.is_held().await?;
        let imports = self.no_import().await?;
        let latest = self.backend.ask(Deployment::latest_export).await?;
        if latest.as_ref().is_some_and(Export::is_open) {
            return Ok(());
        }
        self.backend.does(None);
        self.has_room_for_one_like(latest.as_ref().and_then(|it| it.size)).await?;
        let before = latest.map(|it| it.id);
        let asked = Asked { before, ours: None, imports: Some(imports), held };
        Ok(self.location.note(Note::Export, &asked).await?)
    }

    /// Nothing was imported since our export was asked for.
    pub(super) async fn is_as_it_was(&self) -> Result<(), Error> {
        let noted = self.location.noted::<Asked>(Note::Export).await?;
        match noted.and_then(|it| it.imports) {
            Some(before) => self.is_untouched(&before).await,
            None => Ok(()),
        }
    }

    /// What a run before this one has asked for or made is none of ours: somebody may have been let in since. The manifest
    /// goes last: without it nobody would find what is left.
    pub(super) async fn start_over(&self) -> Result<(), Error> {
        self.cancel().await;
        self.location.forget(Note::Export).await?;
        self.location.withdraw().await?;
        Ok(self.location.forget(Note::Manifest).await?)
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

    /// Refuses before anything is asked for what cannot end well: the next export is as large as the last one, or larger.
    async fn has_room_for_one_like(&self, latest: Option<u64>) -> Result<(), Error> {
        self.location.discard().await?;
        let newest = self.location.others().await?.into_iter().find(|it| it.whole);
        self.has_room(newest.map(|it| it.bytes).max(latest)).await
    }

    /// The backend would go on for ever.
    pub(super) async fn give_up(&self) {
        let _ = self.location.discard().await;
        self.cancel().await;
    }

    /// Cancels our own export where it is not done. Best effort: one that goes on is waited for by the next run.
    pub(super) async fn cancel(&self) {
        if timeout(FAREWELL, self.canceled()).await.is_err() {
            tracing::warn!("the backend did not say in time whether the export is canceled");
        }
    }

    async fn canceled(&self) {
        let noted = self.location.noted::<Asked>(Note::Export).await.ok().flatten();
        let latest = self.backend.once.latest_export().await.ok().flatten();
        let ours = |it: &Export| noted.as_ref().is_some_and(|noted| noted.is_of(it));
        if let Some(export) = latest.filter(Export::is_open).filter(ours)
            && let Err(error) = self.backend.once.cancel_export(&export.id).await
        {
            tracing::warn!(%error, "the export could not be canceled");
        }
    }
}
