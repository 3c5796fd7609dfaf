//! Signals as the two programs treat them.
//!
//! The backend handles SIGINT only, and only once it serves. As PID 1 the kernel ignores every signal that has no handler,
//! so SIGTERM does nothing at all. A process of the host has no such protection: the handlers here swallow the signal.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Makes SIGTERM do nothing, and SIGINT until [`interrupts`].
///
/// # Errors
/// Where the handlers cannot be installed.
pub fn ignore_like_a_first_process() -> io::Result<()> {
    // The handlers stay installed after their streams are gone.
    drop((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?));
    Ok(())
}

/// SIGINT from now on; what came earlier is lost.
///
/// # Errors
/// Where the handler cannot be installed.
pub fn interrupts() -> io::Result<Signal> {
    signal(SignalKind::interrupt())
}

/// Waits for SIGTERM or SIGINT, as programs that handle signals normally do.
///
/// # Errors
/// Where the handlers cannot be installed.
pub async fn asked_to_end() -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, interrupts()?);
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    Ok(())
}
