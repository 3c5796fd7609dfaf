//! How far a worker is, in its log: often enough to see that it moves, and never a line for each chunk.

use std::time::{Duration, Instant};

/// There is a line after so much,
const BYTES: u64 = 64 * 1024 * 1024;
/// or after so long.
const TIME: Duration = Duration::from_secs(5);

/// How far something is.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: Option<u64>,
    done: u64,
    told: u64,
    at: Instant,
}

impl Progress {
    /// Something that begins now, with its size in bytes where that is known.
    #[must_use]
    pub fn of(what: &'static str, total: Option<u64>) -> Self {
        Self { what, total, done: 0, told: 0, at: Instant::now() }
    }

    /// So many bytes more are done.
    pub fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if self.is_due(self.at.elapsed()) {
            tracing::info!(done = self.done, total = self.total, "{}", self.what);
            self.told = self.done;
            self.at = Instant::now();
        }
    }

    fn is_due(&self, since: Duration) -> bool {
        self.done - self.told >= BYTES || since >= TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_after_so_much_or_so_long_and_not_for_each_chunk() {
        let mut progress = Progress::of("it is fetched", Some(4 * BYTES));
        let chunk = 1 << 16;
        let mut lines = 0;
        for _ in 0..2 * BYTES / chunk {
            let told = progress.told;
            progress.add(chunk);
            lines += u64::from(progress.told != told);
        }
        assert_eq!(lines, 2);
        progress.done += 1;
        assert!(!progress.is_due(Duration::from_secs(4)) && progress.is_due(TIME));
    }
}
