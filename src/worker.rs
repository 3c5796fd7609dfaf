//! What Jobs of the operator's image do beside data: no cluster, no client, one report at the end.

pub mod copy;
pub mod report;
pub mod snapshot;
