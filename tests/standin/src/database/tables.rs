//! The tables of a server, and what is said to them.

use tokio_postgres::{Client, Transaction};

use super::DatabaseError;

/// Two starts at once would make the same table twice: one waits for the other.
const ALONE: &str = "SELECT pg_advisory_xact_lock(3210)";
const MAKE: &str = "
CREATE TABLE IF NOT EXISTS documents (
    part TEXT NOT NULL, place BIGINT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (part, place));
CREATE TABLE IF NOT EXISTS leases (id BIGINT PRIMARY KEY CHECK (id = 1), ts BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS read_only (id BIGINT PRIMARY KEY CHECK (id = 1));
CREATE TABLE IF NOT EXISTS persistence_globals (key TEXT PRIMARY KEY, json_value TEXT NOT NULL);
INSERT INTO leases VALUES (1, 0) ON CONFLICT DO NOTHING;";
/// The key of what is known besides the documents.
const STATE: &str = "state";

/// Makes what is missing.
pub async fn make(client: &mut Client) -> Result<(), DatabaseError> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(ALONE).await?;
    transaction.batch_execute(MAKE).await?;
    Ok(transaction.commit().await?)
}

/// Whether somebody keeps backends out.
pub async fn is_read_only(client: &Client) -> Result<bool, DatabaseError> {
    Ok(client.query_opt("SELECT 1 FROM read_only", &[]).await?.is_some())
}

/// Takes the lease from whoever has it; a later one is not taken.
pub async fn steal(client: &Client, ts: i64) -> Result<(), DatabaseError> {
    let taken =
        client.execute("UPDATE leases SET ts = $1 WHERE id = 1 AND ts < $1", &[&ts]).await?;
    if taken == 1 { Ok(()) } else { Err(DatabaseError::LeaseHigher) }
}

/// Whether the lease is still that one; it stays so until the transaction ends.
pub async fn holds(transaction: &Transaction<'_>, ts: i64) -> Result<bool, tokio_postgres::Error> {
    let row = transaction.query_opt("SELECT ts FROM leases WHERE id = 1 FOR SHARE", &[]).await?;
    Ok(row.is_some_and(|row| row.get::<_, i64>(0) == ts))
}

/// What is known besides the documents, where anything is.
pub async fn state(client: &Client) -> Result<Option<String>, DatabaseError> {
    let query = "SELECT json_value FROM persistence_globals WHERE key = $1";
    Ok(client.query_opt(query, &[&STATE]).await?.map(|row| row.get(0)))
}

/// Replaces what is known besides the documents.
pub async fn set_state(
    transaction: &Transaction<'_>,
    state: &str,
) -> Result<(), tokio_postgres::Error> {
    let statement = "INSERT INTO persistence_globals VALUES ($1, $2) \
                     ON CONFLICT (key) DO UPDATE SET json_value = EXCLUDED.json_value";
    transaction.execute(statement, &[&STATE, &state]).await.map(drop)
}

/// The documents of a part, a line each.
pub async fn lines(client: &Client, part: &str) -> Result<Vec<String>, DatabaseError> {
    let query = "SELECT line FROM documents WHERE part = $1 ORDER BY place";
    Ok(client.query(query, &[&part]).await?.iter().map(|row| row.get(0)).collect())
}

/// Adds documents to a part, from a place on.
pub async fn add(
    transaction: &Transaction<'_>,
    part: &str,
    first: i64,
    lines: &[String],
) -> Result<(), tokio_postgres::Error> {
    let statement = "INSERT INTO documents SELECT $1, $2 + new.place - 1, new.line \
                     FROM unnest($3::TEXT[]) WITH ORDINALITY AS new (line, place)";
    transaction.execute(statement, &[&part, &first, &lines]).await.map(drop)
}

/// Removes all parts but these.
pub async fn keep_only(
    transaction: &Transaction<'_>,
    parts: &[String],
) -> Result<(), tokio_postgres::Error> {
    transaction.execute("DELETE FROM documents WHERE part <> ALL ($1)", &[&parts]).await.map(drop)
}
