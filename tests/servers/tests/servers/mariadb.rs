//! MariaDB.

use std::net::TcpStream;

use anyhow::Result;
use servers::{Encryption, MariaDb};

use crate::{Ground, answer, refused};

const ORDERS: (&str, &str) = ("orders", "let it be");

async fn with_orders(ground: &Ground, encryption: Encryption<'_>) -> Result<MariaDb> {
    let server = MariaDb::start(&ground.place, encryption).await?;
    server.user(ORDERS.0, ORDERS.1)?;
    server.database("orders", ORDERS.0)?;
    Ok(server)
}

#[tokio::test]
async fn a_user_makes_tables_in_his_database_and_a_wrong_password_is_refused() {
    let ground = Ground::new().unwrap();
    let mut server = with_orders(&ground, Encryption::None).await.unwrap();
    server.log_in(ORDERS).unwrap();
    answer(&mut server.client(ORDERS, "CREATE TABLE orders.t AS SELECT 7 AS n")).unwrap();

    let wrong = refused(&mut server.client(("orders", "let it go"), "SELECT 1")).unwrap();
    assert!(wrong.contains("Access denied"), "{wrong}");
    let root = refused(&mut server.client(("root", ""), "SELECT 1")).unwrap();
    assert!(root.contains("Access denied"), "{root}");

    server.stop();
    assert!(TcpStream::connect(server.address()).is_err());
    server.resume().await.unwrap();
    assert_eq!(server.sql("SELECT n FROM orders.t").unwrap(), "7");
}

#[tokio::test]
async fn a_certificate_is_proven_by_its_authority_and_plain_connections_are_refused() {
    let ground = Ground::new().unwrap();
    let server = with_orders(&ground, Encryption::Required(&ground.ours)).await.unwrap();
    let cipher = answer(&mut server.client(ORDERS, "SHOW STATUS LIKE 'Ssl_cipher'")).unwrap();
    assert!(cipher.starts_with("Ssl_cipher\tTLS_"), "{cipher}");

    let mut others = server.client(ORDERS, "SELECT 1");
    let unproven = refused(others.arg("--ssl-ca").arg(ground.others.file())).unwrap();
    assert!(unproven.contains("certificate"), "{unproven}");
    let mut plain = server.client(ORDERS, "SELECT 1");
    let plain = refused(plain.args(["--skip-ssl", "--skip-ssl-verify-server-cert"])).unwrap();
    // MySQL 8 says that the transport is insecure; MariaDB 10.11 does not tell it from a wrong password.
    assert!(plain.contains("Access denied"), "{plain}");
}
