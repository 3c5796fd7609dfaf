//! Exports and imports: real ZIPs in the documented layout, made and read in the background.
//!
//! A worker is a thread of its own: whatever it does, the process can end at any moment, and the next start goes on with
//! what was unfinished.

pub mod archive;
pub mod export;
pub mod import;
pub mod records;
pub mod shape;
pub mod unpack;
