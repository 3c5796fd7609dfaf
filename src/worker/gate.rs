//! The gate of the backend's pod: it runs first, and lets through what the one record asks for.
//!
//! The record is read by the kubelet when this container starts, and what the pod is for comes from its own
//! template. A volume remembers by itself which versions have opened it, so that not even a lost or mistaken record leads
//! an older version to data that a newer one has migrated.

mod error;
pub(in crate::worker) mod memory;

use std::{fs, path::PathBuf};

use clap::Args;
use statemachine::pins::Backend;

pub use self::error::Error;
use crate::{
    plan::gate::Record,
    worker::{copy, preflight},
};

/// What the gate is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The pod that it runs in.
    #[arg(long, env = "POD_NAME")]
    pod: String,
    /// The one pod that may open the data.
    #[arg(long, env = "ONLY")]
    only: String,
    /// What the template of the pod is for: a backend, as JSON.
    #[arg(long, env = "TEMPLATE")]
    template: String,
    /// The record, as JSON; empty where there is none.
    #[arg(long, env = "RECORD", default_value = "")]
    record: String,
    /// The root of the volume that is about to be opened, where there is one.
    #[arg(long, env = "DATA")]
    data: Option<PathBuf>,
    /// Note on the volume that this version opens it; asked of the last container before the backend.
    #[arg(long)]
    remember: bool,
    /// The volume was made for a cold copy: it is opened only once that is whole.
    #[arg(long)]
    copied: bool,
    /// Where a refusal is written, or what the preflight found.
    #[arg(long, default_value = "/dev/termination-log")]
    report: PathBuf,
    #[command(flatten)]
    preflight: preflight::Options,
}

/// Ends well where the backend may start, and else says why not. Nothing outside is touched before the gate is passed.
///
/// # Errors
/// See [`Error`]: any doubt is one.
pub fn run(options: &Options) -> Result<(), Error> {
    let passed = pass(options);
    if let Err(refusal) = &passed {
        // The same words are the last line of the log, where this file cannot be written.
        let _unwritten = fs::write(&options.report, refusal.to_string());
    }
    passed?;
    if options.preflight.asked {
        preflight::run(&options.preflight, &options.report)?;
    }
    Ok(())
}

/// Lets the backend through; the one that is asked to remember notes on the volume that it did. An image that cannot be
/// had never comes as far as that.
///
/// # Errors
/// See [`Error`].
pub fn pass(options: &Options) -> Result<(), Error> {
    let Options { pod, only, template, record, data, remember, copied, .. } = options;
    if pod != only {
        return Err(Error::AnotherPod { pod: pod.clone(), only: only.clone() });
    }
    if record.is_empty() {
        return Err(Error::RecordMissing);
    }
    let record: Record = serde_json::from_str(record).map_err(Error::RecordUnreadable)?;
    let template: Backend = serde_json::from_str(template).map_err(Error::TemplateUnreadable)?;
    if template != record.backend {
        return Err(Error::Other {
            template: Box::new(template),
            record: Box::new(record.backend),
        });
    }
    if !record.open {
        return Err(Error::Closed(Box::new(record.backend)));
    }
    let Some(data) = data else { return Ok(()) };
    if *copied && !copy::is_whole(data).map_err(Error::Copy)? {
        return Err(Error::CopyUnfinished);
    }
    memory::open(data, &template.release.opener(), *remember)
}

#[cfg(test)]
mod tests;
