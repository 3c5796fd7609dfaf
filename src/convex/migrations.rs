//! What the log of one run of the backend says about its migrations: nothing else tells of them.
//!
//! Upstream serves first and migrates then, a step at a time, and tries again after a failure
//! (`crates/migrations_model/src/lib.rs`). A log is long and its lines are anybody's, so it is read as it comes,
//! in constant memory, and only whole sentences of the worker count.

mod line;

use self::line::{Said, said};

/// The longest line that is looked at; what is beyond is left out.
const LONGEST_LINE: usize = 64 * 1024;

/// The words of the one failure that no other attempt gets past: the data is from before the first version that
/// this binary knows the way from.
const TOO_OLD: &str = "Transition too old!";

/// How far the migrations of one run are, as its log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Migrations {
    /// Not a word.
    #[default]
    Untold,
    /// They are under way.
    Running {
        /// The step that was named last.
        step: Option<u32>,
        /// The last step that there is.
        of: Option<u32>,
    },
    /// The data is in the format that the binary wants.
    Done {
        /// Which format that is.
        version: Option<u32>,
    },
    /// An attempt failed, and no step has succeeded since.
    Failed {
        /// The step that was under way.
        step: Option<u32>,
        /// What the log says of it, with whatever it says.
        line: String,
    },
    /// A newer binary has migrated the data.
    Ahead {
        /// What the log says of it.
        line: String,
    },
}

impl Migrations {
    /// Whether no other attempt of this binary will help.
    #[must_use]
    pub fn are_hopeless(&self) -> bool {
        match self {
            Self::Ahead { .. } => true,
            Self::Failed { line, .. } => line.contains(TOO_OLD),
            _ => false,
        }
    }

    /// What is known after one more line.
    #[must_use]
    pub fn after(self, line: &str) -> Self {
        let Some(said) = said(line) else { return self };
        match (self, said) {
            // A binary that finds the data ahead of it goes on as if all were well, and says that too.
            (Self::Ahead { line }, _) | (_, Said::Ahead(line)) => Self::Ahead { line },
            (_, Said::UpToDate(version)) => Self::Done { version: Some(version) },
            (Self::Done { version }, Said::Complete(None)) | (_, Said::Complete(version)) => {
                Self::Done { version }
            }
            (before, Said::Migrated(step)) => {
                Self::Running { step: Some(step), of: before.last_step() }
            }
            (before, Said::Failed(_)) if before.are_hopeless() => before,
            (before, Said::Failed(line)) => Self::Failed { step: before.step(), line },
            // That it tries again is no success yet.
            (failed @ Self::Failed { .. }, _) => failed,
            (running @ Self::Running { .. }, Said::Attempting) => running,
            (_, Said::Attempting) => Self::Running { step: None, of: None },
            (before, Said::Migrating(step, of)) => {
                Self::Running { step: Some(step), of: of.or_else(|| before.last_step()) }
            }
        }
    }

    const fn step(&self) -> Option<u32> {
        match self {
            Self::Running { step, .. } | Self::Failed { step, .. } => *step,
            _ => None,
        }
    }

    const fn last_step(&self) -> Option<u32> {
        if let Self::Running { of, .. } = self { *of } else { None }
    }
}

/// A log that is being read, in pieces as they come.
#[derive(Debug, Default)]
pub struct Reading {
    told: Migrations,
    line: Vec<u8>,
}

impl Reading {
    /// Goes on from what is known already. Lines that were heard before do no harm, as long as all that came
    /// after them is heard again too.
    #[must_use]
    pub fn from(told: Migrations) -> Self {
        Self { told, line: Vec::new() }
    }

    /// Hears the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.told = std::mem::take(&mut self.told).after(&String::from_utf8_lossy(&line));
            }
        }
    }

    /// What all of it says. A line that has no end yet may still say something else.
    #[must_use]
    pub fn told(self) -> Migrations {
        self.told
    }
}

#[cfg(test)]
mod tests;
