//! A PostgreSQL server, as the backend would use it.
//!
//! What it does to the URL is in [`crate::convex::database_url`]; here it is done the same way.

use std::{error::Error as _, str::FromStr, time::Duration};

use tokio::net::TcpStream;
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode},
    error::SqlState,
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

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
/// The databases that every server has, of which one is there to be connected to before another one is made.
const ALWAYS: [&str; 2] = ["postgres", "template1"];

/// Looks at the database, and makes it where that is asked for.
pub(super) async fn check(asked: &Asked) -> Result<Passed, Failure> {
    let config = config(asked)?;
    match opened(asked, &config).await {
        Err(failure) if failure.reason == Reason::DatabaseMissing && asked.makes() => {
            create(asked, &config).await?;
            opened(asked, &config).await
        }
        other => other,
    }
}

async fn opened(asked: &Asked, config: &Config) -> Result<Passed, Failure> {
    let (client, latency) = reach::timed(login(asked, config)).await;
    let client = client?;
    let questions = reach::within(QUESTIONS, questions(&client, asked)).await;
    let note = questions.map_err(|why| Failure::of(Reason::DatabaseUnreachable).why(why))??;
    Ok(Passed { latency, note })
}

fn config(asked: &Asked) -> Result<Config, Failure> {
    let mut config = Config::from_str(&asked.url)
        .map_err(|_| Failure::of(Reason::DatabaseCheckFailed).why(Why::Rules))?;
    config.dbname(&asked.database);
    if asked.encrypted {
        config.ssl_mode(SslMode::Require);
    }
    Ok(config)
}

async fn login(asked: &Asked, config: &Config) -> Result<Client, Failure> {
    let [Host::Tcp(host)] = config.get_hosts() else {
        return Err(Failure::of(Reason::DatabaseUnresolvable));
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let stream = reach::connect(host, port).await.map_err(unreached)?;
    let _slower_only = stream.set_nodelay(true);
    let invalid = |why| Failure::of(Reason::DatabaseCertificateInvalid).why(why);
    let tls = reach::trusting(asked.authorities.as_deref()).map_err(invalid)?;
    let mut tls = MakeRustlsConnect::new(tls);
    let Ok(tls) = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, host);
    let in_time = reach::within(LOGIN, config.connect_raw(stream, tls)).await;
    let connected = in_time.map_err(|why| Failure::of(Reason::DatabaseUnreachable).why(why))?;
    let (client, connection) = connected.map_err(|error| failure(&error))?;
    // It ends with its client.
    tokio::spawn(connection);
    Ok(client)
}

/// Whether the backend would find what it needs.
async fn questions(client: &Client, asked: &Asked) -> Result<Option<Note>, Failure> {
    let standby = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'";
    if is(client, standby).await? {
        return Err(Failure::of(Reason::DatabaseReadOnly).why(Why::Standby));
    }
    if is(client, "SELECT current_schema() IS NULL").await? {
        return Err(Failure::of(Reason::DatabasePermissionDenied).why(Why::Schema));
    }
    if !is(client, "SELECT has_schema_privilege(current_schema(), 'CREATE')").await? {
        return Err(Failure::of(Reason::DatabasePermissionDenied).why(Why::Tables));
    }
    let fence = "SELECT to_regclass(quote_ident(current_schema()) || '.read_only') IS NOT NULL";
    if is(client, fence).await? && is(client, "SELECT EXISTS (SELECT 1 FROM read_only)").await? {
        return Err(Failure::of(Reason::DatabaseReadOnly).why(Why::Fenced));
    }
    if asked.served && !holds_documents(client).await? {
        return Err(Failure::of(Reason::DatabaseEmpty));
    }
    note(client, asked).await
}

/// The backend writes the first of them when it first starts, and looks for them in the one schema that its user makes tables in
/// (`crates/postgres/src/sql.rs` upstream).
async fn holds_documents(client: &Client) -> Result<bool, Failure> {
    let table = "SELECT to_regclass(quote_ident(current_schema()) || '.documents')::text";
    let row = client.query_one(table, &[]).await.map_err(|error| failure(&error))?;
    let Some(table) = row.get::<_, Option<String>>(0) else { return Ok(false) };
    is(client, &format!("SELECT EXISTS (SELECT 1 FROM {table})")).await
}

