//! The oracle for the cardinal sin: two live backends that write to one data directory.
//!
//! SQLite has no lease, so nothing in Convex itself would notice. Every backend of ours *claims* its data directory before it
//! does anything else, and keeps three files there:
//!
//! - `writer.lock`: who writes now, with a sequence number that rises every [`PERIOD`] ([`lock`]);
//! - `writers.jsonl`: one line per start, stop and second writer, only ever appended to ([`journal`]);
//! - `marker.json`: the id of the first start and the number of starts: whether the data survived ([`marker`]).
//!
//! A second live writer is seen in three ways, the first of which is enough:
//!
//! 1. the kernel's lock on `writer.flock` is held (works on one machine; the kernel drops it with the process);
//! 2. a starting backend finds a lock of another start and sees its sequence *rise* within [`WATCH`];
//! 3. a running backend finds that its lock was taken by another start.
//!
//! Neither process ids nor clocks are compared, since containers share neither. A killed backend leaves its lock behind, but
//! its sequence stands still: the next start waits for [`WATCH`] once and takes over, and nothing is reported. A clean stop
//! removes the lock. Whoever sees a second writer records it and goes on, as the real backends would.

mod claim;
pub mod journal;
mod lock;
pub mod marker;

use std::time::Duration;

pub use claim::{Claim, ClaimError};
use serde::{Deserialize, Serialize};

/// How often a live writer raises its sequence.
pub const PERIOD: Duration = Duration::from_millis(100);

/// How long a start watches a lock that it found: long enough for a live writer on a busy machine to raise it.
pub const WATCH: Duration = Duration::from_millis(350);

/// One start of a backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Writer {
    /// Unique to this start.
    pub start_id: String,
    /// Name of the pod, as far as the environment tells: `POD_NAME`, else `HOSTNAME`.
    pub pod: String,
    /// Process id, for people: it means nothing outside its container.
    pub pid: u32,
    /// Version that runs.
    pub version: String,
    /// Tag of the image that its program is from, whatever its environment says, where the node tells: `STANDIN_IMAGE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl Writer {
    /// A new start of `version` in `pod`.
    #[must_use]
    pub fn starting(pod: &str, version: &str) -> Self {
        Self {
            start_id: hex::encode(crate::keys::random_bytes::<8>()),
            pod: pod.to_owned(),
            pid: std::process::id(),
            version: version.to_owned(),
            image: None,
        }
    }
}
