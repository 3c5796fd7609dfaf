//! Where documents are kept: a file, or a Postgres server. The documented rules for URLs, and the start on a server.
//!
//! A server's tables are the documented ones, in our own words ([`server`]): `documents`, `leases`, `read_only` and
//! `persistence_globals`. What MySQL would keep is not kept here: its URLs are understood and refused.

pub mod server;
mod tables;
mod tls;
mod url;

use std::io;

pub use self::url::{Target, target};
use crate::waiting::whole;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Not a URL at all.
    #[error("invalid cluster url: {0}")]
    Invalid(::url::ParseError),
    /// Upstream's wording.
    #[error("cluster url username must be set")]
    NoUsername,
    /// Upstream's wording: the backend itself chooses the name, from `INSTANCE_NAME`.
    #[error("cluster url already contains db name: {0}")]
    HasName(String),
    /// Ours: the URL is fine, but nothing here speaks to such a server.
    #[error(
        "the stand-in keeps its data in a file or in Postgres and does not speak to a MySQL server"
    )]
    NotServed,
    /// The server, or the way to it, in the driver's words.
    #[error("{}", whole(.0))]
    Server(#[from] tokio_postgres::Error),
    /// The certificate authorities cannot be read, or there are none.
    #[error("{0}")]
    Authorities(String),
    /// A row in `read_only` keeps every backend out.
    #[error("the database is read-only: its table read_only has a row")]
    ReadOnly,
    /// Upstream's wording.
    #[error("failed to acquire lease: Already acquired with higher timestamp")]
    LeaseHigher,
    /// What is kept there cannot be understood.
    #[error("the database holds something else than the stand-in wrote: {0}")]
    Spoilt(String),
    /// The disk refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}
