//! Why a worker's question has no good answer.

use std::io;

use crate::convex::client::{
    Error as Unanswered,
    answer::{self, Answer},
};

/// Why a worker's question has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`Unanswered`].
    #[error("the backend {0}")]
    Unanswered(#[from] Unanswered),
    /// One export at a time: another one is under way.
    #[error("another export is under way")]
    ExportInProgress,
    /// The backend is too old for what was asked.
    #[error("the backend is too old for {0}")]
    Unsupported(&'static str),
    /// It is asked properly and does not do it.
    #[error("the backend refuses {what} ({code})")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Convex's own code, or the HTTP status.
        code: String,
    },
    /// The download broke off.
    #[error("the export broke off after {read} of {length} bytes")]
    BrokenOff {
        /// How many bytes came.
        read: u64,
        /// How many were announced.
        length: u64,
    },
    /// What came cannot be written.
    #[error("writing the export: {0}")]
    Write(#[source] io::Error),
}

impl Error {
    /// Whether asking again later, with nothing changed, may well go better.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unanswered(why) => why.is_transient(),
            Self::BrokenOff { .. } => true,
            _ => false,
        }
    }
}

/// In the backend's own code, and never in its words.
pub(super) fn refusal(what: &'static str, answer: &Answer) -> Error {
    Error::Refused { what, code: answer::code(answer) }
}

pub(super) fn unclear(what: &str) -> Error {
    answer::not_convex(format!("its answer about {what} is not understood")).into()
}
