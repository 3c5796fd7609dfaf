//! The real CLI, `convex` of npm, against the stand-in: somebody else's idea of the protocol.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a fixture that fails is a failed test"
)]

mod common;

use std::{
    path::PathBuf,
    process::{Output, Stdio},
};

use common::{Backend, Container, KEY};
use serde_json::json;

/// The folder that the recipe has installed the CLI in.
fn installed() -> PathBuf {
    let folder = std::env::var_os("CONVEX_CLI");
    folder.expect("run ./justw test-cli, which installs the CLI and says where").into()
}

async fn convex(backend: &Backend, arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(installed().join("node/bin/node"));
    command.arg("node_modules/convex/bin/main.js").args(arguments);
    command.args(["--url", &backend.url(""), "--admin-key", KEY]);
    command.current_dir(installed()).env("CI", "1").stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.unwrap()
}

async fn succeeds(backend: &Backend, arguments: &[&str]) -> String {
    let output = convex(backend, arguments).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}\n{}", backend.log());
    format!("{}{errors}", String::from_utf8_lossy(&output.stdout))
}

#[tokio::test]
async fn what_the_cli_exports_it_imports_into_another_deployment() {
    let source = Container::new().serving().await;
    source.holds("messages", json!([{ "n": { "$integer": "BQAAAAAAAAA=" } }, { "n": 1.5 }])).await;
    source.holds_file("hello").await;
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("snapshot.zip");
    let zip = zip.to_str().unwrap();
    let said = succeeds(&source, &["export", "--path", zip, "--include-file-storage"]).await;
    assert!(said.contains("Created snapshot export at timestamp"), "{said}");
    let target = Container::new().serving().await;
    target.holds("old", json!([{}])).await;
    let said = succeeds(&target, &["import", "--replace-all", "-y", zip]).await;
    assert!(said.contains("Added 2 documents"), "{said}");
    for table in ["messages", "old", "_storage"] {
        assert_eq!(target.documents(table).await, source.documents(table).await, "{table}");
    }
}

#[tokio::test]
async fn without_a_yes_the_cli_deletes_nothing() {
    let backend = Container::new().serving().await;
    backend.holds("messages", json!([{ "n": 1 }])).await;
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("snapshot.zip");
    let zip = zip.to_str().unwrap();
    succeeds(&backend, &["export", "--path", zip]).await;
    let output = convex(&backend, &["import", "--replace-all", zip]).await;
    assert_eq!(output.status.code(), Some(1));
    let imports = backend.query("_system/cli/queryImport:list", json!({})).await;
    assert_eq!(imports[0]["state"]["state"], "waiting_for_confirmation");
}

#[tokio::test]
async fn the_cli_sets_lists_gets_and_removes_variables() {
    let backend = Container::new().serving().await;
    succeeds(&backend, &["env", "set", "GREETING", "hello"]).await;
    let listed = succeeds(&backend, &["env", "list", "--include-values"]).await;
    assert!(listed.contains("GREETING=hello"), "{listed}");
    assert!(succeeds(&backend, &["env", "get", "GREETING"]).await.contains("hello"));
    succeeds(&backend, &["env", "remove", "GREETING"]).await;
    let left = backend.query("_system/cli/queryEnvironmentVariables", json!({})).await;
    assert_eq!(left, json!([]));
}

#[tokio::test]
async fn the_cli_fails_where_the_import_or_the_key_does() {
    let wishes = Container::new().with("STANDIN_IMPORT_FAILS_VERSIONS", "v1");
    let backend = wishes.serving().await;
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("snapshot.zip");
    let zip = zip.to_str().unwrap();
    succeeds(&backend, &["export", "--path", zip]).await;
    let output = convex(&backend, &["import", "--replace-all", "-y", zip]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("as a test asked"));
    let deaf = Container::new().with("STANDIN_REJECT_KEY_VERSIONS", "v1").serving().await;
    let again = folder.path().join("again.zip");
    let output = convex(&deaf, &["export", "--path", again.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
}
