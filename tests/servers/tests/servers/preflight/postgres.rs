//! PostgreSQL, with and without TLS.

use std::time::{Duration, Instant};

use convex_operator::{
    plan::gate::Record,
    worker::preflight::{
        reason::{Reason, Why},
        verdict::Note,
    },
};
use rcgen::SanType;
use servers::{Encryption, Postgres};
use statemachine::worlds::born;

use super::{PASSWORD, Variables};
use crate::Ground;

const USER: &str = "canary-user";

async fn with_user(ground: &Ground, encryption: Encryption<'_>) -> Postgres {
    let server = Postgres::start(&ground.place, encryption).await.unwrap();
    server.role(USER, PASSWORD).unwrap();
    server
}

/// As for a server that is trusted without encryption.
fn plain(server: &Postgres) -> Variables {
    let url = format!("{}?sslmode=disable", server.url((USER, PASSWORD)));
    Variables::of(&[("POSTGRES_URL", &url), ("DO_NOT_REQUIRE_SSL", "true")])
}

/// As for one that has to prove itself.
fn proven(server: &Postgres) -> Variables {
    Variables::of(&[("POSTGRES_URL", &server.url((USER, PASSWORD)))])
}

#[tokio::test]
async fn what_a_backend_needs_of_a_database_is_found_one_after_the_other() {
    let ground = Ground::new().unwrap();
    let mut server = with_user(&ground, Encryption::None).await;
    let asks = plain(&server);
    assert_eq!(asks.amiss().await, (Reason::DatabaseMissing, None));
    let create = asks.clone().with("CREATE_DATABASE", "IfMissing");
    assert_eq!(create.amiss().await, (Reason::DatabaseMissing, Some(Why::Create)));

    server.sql("postgres", "CREATE DATABASE or_ders").unwrap();
    let denied = Reason::DatabasePermissionDenied;
    assert_eq!(asks.amiss().await, (denied, Some(Why::Tables)));
    server.sql("or_ders", "DROP SCHEMA public").unwrap();
    assert_eq!(asks.amiss().await, (denied, Some(Why::Schema)));
    server.sql("or_ders", &format!("CREATE SCHEMA public AUTHORIZATION \"{USER}\"")).unwrap();
    let found = asks.well().await;
    assert_eq!(found.note, None, "200 connections are enough for 128");

    server.sql("or_ders", "REVOKE CONNECT ON DATABASE or_ders FROM public").unwrap();
    assert_eq!(asks.amiss().await, (denied, Some(Why::Connect)));
    server.sql("or_ders", "GRANT CONNECT ON DATABASE or_ders TO public").unwrap();
    asks.well().await;

    server.stop();
    assert_eq!(asks.amiss().await, (Reason::DatabaseUnreachable, Some(Why::Refused)));
    server.resume().await.unwrap();
    asks.well().await;
}

#[tokio::test]
async fn a_wrong_password_and_a_user_who_is_not_known_are_refused() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    for user in [(USER, "canary"), ("canary", PASSWORD)] {
        let url = format!("{}?sslmode=disable", server.url(user));
        let asks = plain(&server).with("POSTGRES_URL", url);
        assert_eq!(asks.amiss().await.0, Reason::DatabaseLoginFailed);
    }
}

#[tokio::test]
async fn a_database_that_is_missing_is_made_where_that_is_asked_for_and_allowed() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    server.sql("postgres", &format!("ALTER ROLE \"{USER}\" CREATEDB")).unwrap();
    let create = plain(&server).with("CREATE_DATABASE", "IfMissing");
    create.well().await;
    let made = "SELECT count(*) FROM pg_database WHERE datname = 'or_ders'";
    assert_eq!(server.sql("postgres", made).unwrap(), "1");
    assert_eq!(create.well().await.note, None);
    // It is there, and the next one is not: that is told while there is time.
    server.sql("postgres", &format!("ALTER ROLE \"{USER}\" NOCREATEDB")).unwrap();
    assert_eq!(create.well().await.note, Some(Note::Uncreatable));
    // A server as it comes takes fewer connections than a backend opens: that is told next.
    let larger = create.clone().with("POSTGRES_MAX_CONNECTIONS", "300");
    assert_eq!(larger.well().await.note, Some(Note::Uncreatable));
    assert_eq!(plain(&server).well().await.note, None, "nobody is to make any");
}

/// What the gate of a pod is told of its store: whether users were let in to it before.
fn of_a_store(asks: &Variables, served: bool) -> Variables {
    let opened = Record::next(None, &born(), true);
    let record = if served { opened.serving(Some(&born().store)) } else { opened };
    let json = serde_json::to_string(&record).unwrap();
    asks.clone().with("TEMPLATE", serde_json::to_string(&born()).unwrap()).with("RECORD", json)
}

/// It was dropped, or is yet to be restored: an empty one would be served in its place.
#[tokio::test]
async fn a_database_that_users_were_let_in_to_is_not_made_anew() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    server.sql("postgres", &format!("ALTER ROLE \"{USER}\" CREATEDB")).unwrap();
    let asks = plain(&server).with("CREATE_DATABASE", "IfMissing");
    let again = of_a_store(&asks, true);
    assert_eq!(again.amiss().await, (Reason::DatabaseMissing, Some(Why::Served)));
    let there = "SELECT count(*) FROM pg_database WHERE datname = 'or_ders'";
    assert_eq!(server.sql("postgres", there).unwrap(), "0");
    of_a_store(&asks, false).well().await;
    assert_eq!(server.sql("postgres", there).unwrap(), "1");
}

