//! The life of instances on a node that is played: every fault that can be ordered, fast and many at a time. Each test
//! has a namespace of its own and shares the cluster and its one operator with the others.

mod bad_input;
mod bounds;
mod claims;
mod databases;
mod deletion;
mod drift;
mod engines;
mod failures;
mod foreign;
mod forgotten;
mod full;
mod hijack;
mod leftovers;
mod meddling;
mod memory;
mod midway;
mod migrations;
mod pods;
mod provisioning;
mod resumed;
mod rollback;
mod secrets;
mod servers;
mod settings;
mod strays;
mod trouble;
mod upgrade;
mod upgrades;
mod webhook;
mod workers;
mod writes;