/// What keeps no backend from starting: the first that there is, and before all what would fail an upgrade. Who may make databases is no property that is inherited
/// (<https://www.postgresql.org/docs/current/role-membership.html>).
async fn note(client: &Client, asked: &Asked) -> Result<Option<Note>, Failure> {
    let creates =
        "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
    if asked.creates && !is(client, creates).await? {
        return Ok(Some(Note::Uncreatable));
    }
    let free = "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int";
    let row = client.query_one(free, &[]).await.map_err(|error| failure(&error))?;
    let allowed = u32::try_from(row.get::<_, i32>(0)).unwrap_or_default();
    let pool = asked.pool;
    Ok((allowed < pool).then_some(Note::Connections { allowed, pool }))
}

async fn is(client: &Client, question: &str) -> Result<bool, Failure> {
    let row = client.query_one(question, &[]).await.map_err(|error| failure(&error))?;
    row.try_get(0).map_err(|_| Failure::of(Reason::DatabaseCheckFailed))
}

/// Makes the database. Somebody else may have done so in the same moment.
async fn create(asked: &Asked, config: &Config) -> Result<(), Failure> {
    let denied = || Failure::of(Reason::DatabaseMissing).why(Why::Create);
    let mut config = config.clone();
    for always in ALWAYS {
        config.dbname(always);
        let Ok(client) = login(asked, &config).await else { continue };
        let statement = format!("CREATE DATABASE \"{}\"", asked.database.replace('"', "\"\""));
        let made = reach::within(QUESTIONS, client.batch_execute(&statement)).await;
        let made = made.map_err(|why| Failure::of(Reason::DatabaseUnreachable).why(why))?;
        return match made {
            Ok(()) => Ok(()),
            Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
            Err(error) => Err(denied().code(error.code().map_or("", SqlState::code))),
        };
    }
    Err(denied())
}

/// What an error of the driver means. Its words are not taken: they name user, host and database.
fn failure(error: &tokio_postgres::Error) -> Failure {
    if let Some(state) = error.code() {
        let (reason, why) = of_state(state);
        return Failure { reason, why, code: None }.code(state.code());
    }
    if let Some(why) = reach::distrusted(error) {
        return Failure::of(Reason::DatabaseCertificateInvalid).why(why);
    }
    let refused = error.source().is_some_and(|it| it.to_string().contains("not support TLS"));
    if refused {
        return Failure::of(Reason::DatabaseEncryptionRefused);
    }
    Failure::of(Reason::DatabaseUnreachable).why(Why::Closed)
}

fn of_state(state: &SqlState) -> (Reason, Option<Why>) {
    let denied = Reason::DatabasePermissionDenied;
    match *state {
        SqlState::INVALID_PASSWORD => (Reason::DatabaseLoginFailed, None),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            (Reason::DatabaseLoginFailed, Some(Why::Rules))
        }
        SqlState::INVALID_CATALOG_NAME => (Reason::DatabaseMissing, None),
        SqlState::INSUFFICIENT_PRIVILEGE => (denied, Some(Why::Connect)),
        SqlState::TOO_MANY_CONNECTIONS => (Reason::DatabaseConnectionsExhausted, None),
        SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => {
            (Reason::DatabaseUnreachable, Some(Why::Starting))
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => (Reason::DatabaseReadOnly, Some(Why::Standby)),
        _ => (Reason::DatabaseCheckFailed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_the_server_are_told_by_what_is_to_be_done_about_them() {
        for (state, reason, why) in [
            ("28P01", Reason::DatabaseLoginFailed, None),
            ("28000", Reason::DatabaseLoginFailed, Some(Why::Rules)),
            ("3D000", Reason::DatabaseMissing, None),
            ("42501", Reason::DatabasePermissionDenied, Some(Why::Connect)),
            ("53300", Reason::DatabaseConnectionsExhausted, None),
            ("57P03", Reason::DatabaseUnreachable, Some(Why::Starting)),
            ("25006", Reason::DatabaseReadOnly, Some(Why::Standby)),
            ("XX000", Reason::DatabaseCheckFailed, None),
        ] {
            assert_eq!(of_state(&SqlState::from_code(state)), (reason, why), "{state}");
        }
    }
}
