//! What a preflight found, as one line of JSON in the termination message of its container.
//!
//! It is made of words that are known here, so that no value of a Secret can be in it, whatever a server answers. What people
//! read is written by the operator.

use std::{fs, io, path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    code::Code,
    reason::{Reason, Why},
    subject::Subject,
};

/// What Kubernetes keeps of a termination message, in bytes.
const LARGEST: usize = 4096;
/// One database, and a bucket for each of five purposes.
const MOST: usize = 6;

/// What a preflight found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    preflight: Form,
    /// Every server that the backend depends on.
    pub dependencies: Vec<Finding>,
}

/// How the verdict is written; another form is another operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Form {
    #[serde(rename = "v1")]
    V1,
}

/// What was found of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which one.
    pub name: Subject,
    /// How long it took to get in, where that was possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Why the backend could not work with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What the backend can work with, and people should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Why a backend could not work with a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What condition and message are called by.
    pub reason: Reason,
    /// What exactly, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// The server's own word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

impl Failure {
    /// A failure for a reason.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self { reason, why: None, code: None }
    }

    /// The same, more exactly.
    #[must_use]
    pub fn why(self, why: Why) -> Self {
        Self { why: Some(why), ..self }
    }

    /// The same, in the server's own word.
    #[must_use]
    pub fn code(self, code: &str) -> Self {
        Self { code: Code::of(code), ..self }
    }
}

/// What people should know though it keeps no backend from starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Note {
    /// The server takes fewer connections than the backend opens.
    Connections {
        /// How many the server takes.
        allowed: u32,
        /// How many the backend may open.
        pool: u32,
    },
    /// Objects may not be deleted.
    Undeletable,
    /// Databases are to be made where they are missing, and the user may make none.
    Uncreatable,
}

/// What was learnt of a server that can be worked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// How long it took to get in.
    pub latency: Duration,
    /// What people should know.
    pub note: Option<Note>,
}

impl Finding {
    /// What a check came to.
    #[must_use]
    pub fn of(name: Subject, checked: Result<Passed, Failure>) -> Self {
        match checked {
            Ok(Passed { latency, note }) => {
                let latency_ms = Some(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX));
                Self { name, latency_ms, failure: None, note }
            }
            Err(failure) => Self { name, latency_ms: None, failure: Some(failure), note: None },
        }
    }
}

impl Verdict {
    /// These findings.
    #[must_use]
    pub const fn of(dependencies: Vec<Finding>) -> Self {
        Self { preflight: Form::V1, dependencies }
    }

    /// The verdict in a termination message; none where it is anything else, or was cut.
    #[must_use]
    pub fn read(message: &str) -> Option<Self> {
        if message.len() > LARGEST {
            return None;
        }
        let verdict: Self = serde_json::from_str(message.trim()).ok()?;
        let all = &verdict.dependencies;
        let once = |(at, it): (usize, &Finding)| all[..at].iter().all(|one| one.name != it.name);
        let sound = all.len() <= MOST && all.iter().enumerate().all(once);
        sound.then_some(verdict)
    }

    /// Every failure, with what it is about.
    pub fn failures(&self) -> impl Iterator<Item = (&Subject, &Failure)> {
        self.dependencies.iter().filter_map(|it| Some((&it.name, it.failure.as_ref()?)))
    }

    /// Writes it where the kubelet reads it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, to: &Path) -> io::Result<()> {
        fs::write(to, serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
mod tests;
