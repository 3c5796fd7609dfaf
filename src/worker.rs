//! What Jobs of the operator's image do beside data: no access to the cluster, one report at the end.

pub mod backend;
pub mod copy;
pub mod export;
pub mod gate;
pub mod import;
pub mod job;
pub mod permit;
pub mod permitted;
pub mod preflight;
pub mod progress;
pub mod reachable;
pub mod report;
pub mod snapshot;
pub mod storage;
