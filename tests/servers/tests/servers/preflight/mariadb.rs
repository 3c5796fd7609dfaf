//! `MariaDB` speaks MySQL's protocol up to the point where the backend's tables would need MySQL 8: reached, encrypted, logged
//! in, and refused for what it is. What a MySQL is asked after that is asked here past the refusal; no MySQL is to be had.

use convex_operator::{
    plan::gate::Record,
    worker::preflight::{
        look_past_version,
        reason::{Reason, Why},
    },
};
use servers::{Encryption, MariaDb};
use statemachine::worlds::born;

use super::{PASSWORD, Variables};
use crate::Ground;

const USER: &str = "canary-user";
const NOT_MYSQL: (Reason, Option<Why>) = (Reason::DatabaseUnsupported, Some(Why::MariaDb));

async fn with_user(ground: &Ground, encryption: Encryption<'_>) -> MariaDb {
    let server = MariaDb::start(&ground.place, encryption).await.unwrap();
    server.user(USER, PASSWORD).unwrap();
    server
}

fn plain(server: &MariaDb) -> Variables {
    let url = format!("{}?require_ssl=false", server.url((USER, PASSWORD)));
    Variables::of(&[("MYSQL_URL", &url), ("DO_NOT_REQUIRE_SSL", "true")])
}

#[tokio::test]
async fn it_is_reached_and_refused_for_what_it_is() {
    let ground = Ground::new().unwrap();
    let mut server = with_user(&ground, Encryption::None).await;
    let asks = plain(&server);
    assert_eq!(asks.amiss().await, NOT_MYSQL);
    let wrong = format!("{}?require_ssl=false", server.url((USER, "canary")));
    let wrong = asks.clone().with("MYSQL_URL", wrong);
    assert_eq!(wrong.amiss().await.0, Reason::DatabaseLoginFailed);
    let required = Variables::of(&[("MYSQL_URL", &server.url((USER, PASSWORD)))]);
    assert_eq!(required.amiss().await.0, Reason::DatabaseEncryptionRefused);
    server.stop();
    assert_eq!(asks.amiss().await, (Reason::DatabaseUnreachable, Some(Why::Refused)));
}

#[tokio::test]
async fn what_is_encrypted_is_proven_by_its_authority_and_by_no_other() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::Required(&ground.ours)).await;
    let asks = Variables::of(&[("MYSQL_URL", &server.url((USER, PASSWORD)))]);
    let ours = asks.clone().with("MYSQL_CA_FILE", ground.ours.file().display().to_string());
    assert_eq!(ours.amiss().await, NOT_MYSQL);
    let invalid = (Reason::DatabaseCertificateInvalid, Some(Why::Issuer));
    assert_eq!(asks.amiss().await, invalid);
    let others = asks.with("MYSQL_CA_FILE", ground.others.file().display().to_string());
    assert_eq!(others.amiss().await, invalid);
}

#[tokio::test]
async fn what_a_backend_needs_of_a_database_is_found_one_after_the_other() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    let asked = async |asks: &Variables| {
        let found = Box::pin(look_past_version(|name| asks.get(name))).await;
        found.map_err(|it| (it.reason, it.why))
    };
    let asks = plain(&server);
    // Who may see nothing of a database is not told whether there is one.
    let denied = Reason::DatabasePermissionDenied;
    assert_eq!(asked(&asks).await, Err((denied, Some(Why::Connect))));
    server.sql(&format!("GRANT CREATE ON *.* TO '{USER}'@'%'")).unwrap();
    assert_eq!(asked(&asks).await, Err((Reason::DatabaseMissing, None)));
    let create = asks.clone().with("CREATE_DATABASE", "IfMissing");
    server.sql(&format!("GRANT SELECT ON *.* TO '{USER}'@'%'")).unwrap();
    assert_eq!(asked(&create).await, Ok(()));
    assert_eq!(server.sql("SHOW TABLES IN or_ders").unwrap(), "", "the probe makes no table");
    let let_in = Record::next(None, &born(), true).serving(Some(&born().store));
    let again = asks
        .clone()
        .with("TEMPLATE", serde_json::to_string(&born()).unwrap())
        .with("RECORD", serde_json::to_string(&let_in).unwrap());
    assert_eq!(asked(&again).await, Err((Reason::DatabaseEmpty, None)));
    server.sql("CREATE TABLE or_ders.documents (n INT)").unwrap();
    assert_eq!(asked(&again).await, Err((Reason::DatabaseEmpty, None)));
    server.sql("INSERT INTO or_ders.documents VALUES (1)").unwrap();
    assert_eq!(asked(&again).await, Ok(()));

    server.sql("CREATE TABLE or_ders.read_only (n INT)").unwrap();
    assert_eq!(asked(&asks).await, Ok(()));
    server.sql("INSERT INTO or_ders.read_only VALUES (1)").unwrap();
    assert_eq!(asked(&asks).await, Err((Reason::DatabaseReadOnly, Some(Why::Fenced))));
    server.sql("TRUNCATE or_ders.read_only; SET GLOBAL read_only = 1").unwrap();
    assert_eq!(asked(&asks).await, Err((Reason::DatabaseReadOnly, Some(Why::Standby))));
    server
        .sql(&format!("SET GLOBAL read_only = 0; REVOKE CREATE ON *.* FROM '{USER}'@'%'"))
        .unwrap();
    assert_eq!(asked(&asks).await, Err((denied, Some(Why::Tables))));
}
