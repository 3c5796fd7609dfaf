//! What a version does with the data of another one, as its log tells.

mod common;

use common::{Backend, Container};

/// A store that `v1` began at 128, now met by `version`, whose data is at 130.
async fn upgraded(steering: (&str, &str)) -> (Container, Backend) {
    let container = Container::new().with("STANDIN_METADATA_VERSION", "v1=128,v2=130");
    container.serving().await.kill();
    let newer = container
        .without("CONVEX_RELEASE_VERSION_DEV")
        .with("CONVEX_RELEASE_VERSION_DEV", "v2")
        .with(steering.0, steering.1);
    let backend = newer.serving().await;
    (newer, backend)
}

#[tokio::test]
async fn a_newer_version_migrates_step_by_step_while_it_serves() {
    let (container, backend) = upgraded(("UNUSED", "")).await;
    backend.waits_for(|| backend.log().contains("Migration complete")).await;
    let log = backend.log();
    let mut rest = log.as_str();
    for line in [
        "backend listening on",
        "Attempting migration",
        "Migrating to 129",
        "WARN standin::migrations: Executing Migration 129/130. Wait for log line 'Migrated 129'",
        "Migrated 129",
        "Executing Migration 130/130.",
        "Migrated 130",
        "db metadata version up to date at 130",
        "Migration complete",
    ] {
        let (_, after) = rest.split_once(line).unwrap_or_else(|| panic!("no {line} in\n{log}"));
        rest = after;
    }
    backend.kill();
    let again = container.serving().await;
    again.waits_for(|| again.log().contains("Migration complete")).await;
    assert!(!again.log().contains("Executing Migration"));
}

#[tokio::test]
async fn an_older_version_warns_that_the_data_is_ahead_and_runs_on() {
    let (container, backend) = upgraded(("UNUSED", "")).await;
    backend.waits_for(|| backend.log().contains("Migration complete")).await;
    backend.kill();
    let older = container
        .without("CONVEX_RELEASE_VERSION_DEV")
        .with("CONVEX_RELEASE_VERSION_DEV", "v1")
        .serving()
        .await;
    let warning = "persisted db metadata version is ahead at 130, this binary is at 128";
    older.waits_for(|| older.log().contains(warning)).await;
    assert_eq!(older.get("/version").await.0, 200);
    assert!(older.get("/stand-in/store").await.1.contains("\"metadataVersion\":130"));
}

#[tokio::test]
async fn a_slow_migration_takes_its_time_for_each_step() {
    let began = std::time::Instant::now();
    let (_, backend) = upgraded(("STANDIN_MIGRATION_DELAY_MS", "300")).await;
    backend.waits_for(|| backend.log().contains("Migration complete")).await;
    assert!(began.elapsed() >= std::time::Duration::from_millis(600));
}

#[tokio::test]
async fn a_migration_that_fails_sleeps_and_leaves_the_version_where_it_is() {
    let (_, backend) = upgraded(("STANDIN_MIGRATION_FAILS_VERSIONS", "v2")).await;
    let failure = "ERROR standin::migrations: Migration worker failed, sleeping 60s";
    backend.waits_for(|| backend.log().contains(failure)).await;
    assert!(backend.get("/stand-in/store").await.1.contains("\"metadataVersion\":128"));
}

#[tokio::test]
async fn a_migration_that_stalls_says_only_that_it_began() {
    let (_, backend) = upgraded(("STANDIN_MIGRATION_STALLS_VERSIONS", "v2")).await;
    backend.waits_for(|| backend.log().contains("Executing Migration 129/130")).await;
    assert_eq!(backend.get("/version").await.0, 200);
    let log = backend.log();
    assert!(!log.contains(": Migrated 129\n") && !log.contains("Migration complete"), "{log}");
}
