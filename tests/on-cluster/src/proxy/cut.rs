//! Counting writes, and the one at which something happens to the operator.

use std::{
    fmt::{self, Display, Formatter},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{Method, StatusCode, request::Parts};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::Notify;

/// What happens at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// The API server never hears of it, and the operator is killed.
    Before,
    /// The API server does it, and the operator is killed before it hears of that.
    During,
    /// The operator is killed once it has the answer.
    After,
    /// The operator is stopped, and the write goes on later.
    Frozen,
}

impl Mode {
    /// The three that kill.
    pub const KILLS: [Self; 3] = [Self::Before, Self::During, Self::After];
}

/// At which write what happens to whom.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The number of the write, from 1.
    pub number: usize,
    /// What happens.
    pub mode: Mode,
    /// The operator.
    pub pid: Pid,
}

/// A write as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The method of HTTP.
    pub verb: String,
    /// `resource/name`, and a subresource where there is one.
    pub object: String,
    /// The phase, with its stage after a slash, that begins with it.
    pub enters: Option<String>,
    /// What the API server said; nothing while it has not, or where it never heard of it.
    pub answer: Option<StatusCode>,
}

impl Write {
    /// Whether the API server did it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.answer.is_some_and(|code| code.is_success())
    }
}

/// Which write of which instance a request is.
#[derive(Debug)]
pub(super) struct Met {
    instance: String,
    number: usize,
    /// What happens at it.
    pub(super) cut: Option<Cut>,
    /// Told when it may go on, where it is held.
    pub(super) thawed: Arc<Notify>,
}

impl Display for Write {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "{} {}", self.verb, self.object)
    }
}

/// Who counts; its clones count together.
#[derive(Clone, Default)]
pub(super) struct Watchman {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    instance: String,
    writes: Vec<Write>,
    edges: usize,
    last: Option<Instant>,
    cut: Option<Cut>,
    has_cut: bool,
    /// Told when the write that is held may go on; another one for every instance, for a word too much would let go the
    /// write of the next one.
    thawed: Arc<Notify>,
}

impl Watchman {
    pub(super) fn watch(&self, instance: &str, cut: Option<Cut>) {
        let last = Some(Instant::now());
        *self.seen() = Seen { instance: instance.to_owned(), cut, last, ..Seen::default() };
    }

    pub(super) fn writes(&self) -> Vec<Write> {
        self.seen().writes.clone()
    }

    pub(super) fn has_cut(&self) -> bool {
        self.seen().has_cut
    }

    pub(super) fn thaw(&self) {
        self.seen().thawed.notify_one();
    }

    pub(super) fn quiet(&self) -> Duration {
        self.seen().last.map_or(Duration::ZERO, |last| last.elapsed())
    }

    /// Which write this is, where it is one about the instance.
    pub(super) fn meet(&self, parts: &Parts, body: &[u8]) -> Option<Met> {
        let mut write = written(parts, body)?;
        let mut seen = self.seen();
        let names = |text: &str| !seen.instance.is_empty() && text.contains(&seen.instance);
        if !names(&write.object) && !names(&String::from_utf8_lossy(body)) {
            return None;
        }
        let (edges, entered) = edges(body);
        if edges > seen.edges {
            (seen.edges, write.enters) = (edges, entered);
        }
        seen.writes.push(write);
        seen.last = Some(Instant::now());
        let (instance, number) = (seen.instance.clone(), seen.writes.len());
        let cut = seen.cut.clone().filter(|cut| cut.number == number);
        Some(Met { instance, number, cut, thawed: seen.thawed.clone() })
    }

    /// Keeps what the API server said to a write; one of an instance before is forgotten.
    pub(super) fn answered(&self, met: &Met, code: StatusCode) {
        let mut seen = self.seen();
        if seen.instance == met.instance
            && let Some(write) = seen.writes.get_mut(met.number - 1)
        {
            write.answer = Some(code);
            seen.last = Some(Instant::now());
        }
    }

    /// Only what has reached the operator counts as a cut.
    pub(super) fn signal(&self, signal: Signal) {
        let mut seen = self.seen();
        let Some(pid) = seen.cut.as_ref().map(|cut| cut.pid) else { return };
        match kill_process(pid, signal) {
            Ok(()) => seen.has_cut = true,
            Err(error) => eprintln!("the operator was not ended: {error}"),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// None where nothing is written, or nothing but a lease.
fn written(parts: &Parts, body: &[u8]) -> Option<Write> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method) {
        return None;
    }
    let path: Vec<_> = parts.uri.path().split('/').collect();
    let at = path.iter().position(|word| *word == "namespaces")?;
    let mut object = path.get(at + 2..)?.join("/");
    if object.starts_with("leases") {
        return None;
    }
    if parts.method == Method::POST {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let reason = sent["reason"].as_str().map(|it| format!(" {it}"));
        let name = sent["metadata"]["name"].as_str().unwrap_or_default();
        object = format!("{object}/{name}{}", reason.unwrap_or_default());
    }
    Some(Write { verb: parts.method.to_string(), object, enters: None, answer: None })
}

/// How many edges a status tells of that is sent, and where the last one leads.
fn edges(body: &[u8]) -> (usize, Option<String>) {
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let told = sent["status"]["history"].as_array().cloned().unwrap_or_default();
    (told.len(), told.last().and_then(|it| it["to"].as_str()).map(ToOwned::to_owned))
}

#[cfg(test)]
mod tests;
