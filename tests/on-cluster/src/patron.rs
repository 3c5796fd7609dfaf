//! A client that never stops asking, through the Service as all clients do, and what it had to bear.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http::Request;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

/// Between two questions.
const PACE: Duration = Duration::from_millis(50);
/// How long a question is waited for.
const ANSWER: Duration = Duration::from_millis(500);

/// Somebody who asks until told to stop.
#[derive(Debug)]
pub struct Patron {
    stop: watch::Sender<bool>,
    work: JoinHandle<Gaps>,
}

/// The times from one answer to the next between which a question had none.
#[derive(Clone, Debug, Default)]
pub struct Gaps(Vec<Duration>);

impl Patron {
    /// Begins to ask the backend of an instance for a path, such as `/version`.
    #[must_use]
    pub fn of(client: kube::Client, namespace: &str, instance: &str, path: &str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let service =
            format!("/api/v1/namespaces/{namespace}/services/{instance}-backend:api/proxy{path}");
        Self { stop, work: tokio::spawn(asked(client, service, stopped)) }
    }

    /// Stops, and tells what there was to bear.
    ///
    /// # Errors
    /// Nobody knows any more.
    pub async fn stopped(self) -> Result<Gaps> {
        // It may have ended with the runtime.
        let _ = self.stop.send(true);
        self.work.await.context("a client")
    }
}

impl Gaps {
    /// All of them together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// How many there were.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.0.len()
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
