//! The questions that the operator asks of one backend pod, over plain HTTP inside the cluster.
//!
//! A pod is not trusted to be what its label says: it may be starting, wedged, or something else
//! altogether that listens on the port. So every question has a time limit from the first packet to
//! the last, an answer has a size limit, a redirect is never followed, no proxy is ever used, and
//! what comes back is read strictly. Errors are made of our own words and never repeat an answer or
//! a key.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::admin_key::AdminKey;
use super::instance::InstanceName;

pub(super) mod answer;
pub(super) mod exchange;

use exchange::Question;

/// One backend pod, by the address of the pod itself (never a Service, which may point elsewhere).
#[derive(Clone, Debug)]
pub struct Backend {
    address: SocketAddr,
    patience: Patience,
}

/// How long one question may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the start until the last byte of the answer, the connection included.
    pub total: Duration,
}

impl Default for Patience {
    /// Two seconds to connect and five for the whole: a backend that serves answers in milliseconds.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(5) }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody listens there, or the connection broke.
    #[error("cannot be reached: {0}")]
    Unreachable(io::ErrorKind),
    /// The time was over before the answer was complete.
    #[error("gave no complete answer in time")]
    TimedOut,
    /// The answer is larger than any answer of Convex to these questions.
    #[error("answered with more than {} KiB", exchange::LARGEST_BODY / 1024)]
    TooLarge,
    /// It answers and says that it cannot serve now (429 and 5xx).
    #[error("is not ready to serve (HTTP {status})")]
    Unready {
        /// The HTTP status code.
        status: u16,
    },
    /// What answered does not behave like Convex; says in what.
    #[error("does not answer like Convex: {0}")]
    NotConvex(String),
    /// The backend does not take the admin key for an administrator's.
    #[error("refused the admin key ({code})")]
    KeyRejected {
        /// Convex's own code (`BadAdminKey`, `BadDeployKey`), or the HTTP status where it gave none.
        code: String,
    },
}

impl Error {
    /// Whether asking again later, with nothing changed, may well go better.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut | Self::Unready { .. })
    }
}

impl Backend {
    /// The backend that listens at a pod's IP and port, asked with the default [`Patience`].
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { address, patience: Patience::default() }
    }

    /// The same backend, asked with another patience.
    #[must_use]
    pub const fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Which version answers (`GET /version`): what the pod was given as
    /// `CONVEX_RELEASE_VERSION_DEV`, or `unknown`.
    ///
    /// It answers only once the database is connected and the lease taken, and says nothing about
    /// migrations (`crates/local_backend/src/lib.rs` and `crates/metrics/src/lib.rs` upstream).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn version(&self) -> Result<String, Error> {
        answer::version(&self.ask("/version", None).await?)
    }

    /// Which instance answers (`GET /instance_name`).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn instance_name(&self) -> Result<InstanceName, Error> {
        answer::instance_name(&self.ask("/instance_name", None).await?)
    }

    /// Whether the backend takes the key for an administrator's (`GET /api/check_admin_key`,
    /// `crates/local_backend/src/dashboard.rs` upstream).
    ///
    /// # Errors
    /// [`Error::KeyRejected`] where it does not; otherwise see [`Error`].
    pub async fn check_admin_key(&self, key: &AdminKey) -> Result<(), Error> {
        answer::key_accepted(&self.ask("/api/check_admin_key", Some(key)).await?)
    }

    async fn ask(&self, path: &str, key: Option<&AdminKey>) -> Result<answer::Answer, Error> {
        let question = Question::get(path, key);
        let (connect, largest) = (self.patience.connect, exchange::LARGEST_BODY);
        let exchange = exchange::ask(self.address, connect, question, largest);
        tokio::time::timeout(self.patience.total, exchange).await.map_err(|_| Error::TimedOut)?
    }
}

#[cfg(test)]
mod tests;
