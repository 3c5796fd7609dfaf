//! A MySQL server, as the backend would use it.
//!
//! What it does to the URL is in [`crate::convex::database_url`]; here it is done the same way, by the same driver.

use std::time::Duration;

use mysql_async::{
    Conn, DriverError, Error, IoError, Opts, OptsBuilder, ServerError, prelude::Queryable,
};

use super::{
    database::{Asked, unreached},
    reach,
    reason::{Reason, Why},
    verdict::{Failure, Note, Passed},
};

/// How long it may take to encrypt the connection and to log in.
const LOGIN: Duration = Duration::from_secs(5);
/// How long all questions to the database may take.
const QUESTIONS: Duration = Duration::from_secs(5);
/// The oldest version that has the collation of the backend's tables, `utf8mb4_0900_bin`.
const OLDEST: (u16, u16, u16) = (8, 0, 17);
/// A table that is never made: the server looks at privileges first, and then finds nothing to take it from.
const PROBE: &str = "convex_operator_preflight";

/// Looks at the database, and makes it where that is asked for.
pub(super) async fn check(asked: &Asked) -> Result<Passed, Failure> {
    let (conn, latency) = reach::timed(login(asked)).await;
    let mut conn = conn?;
    supported(&mut conn).await?;
    let questions = reach::within(QUESTIONS, questions(&mut conn, asked)).await;
    let note = questions.map_err(|why| Failure::of(Reason::DatabaseUnreachable).why(why))??;
    let _it_ends_anyway = reach::within(QUESTIONS, conn.disconnect()).await;
    Ok(Passed { latency, note })
}

/// The server, without a database: the backend names it in every statement.
pub(super) async fn login(asked: &Asked) -> Result<Conn, Failure> {
    let opts = opts(asked)?;
    // The driver makes a connection of its own, and does not tell a name that leads nowhere from a closed port.
    drop(reach::connect(opts.ip_or_hostname(), opts.tcp_port()).await.map_err(unreached)?);
    let in_time = reach::within(LOGIN, Conn::new(opts)).await;
    let connected = in_time.map_err(|why| Failure::of(Reason::DatabaseUnreachable).why(why))?;
    connected.map_err(|error| failure(&error))
}

fn opts(asked: &Asked) -> Result<Opts, Failure> {
    let separator = if asked.url.contains('?') { '&' } else { '?' };
    let url = if asked.encrypted {
        format!("{}{separator}require_ssl=true&verify_ca=true", *asked.url)
    } else {
        asked.url.to_string()
    };
    let invalid = |_| Failure::of(Reason::DatabaseCheckFailed).why(Why::Rules);
    let opts = Opts::from_url(&zeroize::Zeroizing::new(url)).map_err(invalid)?;
    let authorities = asked.authorities.clone();
    let ssl = opts.ssl_opts().cloned().map(|ssl| match authorities {
        Some(path) => ssl.with_root_certs(vec![path.into()]),
        None => ssl,
    });
    let builder = OptsBuilder::from_opts(opts).ssl_opts(ssl).prefer_socket(false);
    Ok(builder.db_name(None::<String>).into())
}

/// Whether it has what the backend's tables are made of.
async fn supported(conn: &mut Conn) -> Result<(), Failure> {
    let unsupported = Failure::of(Reason::DatabaseUnsupported);
    let version = conn.query_first::<String, _>("SELECT VERSION()");
    let version = reach::within(QUESTIONS, version).await;
    let version = version.map_err(|why| Failure::of(Reason::DatabaseUnreachable).why(why))?;
    let version = version.map_err(|error| failure(&error))?.unwrap_or_default();
    if version.contains("MariaDB") {
        return Err(unsupported.why(Why::MariaDb));
    }
    if conn.server_version() < OLDEST { Err(unsupported.why(Why::Old)) } else { Ok(()) }
}

/// Whether the backend would find what it needs.
pub(super) async fn questions(conn: &mut Conn, asked: &Asked) -> Result<Option<Note>, Failure> {
    if first::<u8>(conn, "SELECT @@GLOBAL.read_only").await? == 1 {
        return Err(Failure::of(Reason::DatabaseReadOnly).why(Why::Standby));
    }
    exists(conn, asked).await?;
    let database = quoted(&asked.database);
    let probe = format!("CREATE TABLE {database}.{PROBE} LIKE {database}.{PROBE}_of_nothing");
    match conn.query_drop(probe).await {
        Err(Error::Server(ServerError { code: NO_SUCH_TABLE, .. })) => {}
        Err(error) => return Err(failure(&error)),
        Ok(()) => return Err(Failure::of(Reason::DatabaseCheckFailed)),
    }
    if has_rows(conn, &database, "read_only").await? {
        return Err(Failure::of(Reason::DatabaseReadOnly).why(Why::Fenced));
    }
    // The backend writes the first of them when it first starts (`crates/mysql/src/sql.rs` upstream).
    if asked.served && !has_rows(conn, &database, "documents").await? {
        return Err(Failure::of(Reason::DatabaseEmpty));
    }
    let allowed = first::<u32>(conn, "SELECT CAST(@@GLOBAL.max_connections AS UNSIGNED)").await?;
    Ok((allowed < asked.pool).then_some(Note::Connections { allowed, pool: asked.pool }))
}

