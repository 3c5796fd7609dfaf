//! A model checker for the lifecycle.
#![allow(missing_docs)] // the fields of the world say what they are; every module says what it is for

pub mod act;
mod api_server;
pub mod configuration;
pub mod ghost;
pub mod model;
pub mod mutant;
mod nature;
mod observe;
mod people;
mod properties;
pub mod reconcile;
mod renumber;
mod rest;
pub mod search;
mod translate;
mod worker;
pub mod world;
