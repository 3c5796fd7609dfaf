//! Stops a cluster and removes what it made.

use std::{fs, path::Path, time::Instant};

use anyhow::Result;

use crate::{
    checkout::{Checkout, NodeKind},
    progress, undo, up,
};

/// Stops the cluster of this kind; true if there was something to stop.
///
/// # Errors
/// Something could not be removed.
pub fn down(checkout: &Checkout, kind: NodeKind) -> Result<bool> {
    let run = checkout.run_folder(kind);
    if !run.exists() {
        return Ok(false);
    }
    let _lock = up::lock(checkout, kind)?;
    let started = Instant::now();
    remove(&run)?;
    progress::done(&format!("the {kind} cluster is gone"), started);
    Ok(true)
}

/// Undoes the records of a run folder and removes it.
///
/// # Errors
/// Something could not be removed; the folder and its records stay for another try.
pub fn remove(run: &Path) -> Result<()> {
    if !run.exists() {
        return Ok(());
    }
    undo::everything(run)?;
    // Volumes may be filesystems of their own.
    undo::remove_folder(run)
}

/// After a failed start: everything goes but the logs, which lie beside the run folder until the next failure.
///
/// # Errors
/// Something could not be removed.
pub fn keep_logs(run: &Path) -> Result<()> {
    let kept = run.with_extension("failed-logs");
    undo::everything(run)?;
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    let logs = run.join("logs");
    if logs.exists() {
        fs::rename(logs, &kept)?;
        progress::say(&format!("the logs of the failed start are in {}", kept.display()));
    }
    remove(run)
}
