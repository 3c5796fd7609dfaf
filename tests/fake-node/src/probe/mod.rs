//! Probes: really performed against the pod's address, with periods and thresholds.

mod check;
mod watch;

pub use check::{Target, check};
pub use watch::{Health, Unhealthy, watch};
