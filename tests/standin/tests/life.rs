//! How a backend starts, fails to start, and ends.

mod common;

use common::{Container, SECRET};

/// Exit code and standard error of a start that must fail.
fn failure(container: &Container) -> (Option<i32>, String) {
    let output = container.fails();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn fails_with(container: &Container, code: i32, words: &str) {
    let (status, error) = failure(container);
    assert_eq!(status, Some(code), "{error}");
    assert!(error.contains(words), "{error}");
}

#[tokio::test]
async fn sigterm_does_nothing_and_sigint_ends_it_cleanly() {
    let mut backend = Container::new().serving().await;
    backend.signal("-TERM");
    assert_eq!(backend.get("/version").await.0, 200);
    assert!(!backend.has_ended());
    backend.signal("-INT");
    assert_eq!(backend.ends().await.code(), Some(0));
    assert!(backend.log().contains("Server successfully shut down."));
}

#[tokio::test]
async fn sigint_during_the_start_is_lost() {
    let container = Container::new().with("STANDIN_START_DELAY_MS", "500");
    let mut backend = container.starting();
    backend.waits_for(|| backend.log().contains("starting")).await;
    backend.signal("-INT");
    backend.waits_for(|| backend.log().contains("backend listening on")).await;
    assert!(!backend.has_ended());
}

#[tokio::test]
async fn a_second_sigint_ends_it_while_requests_are_open() {
    let mut backend = Container::new().serving().await;
    let mut open = tokio::net::TcpStream::connect((backend.address.as_str(), 3210)).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut open,
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhal",
    )
    .await
    .unwrap();
    backend.waits_for(|| backend.log().contains("listening")).await;
    backend.signal("-INT");
    backend.waits_for(|| backend.log().contains("draining")).await;
    assert!(!backend.has_ended());
    backend.signal("-INT");
    assert_eq!(backend.ends().await.code(), Some(0));
}

#[tokio::test]
async fn it_says_where_it_listens_and_that_nothing_is_left_to_migrate() {
    let backend = Container::new().serving().await;
    backend.waits_for(|| backend.log().contains("Migration complete")).await;
    let listening = format!("backend listening on {}:3210", backend.address);
    assert!(backend.log().contains(&listening), "{}", backend.log());
}

#[tokio::test]
async fn a_silent_version_takes_the_data_and_never_listens() {
    let container = Container::new().with("STANDIN_SILENT_VERSIONS", "v1");
    let backend = container.starting();
    backend.waits_for(|| backend.log().contains("silent")).await;
    assert!(reqwest::get(backend.url("/version")).await.is_err());
    assert!(container.path("convex/data/writer.lock").exists());
}

#[test]
fn an_empty_disable_beacon_aborts_and_any_value_does_not() {
    fails_with(&Container::new().with("DISABLE_BEACON", ""), 2, "value was not a boolean");
    let odd = Container::new().with("DISABLE_BEACON", "no").with("CONVEX_CLOUD_ORIGIN", "nonsense");
    fails_with(&odd, 2, "must start with http:// or https://");
}

#[test]
fn a_secret_with_a_newline_or_of_another_length_ends_the_start() {
    let newline = Container::new().with("INSTANCE_SECRET", &format!("{SECRET}\n"));
    fails_with(&newline, 1, "couldn't decode instance secret");
    let short = Container::new().with("INSTANCE_SECRET", "abcd");
    fails_with(&short, 1, "instance secret has 2 bytes instead of 32");
}

#[test]
fn the_error_about_a_secret_never_shows_it() {
    let (_, error) = failure(&Container::new().with("INSTANCE_SECRET", "canary-canary"));
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn database_urls_are_refused_in_upstreams_words() {
    for (url, words) in [
        ("postgresql://user:pass@db/orders", "cluster url already contains db name: orders"),
        ("postgresql://db", "cluster url username must be set"),
    ] {
        fails_with(&Container::new().with("POSTGRES_URL", url), 1, words);
    }
    let mysql = Container::new().with("MYSQL_URL", "mysql://user:pass@db");
    fails_with(&mysql, 1, "does not speak to a MySQL server");
}

#[test]
fn a_version_that_is_to_crash_does_so_with_its_line_and_touches_no_data() {
    let container = Container::new().with("STANDIN_CRASH_VERSIONS", "v1");
    fails_with(&container, 1, "cluster url already contains db name: orders");
    assert!(!container.path("convex/data/writers.jsonl").exists());
    let container = container.with("STANDIN_CRASH_MESSAGE", "Transition too old!");
    fails_with(&container, 1, "Transition too old!");
}

#[tokio::test]
async fn the_port_of_a_living_backend_cannot_be_taken() {
    let container = Container::new();
    let _living = container.serving().await;
    fails_with(&container, 1, "Address already in use");
}

#[test]
fn a_fixed_flag_cannot_be_given_again() {
    let output = Container::new().command("./run_backend.sh").arg("--port=4000").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be used multiple times"));
}
