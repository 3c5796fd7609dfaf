//! A client that never stops asking, through the Service as all clients do, and what it had to bear.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http::Request;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    content::TABLE,
    scene::{NAME, Scene},
    story::seconds,
};

/// Between two questions.
const PACE: Duration = Duration::from_millis(50);
/// How long a question is waited for.
const ANSWER: Duration = Duration::from_millis(500);

/// Somebody who asks `/version`, and a user of the app, until they are told to stop.
pub struct Clients {
    stop: watch::Sender<bool>,
    version: JoinHandle<Gaps>,
    user: JoinHandle<Gaps>,
}

/// What they had to bear.
pub struct Borne {
    /// Where `/version` had no answer.
    pub silence: Gaps,
    /// Where a user was not served: no answer, or turned away.
    pub refusal: Gaps,
}

/// The times from one answer to the next between which a question had none.
#[derive(Clone, Debug, Default)]
pub struct Gaps(Vec<Duration>);

impl Clients {
    /// Begins to ask.
    #[must_use]
    pub fn of(scene: &Scene) -> Self {
        let (stop, stopped) = watch::channel(false);
        let namespace = &scene.namespace;
        let service = format!("/api/v1/namespaces/{namespace}/services/{NAME}-backend:api/proxy");
        let ask = |path: String| {
            tokio::spawn(asked(scene.client.clone(), service.clone() + &path, stopped.clone()))
        };
        let version = ask("/version".to_owned());
        let user = ask(format!("/stand-in/documents/{TABLE}"));
        Self { stop, version, user }
    }

    /// Stops them and tells what they had to bear.
    ///
    /// # Errors
    /// Nobody knows any more.
    pub async fn stopped(self) -> Result<Borne> {
        // They may have ended with the runtime.
        let _ = self.stop.send(true);
        let (silence, refusal) = (self.version.await, self.user.await);
        Ok(Borne { silence: silence.context("clients")?, refusal: refusal.context("users")? })
    }
}

impl Gaps {
    /// All of them together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// Whether there was none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long, and in how many pieces.
    #[must_use]
    pub fn words(&self) -> String {
        match self.0.len() {
            0 => "never".to_owned(),
            1 => format!("for {}", seconds(self.total())),
            several => format!("for {} in {several} pieces", seconds(self.total())),
        }
    }
}

async fn asked(client: kube::Client, path: String, stopped: watch::Receiver<bool>) -> Gaps {
    let mut beat = interval(PACE);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut answered, mut missed, mut gaps) = (Instant::now(), false, Gaps::default());
    while !*stopped.borrow() {
        beat.tick().await;
        let well = is_answered(&client, &path).await;
        if well && missed {
            gaps.0.push(answered.elapsed());
        }
        if well {
            answered = Instant::now();
        }
        missed = !well;
    }
    if missed {
        gaps.0.push(answered.elapsed());
    }
    gaps
}

async fn is_answered(client: &kube::Client, path: &str) -> bool {
    let Ok(request) = Request::get(path).body(Vec::new()) else { return false };
    matches!(timeout(ANSWER, client.request_text(request)).await, Ok(Ok(_)))
}
