//! The operator's workers against the stand-in: exports and imports, cut off, lied to, and run again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture that fails is a failed test")]

#[path = "../common/mod.rs"]
mod common;
mod exports;
mod faults;
mod fixture;
mod held;
mod imports;
mod memory;
mod process;
mod proxy;
mod volume;
