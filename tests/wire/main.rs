//! What the operator says to the API server, and in which order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

#[path = "../support/mod.rs"]
mod support;

mod beside;
mod budgets;
mod claims;
mod conflicts;
mod control;
mod copies;
mod databases;
mod deeds;
mod deletion;
mod drift;
mod elders;
mod exports;
mod exposure;
mod foreign;
mod fresh_databases;
mod gateways;
mod gateways_edited;
mod gateways_told;
mod keys;
mod late_watches;
mod let_in;
mod migrations;
mod opening;
mod paused;
mod preflight;
mod provisioning;
mod races;
mod requisites;
mod restarts;
mod resumption;
mod servers;
mod storage;
mod successors;
mod upgrade;
mod variables;
