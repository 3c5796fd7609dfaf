//! The oracle on running backends: it sees what happened, and nothing else.

mod common;

use std::time::Duration;

use common::Container;

#[tokio::test]
async fn two_live_backends_on_one_volume_are_seen() {
    let container = Container::new();
    let first = container.serving().await;
    let second = container.beside().serving().await;
    let seen = second.marker().await["secondWriters"].as_u64().unwrap();
    assert!(seen >= 1, "{}", second.log());
    assert!(first.marker().await["secondWriters"].as_u64().unwrap() >= 1);
}

#[tokio::test]
async fn without_kernel_locks_the_heartbeat_sees_them() {
    let container = Container::new();
    let _first = container.serving().await;
    // Where locks are not shared, every writer locks a file of its own.
    std::fs::remove_file(container.path("convex/data/writer.flock")).unwrap();
    let second = container.beside().serving().await;
    assert!(second.marker().await["secondWriters"].as_u64().unwrap() >= 1);
    assert!(second.log().contains("Heartbeat"), "{}", second.log());
}

#[tokio::test]
async fn a_killed_backend_that_comes_back_is_not_a_second_writer() {
    let container = Container::new();
    let first = container.serving().await;
    let born = first.marker().await["firstStart"].clone();
    first.kill();
    let marker = container.serving().await.marker().await;
    assert_eq!(marker["secondWriters"], 0);
    assert_eq!((marker["starts"].as_u64(), &marker["firstStart"]), (Some(2), &born));
}

#[tokio::test]
async fn a_killed_backend_is_none_either_where_kernel_locks_are_not_shared() {
    let container = Container::new();
    container.serving().await.kill();
    std::fs::remove_file(container.path("convex/data/writer.flock")).unwrap();
    assert_eq!(container.serving().await.marker().await["secondWriters"], 0);
}

#[tokio::test]
async fn a_clean_handover_is_not_a_second_writer_and_costs_no_watching() {
    let container = Container::new();
    let mut first = container.serving().await;
    first.signal("-INT");
    assert!(first.ends().await.success());
    let second = container.serving().await;
    let marker = second.marker().await;
    assert_eq!((marker["secondWriters"].as_u64(), marker["starts"].as_u64()), (Some(0), Some(2)));
    let lines = std::fs::read_to_string(container.path("convex/data/writers.jsonl")).unwrap();
    let events: Vec<_> = lines.lines().map(|line| line.contains("\"event\":\"start\"")).collect();
    assert_eq!(events, [true, false, true], "{lines}");
}

#[tokio::test]
async fn a_backend_that_is_still_starting_counts_as_a_writer() {
    let container = Container::new().with("STANDIN_START_DELAY_MS", "3000");
    let slow = container.starting();
    slow.waits_for(|| container.path("convex/data/writer.lock").exists()).await;
    let quick = container.beside().without("STANDIN_START_DELAY_MS").serving().await;
    assert!(quick.marker().await["secondWriters"].as_u64().unwrap() >= 1);
}

#[tokio::test]
async fn one_backend_alone_stays_alone() {
    let backend = Container::new().serving().await;
    // Long enough for many beats; nothing can be awaited that proves silence.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let marker = backend.marker().await;
    assert_eq!((marker["secondWriters"].as_u64(), marker["starts"].as_u64()), (Some(0), Some(1)));
}
