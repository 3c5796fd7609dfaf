//! The backend of a worker: it is asked again while it is away for a while, as one that restarts is.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    convex::deployment::{Deployment, Error, Imports},
    retry::Backoffs,
};

/// The longest pause between two tries: a backend that is there again is not kept waiting.
const LONGEST: Duration = Duration::from_secs(10);
/// There is one backend only.
const ONE: &str = "backend";

/// A deployment that is asked until it answers. Nothing here ends by itself: the deadline of the worker does that.
#[derive(Clone)]
pub struct Backend {
    /// The deployment, asked once.
    pub once: Deployment,
    patience: Arc<Patience>,
}

#[derive(Default)]
struct Patience {
    backoffs: Backoffs,
    trouble: Mutex<Option<String>>,
    does: Mutex<Option<String>>,
}

impl Backend {
    /// The backend that this deployment is.
    #[must_use]
    pub fn new(once: Deployment) -> Self {
        Self { once, patience: Arc::default() }
    }

    /// Asks until there is an answer, which may be a refusal. What is asked must bear to be asked twice: an answer that
    /// was lost on its way may have been a yes.
    ///
    /// # Errors
    /// What asking again does not mend.
    pub async fn ask<T>(
        &self,
        mut question: impl AsyncFnMut(&Deployment) -> Result<T, Error>,
    ) -> Result<T, Error> {
        loop {
            match question(&self.once).await {
                Err(error) if error.is_transient() => self.wait(&error).await,
                answered => {
                    self.is_back();
                    return answered;
                }
            }
        }
    }

    /// The imports that the backend performs or has performed, asked for until it tells: a function that fails, as one that ran
    /// out of time does, has told nothing, and "none" is what nobody may guess. Every backend has the function whose imports
    /// Convex's own CLI performs, since that asks it first.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn imports(&self) -> Result<Imports, Error> {
        loop {
            match self.once.imports().await {
                Err(error) if error.is_transient() || matches!(error, Error::Refused { .. }) => {
                    self.wait(&error).await;
                }
                told => {
                    self.is_back();
                    return told;
                }
            }
        }
    }

    /// Waits after a failure that may pass, longer from failure to failure.
    pub async fn wait(&self, error: &Error) {
        let pause = self.patience.backoffs.next(ONE).min(LONGEST);
        tracing::warn!(%error, ?pause, "the backend is asked again");
        self.is_away(Some(error.to_string()));
        tokio::time::sleep(pause).await;
    }

    /// It answers.
    pub fn is_back(&self) {
        self.patience.backoffs.reset(ONE);
        self.is_away(None);
    }

    /// What it does first, if anything, for whoever reads why nothing came to its end.
    pub fn does(&self, what: Option<String>) {
        *self.patience.does.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// Why it gave no answer the last time that it was asked, or else what it does first.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let told =
            |it: &Mutex<Option<String>>| it.lock().unwrap_or_else(PoisonError::into_inner).clone();
        told(&self.patience.trouble).or_else(|| told(&self.patience.does))
    }

    fn is_away(&self, trouble: Option<String>) {
        *self.patience.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}
