//! What the tests of the shell share: an API server in memory, a cluster that settles, and a backend
//! that answers.

// Each test program uses a part of it.
#![allow(dead_code)]

pub mod api_server;
pub mod backend;
pub mod fields;
pub mod instance;
pub mod request;
pub mod rig;
pub mod settle;
pub mod watches;
