//! `writers.jsonl`: what happened to a data directory, in order.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::Writer;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Entry {
    /// A backend claimed the data.
    Start {
        /// Which one.
        writer: Writer,
        /// The start that had left its lock behind, where one was killed.
        took_over: Option<String>,
    },
    /// A backend gave the data back.
    Stop {
        /// Which one.
        writer: Writer,
    },
    /// **Two backends were alive on this data.**
    SecondWriter {
        /// Who noticed.
        writer: Writer,
        /// The other start, where its lock could be read.
        other: Option<String>,
        /// How it was noticed.
        seen_by: Evidence,
    },
}

/// How a second writer was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The kernel's file lock was held.
    FileLock,
    /// The other's sequence rose while we watched.
    Heartbeat,
    /// Our lock was replaced by another start's.
    LockTaken,
}

/// Appends one line.
///
/// # Errors
/// Where the file cannot be written.
pub fn append(data: &Path, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    // One write of a short line to a file opened for appending: lines of two writers do not mix.
    OpenOptions::new().create(true).append(true).open(data.join("writers.jsonl"))?.write_all(&line)
}

/// Every line that can be read, oldest first.
#[must_use]
pub fn read(data: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(data.join("writers.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// How many second writers were ever seen.
#[must_use]
pub fn second_writers(data: &Path) -> usize {
    read(data).iter().filter(|entry| matches!(entry, Entry::SecondWriter { .. })).count()
}
