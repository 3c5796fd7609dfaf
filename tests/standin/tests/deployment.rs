//! What an administrator sees and changes: tables, functions, variables, the pause.

#![allow(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

mod common;

use common::{Container, KEY};
use serde_json::{Value, json};

#[tokio::test]
async fn documents_and_the_pause_survive_a_kill() {
    let container = Container::new();
    let backend = container.serving().await;
    backend.holds("messages", json!([{ "n": 1 }, { "n": 2 }])).await;
    let before = backend.documents("messages").await;
    assert_eq!(backend.posts("/api/v1/pause_deployment", Value::Null).await.0, 200);
    backend.kill();
    let backend = container.serving().await;
    assert_eq!(backend.get("/stand-in/documents/messages").await.0, 400);
    assert_eq!(backend.posts("/api/v1/unpause_deployment", Value::Null).await.0, 200);
    assert_eq!(backend.documents("messages").await, before);
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_amid_writes_is_there_and_whole() {
    let container = Container::new();
    let backend = container.serving().await;
    let url = backend.url("/stand-in/documents");
    let (acknowledged, mut seen) = tokio::sync::watch::channel(0);
    let writing = tokio::spawn(async move {
        let client = reqwest::Client::new();
        for n in 0.. {
            let body = json!({ "table": "messages", "documents": [{ "n": n }] });
            match client.post(&url).json(&body).send().await {
                Ok(answer) if answer.status() == 200 => acknowledged.send_replace(n + 1),
                _ => return n,
            };
        }
        0
    });
    seen.wait_for(|count| *count >= 20).await.unwrap();
    backend.kill();
    let acknowledged = writing.await.unwrap();
    let numbers: Vec<_> = container.serving().await.documents("messages").await;
    let numbers: Vec<_> = numbers.iter().map(|it| it["n"].as_u64().unwrap()).collect();
    // The last one may have been written and its answer lost.
    assert!(numbers.len() >= acknowledged && numbers.len() <= acknowledged + 1);
    assert!((0..).zip(&numbers).all(|(expected, n)| expected == *n), "{numbers:?}");
}

#[tokio::test]
async fn while_it_is_paused_functions_are_refused_and_the_administrator_is_not() {
    let backend = Container::new().serving().await;
    backend.posts("/stand-in/deploy", json!({ "functions": ["messages:list"] })).await;
    let list = json!({ "path": "messages:list", "args": {}, "format": "json" });
    assert_eq!(backend.posts("/api/query", list.clone()).await.1["status"], "success");
    backend.posts("/api/v1/pause_deployment", Value::Null).await;
    let state = "_system/frontend/deploymentState:deploymentState";
    assert_eq!(backend.query(state, json!({})).await["state"], "paused");
    assert_eq!(backend.posts("/api/query", list).await.1["status"], "error");
    assert_eq!(backend.get("/http/hello").await.0, 400);
    let body = json!({ "table": "messages", "documents": [{}] });
    let (status, answer) = backend.posts("/stand-in/documents", body).await;
    assert_eq!((status, &answer["code"]), (400, &json!("DeploymentPaused")));
    assert_eq!(backend.exports(true).await["state"], "completed");
}

#[tokio::test]
async fn a_version_that_is_too_old_cannot_be_paused() {
    let backend = Container::new().with("STANDIN_NO_PAUSE_VERSIONS", "v1").serving().await;
    assert_eq!(backend.posts("/api/v1/pause_deployment", Value::Null).await.0, 404);
    backend.holds("messages", json!([{}])).await;
}

#[tokio::test]
async fn tables_are_listed_page_by_page_and_counted() {
    let backend = Container::new().serving().await;
    for table in ["a", "b", "c"] {
        backend.holds(table, json!([{}, {}])).await;
    }
    backend.holds_file("hello").await;
    let page = |cursor: Value| {
        let options = json!({ "numItems": 2, "cursor": cursor });
        backend.query("_system/cli/tables", json!({ "paginationOpts": options }))
    };
    let first = page(Value::Null).await;
    assert_eq!(first["page"], json!([{ "name": "a" }, { "name": "b" }]));
    let second = page(first["continueCursor"].clone()).await;
    assert_eq!((&second["page"], &second["isDone"]), (&json!([{ "name": "c" }]), &json!(true)));
    let size =
        |table: &str| backend.query("_system/cli/tableSize:default", json!({ "tableName": table }));
    assert_eq!((size("a").await, size("nothing").await), (json!(2.0), json!(0.0)));
}

#[tokio::test]
async fn variables_are_set_listed_and_removed() {
    let backend = Container::new().serving().await;
    let changes =
        json!({ "changes": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] });
    for path in ["/api/v1/update_environment_variables", "/api/update_environment_variables"] {
        assert_eq!(backend.posts(path, changes.clone()).await.0, 200);
    }
    let gone = json!({ "changes": [{ "name": "A", "value": null }] });
    backend.posts("/api/update_environment_variables", gone).await;
    let key = KEY.replace('|', "%7C");
    let (_, listed) =
        backend.get(&format!("/api/v1/list_environment_variables?adminKey={key}")).await;
    assert_eq!(listed, r#"{"environmentVariables":{"B":"2"}}"#);
    let bad = json!({ "changes": [{ "name": "not a name", "value": "1" }] });
    assert_eq!(backend.posts("/api/update_environment_variables", bad).await.0, 400);
}

#[tokio::test]
async fn an_unknown_query_is_an_error_in_a_good_answer() {
    let backend = Container::new().serving().await;
    let body = json!({ "path": "_system/cli/nothing", "args": [{}], "format": "json" });
    let (status, answer) = backend.posts("/api/query", body).await;
    assert_eq!((status, &answer["status"]), (200, &json!("error")));
    assert!(answer["errorMessage"].as_str().unwrap().contains("_system/cli/nothing"));
}

#[tokio::test]
async fn a_bad_key_opens_nothing() {
    let backend = Container::new().serving().await;
    let query = json!({ "path": "_system/cli/exports:getLatest", "args": {} });
    for path in [
        "/api/query",
        "/api/export/request/zip",
        "/api/import/start_upload",
        "/api/v1/pause_deployment",
        "/api/v1/update_environment_variables",
    ] {
        let (status, body) = backend.posts_with("convex-self-hosted|01ab", path, &query).await;
        assert_eq!((status, &body["code"]), (401, &json!("BadAdminKey")), "{path}");
    }
}

#[tokio::test]
async fn a_read_only_key_may_look_and_not_export() {
    let carnitas = Container::new()
        .with("INSTANCE_NAME", "carnitas")
        .with("INSTANCE_SECRET", &"ff".repeat(32));
    let backend = carnitas.serving().await;
    let reader =
        "carnitas|01a0a1a2a3a4a5a6a7a8a9aaab833078f6d3eed4446111f202a8a3960d331fff1f59b11fc7d201";
    let query = json!({ "path": "_system/cli/exports:getLatest", "args": {} });
    assert_eq!(backend.posts_with(reader, "/api/query", &query).await.0, 200);
    assert_eq!(backend.posts_with(reader, "/api/export/request/zip", &query).await.0, 403);
}
