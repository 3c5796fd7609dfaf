//! Backends whose documents are in a real Postgres server, and whose files are in real buckets.

#[path = "../common/mod.rs"]
mod common;

mod buckets;
mod exports;
mod lease;
mod postgres;
mod preflight;

use anyhow::Result;
use common::Container;
use servers::{Authority, Encryption, Place, Postgres};
use tempfile::TempDir;

/// Who the backend is to its servers.
const ROLE: (&str, &str) = ("convex", "let it be");
/// What the database of an instance without a name is called.
const DATABASE: &str = "convex_self_hosted";

/// A Postgres server with the database of the backends here.
struct Ground {
    server: Postgres,
    authority: Authority,
    folder: TempDir,
}

impl Ground {
    async fn plain() -> Result<Self> {
        Self::with(false).await
    }

    async fn encrypted() -> Result<Self> {
        Self::with(true).await
    }

    async fn with(is_encrypted: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::create(&folder.path().join("ca"))?;
        let offered = Encryption::Offered(&authority);
        let encryption = if is_encrypted { offered } else { Encryption::None };
        let server = Postgres::start(&Place::loopback(folder.path())?, encryption).await?;
        server.role(ROLE.0, ROLE.1)?;
        server.database(DATABASE, ROLE.0)?;
        Ok(Self { server, authority, folder })
    }

    /// A container that is told of the server; what it needs of encryption is not.
    fn container(&self) -> Container {
        Container::new().with("POSTGRES_URL", &self.server.url(("convex", "let%20it%20be")))
    }

    /// One that may speak plainly.
    fn plain_container(&self) -> Container {
        self.container().with("DO_NOT_REQUIRE_SSL", "1")
    }

    fn sql(&self, statement: &str) -> Result<String> {
        self.server.sql(DATABASE, statement)
    }
}

/// Exit code and standard error of a start that must fail with these words.
fn fails_with(container: &Container, words: &str) {
    let output = container.fails();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(words), "{error}");
    let has_password = ["let it be", "let%20it%20be"].iter().any(|it| error.contains(it));
    assert!(!has_password, "{error}");
}
