//! One writer by its lease, which whoever starts takes.

use serde_json::json;

use crate::{Ground, fails_with};

#[tokio::test]
async fn who_starts_takes_the_lease_and_who_had_it_ends_at_his_next_write() {
    let ground = Ground::plain().await.unwrap();
    let mut first = ground.plain_container().serving().await;
    first.holds("messages", json!([{ "n": 1 }])).await;
    let second = ground.plain_container().serving().await;
    // It reads on what it knew, and does not notice.
    second.holds("messages", json!([{ "n": 2 }])).await;
    assert_eq!(first.documents("messages").await.len(), 1);
    assert!(!first.has_ended());

    let body = json!({ "table": "messages", "documents": [{ "n": 3 }] });
    let url = first.url("/stand-in/documents");
    // The answer may be an error, or none.
    let _ = reqwest::Client::new().post(url).json(&body).send().await;
    assert_eq!(first.ends().await.code(), Some(0));
    let log = first.log();
    assert!(log.contains("Received a fatal error. Shutting down immediately"), "{log}");
    assert!(log.contains("LeaseLost"), "{log}");
    assert_eq!(second.documents("messages").await.len(), 2);
    assert_eq!(ground.sql("SELECT count(*) FROM documents").unwrap(), "2");
}

#[tokio::test]
async fn a_lease_of_a_later_time_is_not_taken() {
    let ground = Ground::plain().await.unwrap();
    ground.plain_container().serving().await.kill();
    ground.sql("UPDATE leases SET ts = 9000000000000000000").unwrap();
    let words = "failed to acquire lease: Already acquired with higher timestamp";
    fails_with(&ground.plain_container(), words);
}

#[tokio::test]
async fn a_row_in_read_only_keeps_every_backend_out_and_takes_no_lease() {
    let ground = Ground::plain().await.unwrap();
    let mut backend = ground.plain_container().serving().await;
    backend.signal("-INT");
    assert!(backend.ends().await.success());
    let lease = ground.sql("SELECT ts FROM leases").unwrap();
    ground.sql("INSERT INTO read_only VALUES (1)").unwrap();
    fails_with(&ground.plain_container(), "read_only");
    assert_eq!(ground.sql("SELECT ts FROM leases").unwrap(), lease);
    ground.sql("DELETE FROM read_only").unwrap();
    ground.plain_container().serving().await.kill();
}
