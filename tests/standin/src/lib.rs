//! A stand-in for Convex's self-hosted images, used where the images themselves cannot be pulled.
//!
//! **This is not Convex.** No line of it comes from Convex's sources or images. It plays the *documented surface* of the two
//! images, held against facts that were read in upstream's sources and documents:
//!
//! - the environment as the backend image's entrypoint reads it ([`credentials`], [`entrypoint`]), traps included: a missing
//!   `INSTANCE_SECRET` is generated, an empty `DISABLE_BEACON` aborts, five S3 variables of six mean local storage;
//! - the command line of the backend ([`arguments`]) its rules for database URLs, and documents in a real Postgres server, whose lease it steals and loses ([`database`]);
//! - its start order, its ports, its SIGINT-only shutdown and its start-up failures ([`backend`]);
//! - its unauthenticated endpoints and `/api/check_admin_key`, which truly decrypts the key ([`http`], [`keys`]);
//! - the administrator's API over plain HTTP and the CLI's WebSocket: system queries, exports and imports of real ZIPs
//!   ([`snapshots`]), environment variables, the pause ([`store`]);
//! - files, exports, imports and modules in the data directory, or in real buckets as the six variables of S3 say ([`blobs`]);
//! - the log lines of its migration worker ([`migrations`]);
//! - the page of the dashboard ([`dashboard`]).
//!
//! What it adds is ours and exists only for tests: the oracle that notices two live writers on one data directory
//! ([`writer`]), the `STANDIN_*` variables that make a version go wrong at a chosen point ([`steering`]), and `/stand-in/*`,
//! by which a test writes and reads as the app would ([`http`]). It runs no functions. A MySQL server is refused in plain
//! words.

pub mod arguments;
pub mod backend;
pub mod blobs;
pub mod credentials;
pub mod dashboard;
pub mod database;
pub mod entrypoint;
pub mod environment;
pub mod http;
pub mod keys;
pub mod logging;
pub mod migrations;
pub mod programs;
pub mod root;
pub mod signals;
pub mod snapshots;
pub mod steering;
pub mod store;
pub mod values;
mod waiting;
pub mod writer;
