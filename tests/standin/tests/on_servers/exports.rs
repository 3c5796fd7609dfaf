//! The operator's workers on a bucket, as Kubernetes runs them: cut off anywhere, begun again, and read by another backend.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::{
    fs,
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::Result;
use convex_operator::{plan::gate::Record, worker::report::Report};
use serde_json::{Value, json};
use servers::{Encryption, Place, S3};
use statemachine::worlds::born;
use tempfile::TempDir;

use crate::common::{Backend, Container, KEY, filled, program::program};

const SECRET: &str = "canary-secret";
const BUCKET: &str = "canary-exports";
const PREFIX: &str = ".convex-operator/snapshots/shop/dev/2b1c/7-1";

/// A bucket, and the file tree of a worker's container.
struct Ground {
    server: S3,
    folder: TempDir,
}

impl Ground {
    async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("dev"))?;
        let server = S3::start(&Place::loopback(folder.path())?, Encryption::None).await?;
        server.user("convex", SECRET)?;
        server.bucket(BUCKET, "convex")?;
        Ok(Self { server, folder })
    }

    /// A worker that is told the bucket in its environment, as where its name is in a Secret.
    fn worker(&self, line: &str) -> Command {
        let mut command = Command::new(program());
        command.args(line.split(' ')).args(["--report", "dev/termination-log"]);
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
            .env("CONVEX_SELF_HOSTED_ADMIN_KEY", KEY)
            .env("SNAPSHOTS_BUCKET", BUCKET)
            .env("AWS_REGION", self.server.region())
            .env("AWS_ACCESS_KEY_ID", "convex")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_S3_FORCE_PATH_STYLE", "true")
            .env("AWS_S3_DISABLE_SSE", "true")
            .env("S3_ENDPOINT_URL", self.server.endpoint());
        command
    }

    fn exporting(&self, backend: &Backend) -> Command {
        self.worker(&line("export", "7-1", backend, "--version v1 --held --retain 3"))
    }

    fn importing(&self, backend: &Backend) -> Command {
        let mut command = self.worker(&line("import", "9-1", backend, "--snapshot 7-1"));
        let record = Record::next(None, &born(), true).permitting(Some("9-1".to_owned()));
        command.env("RECORD", serde_json::to_string(&record).unwrap());
        command
    }

    fn told(&self) -> Report {
        let told = fs::read(self.folder.path().join("dev/termination-log")).unwrap();
        serde_json::from_slice(&told).unwrap()
    }

    fn keys(&self) -> Vec<String> {
        let keys = self.server.objects(BUCKET).unwrap();
        keys.into_iter().filter(|it| it.starts_with(PREFIX)).collect()
    }
}

fn line(what: &str, id: &str, backend: &Backend, more: &str) -> String {
    let at = backend.at();
    format!(
        "{what} --id {id} --instance 2b1c --backend {at} --prefix {PREFIX} --deadline-seconds 60 {more}"
    )
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// Killed as a node is that loses its power, at ever other moments.
async fn killed(mut worker: Command, milliseconds: u64) {
    let mut child = worker.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    let _over = child.kill();
    child.wait().unwrap();
}

/// What is told and logged holds neither keys nor the name of the bucket, which may be in a Secret.
fn ended_well(output: &Output) {
    let text = text(output);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("canary") && !text.contains(KEY), "{text}");
}

const MOMENTS: [u64; 12] = [5, 20, 40, 60, 80, 120, 160, 220, 300, 500, 900, 1400];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_goes_into_a_bucket_and_out_of_it_however_often_workers_are_killed() {
    let ground = Ground::new().await.unwrap();
    let backend = filled(&Container::new()).await;
    backend.pauses(true).await;
    for milliseconds in MOMENTS {
        killed(ground.exporting(&backend), milliseconds).await;
        // A manifest is there once everything else is.
        let keys = ground.keys();
        let has = |name: &str| keys.contains(&format!("{PREFIX}/{name}"));
        assert!(!has("manifest.json") || has("published.json") && has("snapshot.zip"), "{keys:?}");
    }
    ended_well(&ground.exporting(&backend).output().unwrap());
    let Report::Exported { id, documents, files, .. } = ground.told() else {
        panic!("{:?}", ground.told())
    };
    assert_eq!((id.as_str(), documents, files), ("7-1", 3, 1));

    let other = Container::new().serving().await;
    other.holds("messages", json!([{"text": "old"}])).await;
    for milliseconds in MOMENTS {
        killed(ground.importing(&other), milliseconds).await;
    }
    ended_well(&ground.importing(&other).output().unwrap());
    assert!(matches!(ground.told(), Report::Imported { documents: 3, .. }), "{:?}", ground.told());
    assert_eq!(other.documents("messages").await.len(), 2);
    let imports = other.query("_system/cli/queryImport:list", json!({})).await;
    let completed = |it: &&Value| it["state"]["state"] == "completed";
    assert_eq!(imports.as_array().unwrap().iter().filter(completed).count(), 1, "{imports}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_a_bucket_takes_no_export_is_reported_without_its_name() {
    let ground = Ground::new().await.unwrap();
    let backend = filled(&Container::new()).await;
    backend.pauses(true).await;
    let output =
        ground.exporting(&backend).env("SNAPSHOTS_BUCKET", "canary-none").output().unwrap();
    let Report::Failed { reason, message } = ground.told() else { panic!("{:?}", ground.told()) };
    assert_eq!(reason, "BucketMissing", "{message}");
    assert!(message.contains("the operator makes no buckets"), "{message}");
    assert!(!text(&output).contains("canary") && !message.contains("canary"), "{}", text(&output));
}

/// While everybody is still served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_a_bucket_takes_exports_is_found_out_by_doing_what_they_need() {
    let ground = Ground::new().await.unwrap();
    let asked = |bucket: &str| {
        let mut worker = ground.worker(&format!("reachable --prefix {PREFIX}"));
        worker.env("SNAPSHOTS_BUCKET", bucket).output().unwrap()
    };
    ended_well(&asked(BUCKET));
    assert_eq!(ground.keys(), [""; 0], "it is left as it was");
    ground.server.user("somebody", "else").unwrap();
    ground.server.bucket("canary-theirs", "somebody").unwrap();
    for (bucket, wanted) in
        [("canary-none", "BucketMissing"), ("canary-theirs", "BucketAccessDenied")]
    {
        let output = asked(bucket);
        assert!(!output.status.success());
        let Report::Failed { reason, message } = ground.told() else {
            panic!("{:?}", ground.told())
        };
        assert_eq!(reason, wanted, "{message}");
        assert!(!text(&output).contains("canary") && !message.contains("canary"), "{message}");
    }
}
