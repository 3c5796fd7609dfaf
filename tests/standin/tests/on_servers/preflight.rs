//! The operator's look at real servers, as the first container of a pod runs it: what it adds to a start.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use convex_operator::{plan::gate::Record, worker::preflight::verdict::Verdict};
use servers::{Encryption, Place, S3};
use statemachine::worlds::born;

use crate::{Ground, common::program::program};

const SECRET: &str = "canary-secret";
const BUCKETS: [&str; 5] = ["EXPORTS", "FILES", "MODULES", "SEARCH", "SNAPSHOT_IMPORTS"];
/// What a look at servers that are well may add to the start of a pod, its process and all.
const LOOK: Duration = Duration::from_secs(2);
/// More than one may be lucky with.
const TIMES: usize = 5;

/// The gate of a backend with an encrypted database and five buckets, which is every server that a backend can have.
fn gate(ground: &Ground, storage: &S3, report: &Path) -> Command {
    let mut command = Command::new(program());
    command.args(["gate", "--preflight", "--report"]).arg(report).env_clear().stdin(Stdio::null());
    command
        .envs([("POD_NAME", "dev-backend-0"), ("ONLY", "dev-backend-0"), ("POD_UID", "some-pod")])
        .env("INSTANCE_NAME", "convex-self-hosted")
        .env("TEMPLATE", serde_json::to_string(&born()).unwrap())
        .env("RECORD", serde_json::to_string(&Record::next(None, &born(), true)).unwrap())
        .env("TOLD", ground.folder.path().join("told"))
        .env("POSTGRES_URL", ground.server.url(("convex", "let%20it%20be")))
        .env("PG_CA_FILE", ground.authority.file())
        .env("AWS_REGION", storage.region())
        .env("AWS_ACCESS_KEY_ID", "convex")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_S3_FORCE_PATH_STYLE", "true")
        .env("AWS_S3_DISABLE_SSE", "true")
        .env("S3_ENDPOINT_URL", storage.endpoint());
    for purpose in BUCKETS {
        let bucket = format!("of-{}", purpose.to_lowercase().replace('_', "-"));
        command.env(format!("S3_STORAGE_{purpose}_BUCKET"), bucket);
    }
    command
}

#[tokio::test]
async fn a_look_at_servers_that_are_well_adds_less_than_two_seconds_with_its_process() {
    let ground = Ground::encrypted().await.unwrap();
    let place = Place::loopback(ground.folder.path()).unwrap();
    let storage = S3::start(&place, Encryption::None).await.unwrap();
    storage.user("convex", SECRET).unwrap();
    for purpose in BUCKETS {
        let bucket = format!("of-{}", purpose.to_lowercase().replace('_', "-"));
        storage.bucket(&bucket, "convex").unwrap();
    }
    let report = ground.folder.path().join("report");
    program();
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        let ended = gate(&ground, &storage, &report).status().unwrap();
        took.push(began.elapsed());
        let told = fs::read_to_string(&report).unwrap();
        let verdict = Verdict::read(&told).unwrap_or_else(|| panic!("{told}"));
        assert!(ended.success() && verdict.failures().next().is_none(), "{told}");
        assert_eq!(verdict.dependencies.len(), 1 + BUCKETS.len(), "{told}");
    }
    println!("a look at six servers took {took:?}");
    assert!(took.iter().all(|it| *it < LOOK), "{took:?}");
}
