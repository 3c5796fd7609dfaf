//! One line per long step, on standard error: standard output belongs to what commands answer.

use std::time::Instant;

/// Says what begins or what is the case.
pub fn say(text: &str) {
    eprintln!("· {text}");
}

/// Says what is done and how long it took.
pub fn done(text: &str, started: Instant) {
    eprintln!("· {text} ({:.1} s)", started.elapsed().as_secs_f64());
}
