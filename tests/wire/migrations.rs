//! An upgrade ends once the log of its target says that the data is migrated.

use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::support::{
    instance::{instance, set},
    rig::Rig,
};

const FAILED: &str = "ERROR migrations: Migration worker failed, sleeping 60s: no index by_id";

/// An operator that waits for the target `v2`, whose log has these lines.
async fn upgrading(log: &[&str]) -> Rig {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.says_in_logs(log);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v2")));
    rig.pass("dev").await.unwrap();
    rig.settle();
    rig.backend.says("v2");
    rig.server.asked();
    rig
}

/// What was asked of logs since the last time.
fn reads(rig: &Rig) -> Vec<String> {
    let logs = rig.server.asked().into_iter().filter(|it| it.subresource == "log");
    logs.map(|it| format!("{}?{}", it.name, it.query)).collect()
}

fn message(rig: &Rig) -> String {
    rig.status("dev")["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_target_that_migrates_is_waited_for_and_its_log_read_from_the_beginning_and_then_on() {
    let rig = upgrading(&["INFO migrations: Attempting migration"]).await;
    rig.pass("dev").await.unwrap();
    assert_eq!(reads(&rig), ["dev-backend-0?&container=backend&limitBytes=16777216"]);
    rig.server.says_in_logs(&["Executing Migration 121/128. Wait for log line 'Migrated 121'"]);
    rig.run("dev", 3).await;
    assert_eq!(rig.phase("dev"), "Upgrading");
    let on = "dev-backend-0?&container=backend&limitBytes=16777216&sinceSeconds=5";
    assert_eq!(reads(&rig), [on; 3]);
    rig.server.says_in_logs(&["db metadata version up to date at 128", "Migration complete"]);
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(reads(&rig), [on], "nothing is read at rest");
}

/// A reason that passes is told once it has lasted.
#[tokio::test]
async fn how_far_the_migrations_are_is_told() {
    let rig = upgrading(&["Executing Migration 121/128. Wait for log line 'Migrated 121'"]).await;
    rig.pass("dev").await.unwrap();
    rig.server.edit("convexinstances", "dev", |it| {
        // Every change of the spec is answered at once.
        set(it, "/suspend", json!(true));
    });
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "False/MigrationsRunning");
    assert!(message(&rig).ends_with("migrates its data: step 121 of 128"), "{}", message(&rig));
}

#[tokio::test]
async fn data_that_is_ahead_degrades_the_upgrade_at_once_and_the_version_that_fits_goes_on() {
    let line =
        "WARN migrations: persisted db metadata version is ahead at 130, this binary is at 128";
    let rig = upgrading(&[line, "Migration complete"]).await;
    rig.run("dev", 4).await;
    assert_eq!(rig.phase("dev"), "Degraded");
    for condition in ["Ready", "Stalled", "Degraded"] {
        let status = if condition == "Ready" { "False" } else { "True" };
        assert_eq!(rig.condition("dev", condition), format!("{status}/MetadataAhead"));
    }
    assert!(message(&rig).contains("is ahead at 130, this binary is at 128"), "{}", message(&rig));
    assert_eq!(reads(&rig).len(), 1, "it stays so for this container");
    rig.server.says_in_logs(&["Migration complete"]);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/version", json!("v3")));
    rig.backend.says("v3");
    rig.run("dev", 5).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn data_that_is_too_old_degrades_the_upgrade_at_once() {
    let panic = "thread 'tokio-runtime-worker' panicked at crates/model/src/migrations.rs:77:17:";
    let rig = upgrading(&["Migrating to 116", panic, "Transition too old!"]).await;
    rig.run("dev", 2).await;
    assert_eq!(rig.phase("dev"), "Degraded");
    assert_eq!(rig.condition("dev", "Ready"), "False/MigrationFailed");
    assert!(message(&rig).contains("migration 116 failed"), "{}", message(&rig));
}

/// The backend tries again after a minute, and the stage is late only if that helps nothing.
#[tokio::test]
async fn a_failed_attempt_is_told_at_once_and_forgotten_with_the_next_success() {
    let rig = upgrading(&["Migrating to 121", FAILED]).await;
    rig.run("dev", 3).await;
    assert_eq!(rig.phase("dev"), "Upgrading");
    assert_eq!(rig.condition("dev", "Ready"), "False/MigrationFailed");
    assert!(message(&rig).contains("migration 121 failed"), "{}", message(&rig));
    assert!(message(&rig).contains("no index by_id"), "{}", message(&rig));
    rig.server.says_in_logs(&["Attempting migration", "Migrated 121", "Migration complete"]);
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn a_failure_past_the_deadline_keeps_its_cause_and_a_late_success_ends_the_upgrade() {
    let rig = upgrading(&["Migrating to 121", FAILED]).await;
    rig.run("dev", 2).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["status"]["phaseTransitionTime"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 3).await;
    assert_eq!(rig.phase("dev"), "Degraded");
    assert_eq!(rig.condition("dev", "Stalled"), "True/MigrationFailed");
    rig.server.says_in_logs(&["Migrated 121", "Migration complete"]);
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn a_log_that_says_nothing_holds_an_upgrade_for_half_a_minute_and_no_longer() {
    let rig = upgrading(&["INFO http: GET /version 200"]).await;
    let ready_since = |seconds| {
        let then = (Utc::now() - TimeDelta::seconds(seconds)).format("%FT%TZ").to_string();
        rig.server.edit("pods", "dev-backend-0", |it| {
            it["status"]["conditions"][0]["lastTransitionTime"] = json!(then);
        });
    };
    ready_since(5);
    rig.run("dev", 3).await;
    assert_eq!(rig.phase("dev"), "Upgrading");
    ready_since(31);
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_holds_the_upgrade_and_is_said() {
    let rig = upgrading(&["Migration complete"]).await;
    for _ in 0..2 {
        rig.server.fail_next("get pods/dev-backend-0/log", 403);
    }
    rig.run("dev", 2).await;
    assert_eq!(rig.phase("dev"), "Upgrading");
    assert_eq!(rig.condition("dev", "Ready"), "False/LogUnreadable");
    assert!(message(&rig).contains("get pods/log"), "{}", message(&rig));
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// A container that starts anew begins anew, and the operator that does so has it all told once more.
#[tokio::test]
async fn another_container_is_listened_to_from_its_beginning() {
    let rig = upgrading(&["Migrating to 121", FAILED]).await;
    rig.pass("dev").await.unwrap();
    rig.server.says_in_logs(&["Migrating to 121"]);
    rig.server.edit("pods", "dev-backend-0", |it| {
        it["status"]["containerStatuses"][0]["containerID"] = json!("run://again");
    });
    reads(&rig);
    rig.pass("dev").await.unwrap();
    assert_eq!(reads(&rig), ["dev-backend-0?&container=backend&limitBytes=16777216"]);
    rig.server.says_in_logs(&["Migration complete"]);
    rig.run("dev", 2).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}
