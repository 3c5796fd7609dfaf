//! Counting writes, and the one at which something happens to the operator.

use std::{
    fmt::{self, Display, Formatter},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{Method, request::Parts};
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
    /// Told when a stopped operator may go on.
    pub(super) thawed: Arc<Notify>,
}

#[derive(Default)]
struct Seen {
    instance: String,
    writes: Vec<Write>,
    last: Option<Instant>,
    cut: Option<Cut>,
    has_cut: bool,
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

    pub(super) fn quiet(&self) -> Duration {
        self.seen().last.map_or(Duration::ZERO, |last| last.elapsed())
    }

    /// Whether this is the write that is cut.
    pub(super) fn meet(&self, parts: &Parts, body: &[u8]) -> Option<Cut> {
        let write = written(parts, body)?;
        let mut seen = self.seen();
        let names = |text: &str| !seen.instance.is_empty() && text.contains(&seen.instance);
        if !names(&write.object) && !names(&String::from_utf8_lossy(body)) {
            return None;
        }
        seen.writes.push(write);
        seen.last = Some(Instant::now());
        let number = seen.writes.len();
        seen.cut.clone().filter(|cut| cut.number == number)
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
    Some(Write { verb: parts.method.to_string(), object })
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(method: &str, path: &str) -> Parts {
        Request::builder().method(method).uri(path).body(()).unwrap().into_parts().0
    }

    #[test]
    fn writes_about_the_instance_are_counted_and_the_right_one_is_cut() {
        let watchman = Watchman::default();
        let nobody = Pid::from_raw(i32::MAX).unwrap();
        let cut = Cut { number: 2, mode: Mode::Before, pid: nobody };
        watchman.watch("run7", Some(cut));
        let jobs = "/apis/batch/v1/namespaces/a/jobs";
        let lease = "/apis/coordination.k8s.io/v1/namespaces/a/leases/convex-operator";
        let body = br#"{"metadata":{"name":"run7-copy-1"}}"#;
        assert!(watchman.meet(&parts("GET", jobs), b"").is_none());
        assert!(watchman.meet(&parts("PATCH", lease), b"run7").is_none());
        assert!(watchman.meet(&parts("DELETE", &format!("{jobs}/run6-copy-1")), b"").is_none());
        assert!(watchman.meet(&parts("POST", jobs), body).is_none());
        let met = watchman.meet(&parts("DELETE", &format!("{jobs}/run7-copy-1")), b"");
        assert_eq!(met.unwrap().number, 2);
        watchman.signal(Signal::KILL);
        assert!(!watchman.has_cut(), "nobody was there to be killed");
        let seen: Vec<_> = watchman.writes().iter().map(ToString::to_string).collect();
        assert_eq!(seen, ["POST jobs/run7-copy-1", "DELETE jobs/run7-copy-1"]);
    }
}
