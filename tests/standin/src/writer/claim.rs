//! Taking a data directory, holding it, giving it back.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Instant,
};

use super::{
    PERIOD, WATCH, Writer,
    journal::{self, Entry, Evidence},
    lock::{self, Beat},
    marker,
};

/// A data directory could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the data directory {}: {source}", data.display())]
pub struct ClaimError {
    data: PathBuf,
    source: io::Error,
}

/// A claimed data directory. Dropping it without [`Claim::release`] is what a killed process does.
pub struct Claim {
    data: PathBuf,
    writer: Writer,
    /// Closing it stops the heartbeat.
    stop: Sender<()>,
    heart: JoinHandle<()>,
    /// Held until the end; `None` where another has it or the file system cannot.
    _kernel_lock: Option<File>,
}

impl Claim {
    /// Claims `data`, recording every other live writer that is seen.
    ///
    /// Takes up to [`WATCH`] where an earlier writer did not stop cleanly.
    ///
    /// # Errors
    /// Where the directory cannot be written.
    pub fn take(data: &Path, writer: Writer) -> Result<Self, ClaimError> {
        let failed = |source| ClaimError { data: data.to_owned(), source };
        let (kernel_lock, held) = kernel_lock(data).map_err(failed)?;
        let found = lock::read(data);
        let seen = if held { Some(Evidence::FileLock) } else { watch(data, found.as_ref()) };
        let other = found.map(|beat| beat.writer.start_id);
        begin(data, &writer, other, seen).map_err(failed)?;
        let (stop, stopped) = mpsc::channel();
        let heart = {
            let (data, writer) = (data.to_owned(), writer.clone());
            thread::spawn(move || beat_until(&stopped, &data, &writer))
        };
        Ok(Self { data: data.to_owned(), writer, stop, heart, _kernel_lock: kernel_lock })
    }

    /// Gives the directory back: whoever comes next sees no writer.
    ///
    /// # Errors
    /// Where the directory cannot be written any more.
    pub fn release(self) -> Result<(), ClaimError> {
        let Self { data, writer, stop, heart, _kernel_lock } = self;
        drop(stop);
        // A heart that panicked has stopped as well.
        let _ = heart.join();
        journal::append(&data, &Entry::Stop { writer: writer.clone() })
            .and_then(|()| lock::release(&data, &writer.start_id))
            .map_err(|source| ClaimError { data, source })
    }
}

/// The kernel's lock, and whether another process holds it.
fn kernel_lock(data: &Path) -> io::Result<(Option<File>, bool)> {
    let file = File::create(data.join("writer.flock"))?;
    Ok(match file.try_lock() {
        Ok(()) => (Some(file), false),
        Err(TryLockError::WouldBlock) => (None, true),
        // Some file systems know no locks: the heartbeat is there for them.
        Err(TryLockError::Error(_)) => (None, false),
    })
}

/// Whether the writer that left `found` is alive: its sequence rises, or another start replaces it.
fn watch(data: &Path, found: Option<&Beat>) -> Option<Evidence> {
    let found = found?;
    let deadline = Instant::now() + WATCH;
    while Instant::now() < deadline {
        thread::sleep(PERIOD / 4);
        if lock::read(data).is_some_and(|beat| beat != *found) {
            return Some(Evidence::Heartbeat);
        }
    }
    None
}

fn begin(
    data: &Path,
    writer: &Writer,
    other: Option<String>,
    seen: Option<Evidence>,
) -> io::Result<()> {
    let took_over = other.clone().filter(|_| seen.is_none());
    journal::append(data, &Entry::Start { writer: writer.clone(), took_over })?;
    if let Some(seen_by) = seen {
        report(data, writer, other, seen_by)?;
    }
    marker::count_start(data, &writer.start_id)?;
    lock::write(data, &Beat { writer: writer.clone(), sequence: 0 })
}

fn report(
    data: &Path,
    writer: &Writer,
    other: Option<String>,
    seen_by: Evidence,
) -> io::Result<()> {
    tracing::error!(data = %data.display(), ?other, ?seen_by, "second live writer");
    journal::append(data, &Entry::SecondWriter { writer: writer.clone(), other, seen_by })?;
    marker::refresh(data, &writer.start_id)
}

/// Raises the sequence until told to stop or until another start has taken the lock.
fn beat_until(stopped: &mpsc::Receiver<()>, data: &Path, writer: &Writer) {
    let mut sequence = 0;
    while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        let taken = lock::read(data).filter(|beat| beat.writer.start_id != writer.start_id);
        if let Some(by) = taken {
            return warn_on(report(data, writer, Some(by.writer.start_id), Evidence::LockTaken));
        }
        sequence += 1;
        warn_on(lock::write(data, &Beat { writer: writer.clone(), sequence }));
    }
}

/// A data directory that vanishes under a writer is a fault that tests make on purpose.
fn warn_on(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the writer's lock could not be kept");
    }
}

#[cfg(test)]
mod tests;