/// Another server, or one that is yet to be restored: it would be served as if there had never been any data.
#[tokio::test]
async fn a_database_that_users_were_let_in_to_is_not_taken_for_it_where_it_holds_nothing() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    server.database("or_ders", USER).unwrap();
    let asks = plain(&server);
    of_a_store(&asks, false).well().await;
    let again = of_a_store(&asks, true);
    assert_eq!(again.amiss().await, (Reason::DatabaseEmpty, None));
    let owned = format!("SET ROLE \"{USER}\"; CREATE TABLE documents (id INT)");
    server.sql("or_ders", &owned).unwrap();
    assert_eq!(again.amiss().await, (Reason::DatabaseEmpty, None), "a table alone is no data");
    server.sql("or_ders", "INSERT INTO documents VALUES (1)").unwrap();
    again.well().await;
    // The backend looks for its tables where its user makes them, and would make others there.
    let elsewhere = format!(
        "CREATE SCHEMA other AUTHORIZATION \"{USER}\"; ALTER ROLE \"{USER}\" SET search_path = other, public"
    );
    server.sql("or_ders", &elsewhere).unwrap();
    assert_eq!(again.amiss().await, (Reason::DatabaseEmpty, None));
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_told_and_so_is_the_backends_own_fence() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    server.database("or_ders", USER).unwrap();
    let asks = plain(&server);
    server
        .sql(
            "or_ders",
            &format!("CREATE TABLE read_only (); GRANT SELECT ON read_only TO \"{USER}\""),
        )
        .unwrap();
    asks.well().await;
    server.sql("or_ders", "INSERT INTO read_only DEFAULT VALUES").unwrap();
    assert_eq!(asks.amiss().await, (Reason::DatabaseReadOnly, Some(Why::Fenced)));
    let role = format!("ALTER ROLE \"{USER}\" SET default_transaction_read_only = on");
    server.sql("or_ders", &role).unwrap();
    assert_eq!(asks.amiss().await, (Reason::DatabaseReadOnly, Some(Why::Standby)));
}

#[tokio::test]
async fn a_pool_that_is_larger_than_the_server_is_told_and_is_no_failure() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    server.database("or_ders", USER).unwrap();
    let asks = plain(&server).with("POSTGRES_MAX_CONNECTIONS", "300");
    let note = asks.well().await.note;
    assert_eq!(note, Some(Note::Connections { allowed: 197, pool: 300 }));
}

#[tokio::test]
async fn what_is_encrypted_is_proven_by_its_authority_and_by_no_other() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::Required(&ground.ours)).await;
    server.database("or_ders", USER).unwrap();
    let authority = |file: &std::path::Path| file.display().to_string();
    let asks = proven(&server);
    asks.clone().with("PG_CA_FILE", authority(&ground.ours.file())).well().await;

    let invalid = Reason::DatabaseCertificateInvalid;
    assert_eq!(asks.amiss().await, (invalid, Some(Why::Issuer)));
    let others = asks.clone().with("PG_CA_FILE", authority(&ground.others.file()));
    assert_eq!(others.amiss().await, (invalid, Some(Why::Issuer)));
    let nowhere = asks.with("PG_CA_FILE", "/nowhere/ca.crt");
    assert_eq!(nowhere.amiss().await, (invalid, Some(Why::Authorities)));
    let bare = plain(&server);
    assert_eq!(bare.amiss().await, (Reason::DatabaseLoginFailed, Some(Why::Rules)));
}

/// Whoever is told that the authority is wrong would look in the wrong place.
#[tokio::test]
async fn a_certificate_of_another_server_and_one_that_is_over_are_told_apart() {
    let ground = Ground::new().unwrap();
    for (which, why) in [("another", Why::Host), ("over", Why::Expired)] {
        let server = with_user(&ground, Encryption::Required(&ground.ours)).await;
        server.database("or_ders", USER).unwrap();
        let asks = proven(&server).with("PG_CA_FILE", ground.ours.file().display().to_string());
        asks.well().await;
        let pair = if which == "another" {
            ground.ours.server_for(which, &["another.test".to_owned()])
        } else {
            ground.ours.expired(which, vec![SanType::IpAddress((*server.address().ip()).into())])
        };
        server.certify(&pair.unwrap()).unwrap();
        let begun = Instant::now();
        while asks.found().await.failure.is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it still has the first one");
        }
        let invalid = Reason::DatabaseCertificateInvalid;
        assert_eq!(asks.amiss().await, (invalid, Some(why)), "{which}");
    }
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_where_it_is_required() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::None).await;
    assert_eq!(proven(&server).amiss().await.0, Reason::DatabaseEncryptionRefused);
}

/// Measured: what a preflight adds to the start of a pod whose servers are well, on a machine that does much else.
#[tokio::test]
async fn a_look_takes_less_than_two_seconds() {
    let ground = Ground::new().unwrap();
    let server = with_user(&ground, Encryption::Offered(&ground.ours)).await;
    server.database("or_ders", USER).unwrap();
    let asks = proven(&server).with("PG_CA_FILE", ground.ours.file().display().to_string());
    let begun = Instant::now();
    asks.well().await;
    let took = begun.elapsed();
    println!("one look took {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}
