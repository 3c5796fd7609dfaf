//! The shell of convex-operator: reads the cluster, asks the machine, and does what it obliges to.
//!
//! Modules are named in the order in which data flows: [`api`] is what users write, [`observe`] turns
//! the cluster into a value, `statemachine` (a crate of its own) decides, [`plan`] says what is
//! wanted, [`apply`] makes it so, [`status`] and [`events`] report, [`controller`] says when.

pub mod api;
pub mod apply;
pub mod context;
pub mod controller;
pub mod convex;
pub mod error;
pub mod events;
#[cfg(test)]
mod fixtures;
pub mod lease;
pub mod metrics;
pub mod observe;
pub mod operator;
pub mod plan;
pub mod rbac;
pub mod readiness;
pub mod retry;
pub mod status;
pub mod telemetry;
pub mod worker;
