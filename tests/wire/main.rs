//! What the operator says to the API server, and in which order.

#[path = "../support/mod.rs"]
mod support;

mod conflicts;
mod deletion;
mod drift;
mod foreign;
mod provisioning;
mod upgrade;
