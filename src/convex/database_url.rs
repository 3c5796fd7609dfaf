//! The URL of a database server, as the backend takes it.
//!
//! People bring the URL that their database gives them: `CloudNativePG`'s Secret names the database in it, libpq's
//! documentation adds parameters that the backend's driver does not know. The backend refuses the first and fails at the second
//! on every start, so that both are settled here, before a pod is made.
//!
//! What the backend does with a URL: `crates/clusters/src/lib.rs` and `crates/db_connection/src/lib.rs` upstream. It chooses
//! the database itself, appends `sslmode=require` (Postgres) or `require_ssl=true&verify_ca=true` (MySQL) unless
//! `DO_NOT_REQUIRE_SSL` is set, and always `target_session_attrs=read-write`; of repeated parameters the last one counts.

mod parameters;

use std::fmt;

use url::Url;
use zeroize::Zeroizing;

use self::parameters::settled;
use super::InstanceName;

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    Mysql,
}

impl Server {
    fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql", "postgres"],
            Self::Mysql => &["mysql"],
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Mysql => 3306,
        }
    }
}

/// How the connection is to be encrypted, as the spec says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// `requireSSL`: the connection is encrypted and the server proven, or there is none.
    pub required: bool,
    /// Whether the spec names certificate authorities of its own.
    pub authorities: bool,
}

/// Why a URL cannot be used. No variant carries any part of the URL but parameters of well-known names: everything else may be a
/// password, such as one with `@` and `?` in it that is not percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It does not parse.
    #[error(
        "it is not a URL ({0}); write {1}://USER:PASSWORD@HOST:PORT, with every other character than letters, digits and -._~ in user and password percent-encoded"
    )]
    Malformed(url::ParseError, &'static str),
    /// It is of another engine, or of none.
    #[error("its scheme is not {0}://, as spec.backend.db.engine asks for")]
    Scheme(&'static str),
    /// The backend takes none without.
    #[error("it names no user, which the backend needs: write {0}://USER:PASSWORD@HOST:PORT")]
    NoUser(&'static str),
    /// There is nobody to ask.
    #[error("it names no host: write {0}://USER:PASSWORD@HOST:PORT")]
    NoHost(&'static str),
    /// A parameter that the backend's driver refuses.
    #[error("the backend does not know its parameter {0:?}; remove it")]
    Unknown(&'static str),
    /// The same of one that nobody knows.
    #[error(
        "the backend does not know one of its parameters, which is not named here, for it may be a part of the password; remove it, or percent-encode the password"
    )]
    Unheard,
    /// What is asked for is not known, and plain text is no guess.
    #[error(
        "its parameter \"sslmode\" is none of disable, allow, prefer, require, verify-ca and verify-full; write one of them, or leave it out"
    )]
    Mode,
    /// A parameter that says elsewhere what the URL itself says.
    #[error(
        "its parameter {0:?} says what the URL itself has to say; write it there, or leave it out"
    )]
    Misplaced(&'static str),
    /// A parameter that names a file, which is not in the backend's container.
    #[error(
        "its parameter {0:?} names a file, and there is none in the backend's container; put the certificate authority into a Secret and name it in spec.backend.db.caSecretRef"
    )]
    File(&'static str),
}

/// A URL that the backend takes: without a database, with parameters that agree with the spec.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    server: Server,
    url: Zeroizing<String>,
    host: String,
    port: u16,
}

impl DatabaseUrl {
    /// Reads what somebody's Secret holds. A line break at its end, which editors add, is no part of it.
    ///
    /// # Errors
    /// [`InvalidUrl`], which says what to write instead.
    pub fn read(server: Server, text: &str, encryption: Encryption) -> Result<Self, InvalidUrl> {
        let schemes = server.schemes();
        let scheme = schemes[0];
        let mut url = Url::parse(text.trim_end_matches(['\r', '\n']))
            .map_err(|error| InvalidUrl::Malformed(error, scheme))?;
        if !schemes.contains(&url.scheme()) {
            return Err(InvalidUrl::Scheme(scheme));
        }
        if url.username().is_empty() {
            return Err(InvalidUrl::NoUser(scheme));
        }
        let host = url.host_str().filter(|it| !it.is_empty()).map(str::to_ascii_lowercase);
        let host = host.ok_or(InvalidUrl::NoHost(scheme))?;
        let port = url.port().unwrap_or_else(|| server.port());
        let parameters = settled(server, &url, encryption)?;
        url.set_path("");
        url.set_fragment(None);
        url.set_query(parameters.as_deref());
        Ok(Self { server, url: Zeroizing::new(url.into()), host, port })
    }

    /// The URL itself, with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// The server, without a word of who logs in: `host:port`, the port as the engine has it where the URL names none.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The variable that the backend reads it from.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        match self.server {
            Server::Postgres => "POSTGRES_URL",
            Server::Mysql => "MYSQL_URL",
        }
    }
}

/// Everything but who logs in.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DatabaseUrl({:?} at {})", self.server, self.address())
    }
}

/// The database that the backend opens on its server: two names that differ in `-` and `_` only open the same one.
#[must_use]
pub fn database_of(name: &InstanceName) -> String {
    name.as_str().replace('-', "_")
}

#[cfg(test)]
mod tests;