/// Whether there is anything in a table of the backend, which may not be there.
async fn has_rows(conn: &mut Conn, database: &str, table: &str) -> Result<bool, Failure> {
    let rows = format!("SELECT EXISTS (SELECT 1 FROM {database}.{table})");
    match conn.query_first::<u8, _>(rows).await {
        Ok(found) => Ok(found == Some(1)),
        Err(Error::Server(ServerError { code: NO_SUCH_TABLE, .. })) => Ok(false),
        Err(error) => Err(failure(&error)),
    }
}

/// Finds the database, or makes it where that is asked for.
async fn exists(conn: &mut Conn, asked: &Asked) -> Result<(), Failure> {
    let database = quoted(&asked.database);
    let opened = conn.query_drop(format!("USE {database}")).await;
    let Err(error) = opened else { return Ok(()) };
    let missing = failure(&error);
    if missing.reason != Reason::DatabaseMissing || !asked.makes() {
        return Err(missing);
    }
    let made = conn.query_drop(format!("CREATE DATABASE IF NOT EXISTS {database}")).await;
    made.map_err(|error| {
        let told = failure(&error);
        Failure { reason: Reason::DatabaseMissing, why: Some(Why::Create), ..told }
    })
}

async fn first<T: mysql_async::prelude::FromValue + Send + 'static>(
    conn: &mut Conn,
    question: &str,
) -> Result<T, Failure> {
    let row = conn.query_first::<T, _>(question).await.map_err(|error| failure(&error))?;
    row.ok_or_else(|| Failure::of(Reason::DatabaseCheckFailed))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

const DB_ACCESS_DENIED: u16 = 1044;
const ACCESS_DENIED: u16 = 1045;
const UNKNOWN_DATABASE: u16 = 1049;
const TOO_MANY_CONNECTIONS: u16 = 1040;
const HOST_DENIED: u16 = 1130;
const TABLE_DENIED: u16 = 1142;
const NO_SUCH_TABLE: u16 = 1146;
const TOO_MANY_OF_USER: u16 = 1203;
const READ_ONLY: u16 = 1290;
const ENCRYPTION_WANTED: u16 = 3159;

/// What an error of the driver means. Its words are not taken: they name user, host and database.
fn failure(error: &Error) -> Failure {
    match error {
        Error::Server(ServerError { code, .. }) => {
            let (reason, why) = of_code(*code);
            Failure { reason, why, code: None }.code(&code.to_string())
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            Failure::of(Reason::DatabaseEncryptionRefused)
        }
        other => match reach::distrusted(other) {
            Some(why) => Failure::of(Reason::DatabaseCertificateInvalid).why(why),
            None if is_pem(other) => {
                Failure::of(Reason::DatabaseCertificateInvalid).why(Why::Authorities)
            }
            None => Failure::of(Reason::DatabaseUnreachable).why(Why::Closed),
        },
    }
}

fn is_pem(error: &Error) -> bool {
    use mysql_async::TlsError;
    matches!(error, Error::Io(IoError::Tls(TlsError::Pem(_))))
}

fn of_code(code: u16) -> (Reason, Option<Why>) {
    match code {
        ACCESS_DENIED => (Reason::DatabaseLoginFailed, None),
        HOST_DENIED | ENCRYPTION_WANTED => (Reason::DatabaseLoginFailed, Some(Why::Rules)),
        UNKNOWN_DATABASE => (Reason::DatabaseMissing, None),
        DB_ACCESS_DENIED => (Reason::DatabasePermissionDenied, Some(Why::Connect)),
        TABLE_DENIED => (Reason::DatabasePermissionDenied, Some(Why::Tables)),
        READ_ONLY => (Reason::DatabaseReadOnly, Some(Why::Standby)),
        TOO_MANY_CONNECTIONS | TOO_MANY_OF_USER => (Reason::DatabaseConnectionsExhausted, None),
        _ => (Reason::DatabaseCheckFailed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_server_are_told_by_what_is_to_be_done_about_them() {
        for (code, reason) in [
            (1045, Reason::DatabaseLoginFailed),
            (1049, Reason::DatabaseMissing),
            (1044, Reason::DatabasePermissionDenied),
            (1142, Reason::DatabasePermissionDenied),
            (1040, Reason::DatabaseConnectionsExhausted),
            (1130, Reason::DatabaseLoginFailed),
            (1290, Reason::DatabaseReadOnly),
            (1, Reason::DatabaseCheckFailed),
        ] {
            assert_eq!(of_code(code).0, reason, "{code}");
        }
    }

    #[test]
    fn a_name_is_quoted_whatever_is_in_it() {
        assert_eq!(quoted("or`ders"), "`or``ders`");
    }
}
