//! PostgreSQL.

use std::net::TcpStream;

use anyhow::Result;
use servers::{Encryption, Postgres};

use crate::{Ground, answer, refused};

const ORDERS: (&str, &str) = ("orders", "let it be");

async fn with_orders(ground: &Ground, encryption: Encryption<'_>) -> Result<Postgres> {
    let server = Postgres::start(&ground.place, encryption).await?;
    server.role(ORDERS.0, ORDERS.1)?;
    server.database("orders", ORDERS.0)?;
    Ok(server)
}

#[tokio::test]
async fn a_role_makes_tables_in_its_database_and_a_wrong_password_is_refused() {
    let ground = Ground::new().unwrap();
    let server = with_orders(&ground, Encryption::None).await.unwrap();
    server.log_in(ORDERS, "orders").unwrap();
    answer(&mut server.psql(ORDERS, "orders", "CREATE TABLE t AS SELECT 7 AS n")).unwrap();
    assert_eq!(server.sql("orders", "SELECT n FROM t").unwrap(), "7");

    let wrong = refused(&mut server.psql(("orders", "let it go"), "orders", "SELECT 1")).unwrap();
    assert!(wrong.contains("password authentication failed"), "{wrong}");
    server.role("orders", "let it go").unwrap();
    server.log_in(("orders", "let it go"), "orders").unwrap();
}

#[tokio::test]
async fn a_certificate_is_proven_by_its_authority_and_by_no_other() {
    let ground = Ground::new().unwrap();
    let server = with_orders(&ground, Encryption::Offered(&ground.ours)).await.unwrap();
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(answer(&mut server.psql(ORDERS, "orders", encrypted)).unwrap(), "t");

    let mut others = server.psql(ORDERS, "orders", "SELECT 1");
    let unproven = refused(others.env("PGSSLROOTCERT", ground.others.file())).unwrap();
    assert!(unproven.contains("SSL error"), "{unproven}");
    let mut plain = server.psql(ORDERS, "orders", encrypted);
    assert_eq!(answer(plain.env("PGSSLMODE", "disable")).unwrap(), "f");
}

#[tokio::test]
async fn where_encryption_is_required_a_plain_connection_is_refused() {
    let ground = Ground::new().unwrap();
    let server = with_orders(&ground, Encryption::Required(&ground.ours)).await.unwrap();
    server.log_in(ORDERS, "orders").unwrap();
    let mut plain = server.psql(ORDERS, "orders", "SELECT 1");
    let said = refused(plain.env("PGSSLMODE", "disable")).unwrap();
    assert!(said.contains("no encryption"), "{said}");
}

#[tokio::test]
async fn what_is_kept_outlives_a_stop_and_nothing_runs_without_the_guard() {
    let ground = Ground::new().unwrap();
    let mut server = with_orders(&ground, Encryption::None).await.unwrap();
    server.sql("orders", "CREATE TABLE t AS SELECT 7 AS n").unwrap();
    server.stop();
    assert!(TcpStream::connect(server.address()).is_err());
    server.resume().await.unwrap();
    assert_eq!(server.sql("orders", "SELECT n FROM t").unwrap(), "7");
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let ground = Ground::new().unwrap();
    let _first = Postgres::start(&ground.place, Encryption::None).await.unwrap();
    let second = Postgres::start(&ground.place, Encryption::None).await;
    let said = format!("{:#}", second.unwrap_err());
    assert!(said.contains("the server ended") && said.contains("Address already in use"), "{said}");
}
