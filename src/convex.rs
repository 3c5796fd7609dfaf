//! The seam to Convex itself: what the operator knows of the software that it runs.
//!
//! Everything that depends on how self-hosted Convex behaves, rather than on how Kubernetes does,
//! is behind this module, so that a change upstream is met in one place:
//!
//! - [`instance`]: the name and the secret that a deployment is known by, and what is legal in them;
//! - [`admin_key`]: minting and checking the admin key, in process, without running Convex's tools;
//! - [`client`]: the few HTTP questions that the operator asks of one backend pod;
//! - [`database_url`]: what the backend takes of the URL of a database server;
//! - [`deployment`]: what a worker asks of the backend that holds the data;
//! - [`migrations`]: what the backend's log says of them.
//!
//! The facts come from reading <https://github.com/get-convex/convex-backend> (the files are named
//! where they are used); nothing here is copied from it.

pub mod admin_key;
pub mod client;
pub mod database_url;
pub mod deployment;
mod grant;
pub mod instance;
pub mod migrations;

pub use admin_key::{AdminKey, InvalidAdminKey, KeyRefused, NotMinted};
pub use client::{Backend, Error, Patience};
pub use grant::{Grant, Identity, NotAGrant};
pub use instance::{InstanceName, InstanceSecret, InvalidName, InvalidSecret, NoRandomness};
pub use migrations::{Migrations, Reading};
