//! Clients that never stop asking, and what they had to bear.

use anyhow::Result;
use on_cluster::patron::{Gaps, Patron};

use crate::{content::TABLE, scene::Scene, story::seconds};

/// Somebody who asks `/version`, and a user of the app, until they are told to stop.
pub struct Clients {
    version: Patron,
    user: Patron,
}

/// What they had to bear.
pub struct Borne {
    /// Where `/version` had no answer.
    pub silence: Gaps,
    /// Where a user was not served: no answer, or turned away.
    pub refusal: Gaps,
}

impl Clients {
    /// Begins to ask.
    #[must_use]
    pub fn of(scene: &Scene) -> Self {
        let ask =
            |path: &str| Patron::of(scene.client.clone(), &scene.namespace, scene.name(), path);
        Self { version: ask("/version"), user: ask(&format!("/stand-in/documents/{TABLE}")) }
    }

    /// Stops them and tells what they had to bear.
    ///
    /// # Errors
    /// Nobody knows any more.
    pub async fn stopped(self) -> Result<Borne> {
        Ok(Borne { silence: self.version.stopped().await?, refusal: self.user.stopped().await? })
    }
}

/// How long, and in how many pieces.
#[must_use]
pub fn words(gaps: &Gaps) -> String {
    match gaps.count() {
        0 => "never".to_owned(),
        1 => format!("for {}", seconds(gaps.total())),
        several => format!("for {} in {several} pieces", seconds(gaps.total())),
    }
}
