//! The last word about a copy: that it was permitted to its end.
//!
//! It runs after the container that copies, so the kubelet reads the record anew for it. A copy that somebody took the
//! permit from meanwhile is none, since a backend may have written. What the copy reported is on its volume, and is
//! repeated here: whoever looks needs the message of this container alone.

use std::path::PathBuf;

use clap::Args;

use super::{
    copy::{self, Error},
    permit,
    report::Report,
};

/// What a Job that has copied is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// What the operator calls the copy.
    #[arg(long)]
    id: String,
    /// The root of the volume that it was copied to.
    #[arg(long)]
    to: PathBuf,
    /// The record, as JSON, as it was when this container started; empty where there is none.
    #[arg(long, env = "RECORD", default_value = "")]
    record: String,
    /// Where the report is written.
    #[arg(long, default_value = "/dev/termination-log")]
    report: PathBuf,
}

/// Asks once more, and reports what the copy has reported.
///
/// # Errors
/// See [`Error`]; the report tells the same.
pub fn run(options: &Options) -> Result<(), Error> {
    copy::told(passed(options), &options.report)
}

fn passed(options: &Options) -> Result<Report, Error> {
    permit::to_copy(&options.record, &options.id)?;
    copy::reported(&options.to, &options.id)
}

#[cfg(test)]
mod tests;
