//! Documents in Postgres: how it is reached, and what stays.

use serde_json::json;

use crate::{DATABASE, Ground, common::Container, fails_with};

#[tokio::test]
async fn documents_outlive_the_data_directory() {
    let ground = Ground::plain().await.unwrap();
    let mut first = ground.plain_container().serving().await;
    let log = first.log();
    assert!(log.contains("Connected to Postgres database: convex_self_hosted"), "{log}");
    assert!(log.contains("lease acquired with ts "), "{log}");
    first.holds("messages", json!([{ "n": 1 }, { "n": 2, "text": "ä\u{0}'\\" }])).await;
    first.holds("messages", json!([{ "n": 3 }])).await;
    first.pauses(true).await;
    first.pauses(false).await;
    let before = first.documents("messages").await;
    assert_eq!(ground.sql("SELECT count(*) FROM documents").unwrap(), "3");
    first.signal("-INT");
    assert_eq!(first.ends().await.code(), Some(0));

    let second = ground.plain_container().serving().await;
    assert_eq!(second.documents("messages").await, before);
    second.holds("messages", json!([{ "n": 4 }])).await;
    assert_eq!(ground.sql("SELECT max(place) FROM documents").unwrap(), "3");
}

#[tokio::test]
async fn an_import_replaces_what_the_server_keeps() {
    let ground = Ground::plain().await.unwrap();
    let backend = ground.plain_container().serving().await;
    backend.holds("messages", json!([{ "n": 1 }])).await;
    let export = backend.exports(false).await;
    let zip = backend.downloads(&export).await.bytes().await.unwrap();
    backend.holds("messages", json!([{ "n": 2 }])).await;
    backend.holds("others", json!([{ "n": 3 }])).await;
    let import = backend.uploads(&zip, 1000, "replaceAll").await;
    assert_eq!(backend.performs(&import).await, 200);
    backend.import_is(&import, "completed").await;
    assert_eq!(ground.sql("SELECT count(*) FROM documents").unwrap(), "1");
    backend.kill();
    let again = ground.plain_container().serving().await;
    assert_eq!(again.documents("messages").await[0]["n"], 1);
    assert!(again.documents("others").await.is_empty());
}

#[tokio::test]
async fn a_certificate_of_a_private_authority_is_proven_by_pg_ca_file_alone() {
    let ground = Ground::encrypted().await.unwrap();
    fails_with(&ground.container(), "invalid peer certificate: UnknownIssuer");
    // What need not be encrypted is, where the server can: and is proven then.
    fails_with(&ground.plain_container(), "invalid peer certificate: UnknownIssuer");

    let trusting = ground.container().with("PG_CA_FILE", "/ca.crt");
    std::fs::copy(ground.authority.file(), trusting.path("ca.crt")).unwrap();
    let backend = trusting.serving().await;
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE usename = 'convex'";
    assert_eq!(ground.sql(encrypted).unwrap(), "t");
    backend.kill();
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_unless_it_need_not_be() {
    let ground = Ground::plain().await.unwrap();
    fails_with(&ground.container(), "server does not support TLS");
    ground.plain_container().serving().await.kill();
}

#[tokio::test]
async fn what_the_server_refuses_ends_the_start_in_its_words() {
    let ground = Ground::plain().await.unwrap();
    let with_url =
        |url: &str| Container::new().with("DO_NOT_REQUIRE_SSL", "1").with("POSTGRES_URL", url);
    let wrong = ground.server.url(("convex", "wrong"));
    fails_with(&with_url(&wrong), "password authentication failed for user \"convex\"");
    let other = ground.plain_container().with("INSTANCE_NAME", "other-name");
    fails_with(&other, "database \"other_name\" does not exist");
    ground.sql("CREATE ROLE stranger LOGIN PASSWORD 'wrong'").unwrap();
    let stranger = ground.server.url(("stranger", "wrong"));
    fails_with(&with_url(&stranger), "permission denied for schema public");
    fails_with(&with_url("postgresql://convex:wrong@127.0.0.1:1"), "Connection refused");
}

#[tokio::test]
async fn a_server_that_comes_back_is_asked_again() {
    let mut ground = Ground::plain().await.unwrap();
    let backend = ground.plain_container().serving().await;
    backend.holds("messages", json!([{ "n": 1 }])).await;
    ground.server.stop();
    let body = json!({ "table": "messages", "documents": [{ "n": 2 }] });
    assert_eq!(backend.posts("/stand-in/documents", body).await.0, 500);
    ground.server.resume().await.unwrap();
    backend.holds("messages", json!([{ "n": 3 }])).await;
    assert_eq!(backend.documents("messages").await.len(), 2);
    assert_eq!(ground.server.sql(DATABASE, "SELECT count(*) FROM documents").unwrap(), "2");
}
