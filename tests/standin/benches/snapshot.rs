//! A snapshot of about 1 GiB is carried by the operator's workers, as processes, beside `curl` and `sha256sum` on the
//! same bytes. It fails where a worker has 64 MiB resident, or takes more than twice as long. Then one as large, of many
//! small files, is judged once more by the worker that had made it; it fails where that has 64 MiB resident.
//!
//! What the backend does for itself, making the export and reading the import, is no part of either time.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "it is a measurement")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "snapshot/many.rs"]
mod many;

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use common::{Backend, Container, KEY, program};
use convex_operator::plan::gate::Record;
use serde_json::{Value, json};
use statemachine::worlds::born;
use tempfile::TempDir;

const MIB: u64 = 1024 * 1024;
/// What a worker may have resident.
const MOST: u64 = 64 * MIB;
/// How often everything is done; the best counts.
const ROUNDS: usize = 3;
/// How many files of how many bytes there are.
const FILES: (u64, u64) = (28, 32 * MIB);
/// How many times a thousand documents there are, of about 1.3 KiB each.
const THOUSANDS: u64 = 200;

/// What one run took.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    peak: u64,
}

/// The UID of the instance.
const INSTANCE: &str = "2b1c";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let backend = filled().await;
    let export = made(&backend).await;
    let bytes = export["size"].as_str().unwrap().parse::<u64>().unwrap();
    println!("a snapshot of {bytes} bytes, the best of {ROUNDS} rounds:");
    let folder = TempDir::new().unwrap();
    let mut runs: [Vec<Run>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let other = Container::new().serving().await;
        runs[0].push(fetched_by_curl(&backend, &export, folder.path()));
        runs[1].push(exported(&backend, folder.path()).await);
        runs[2].push(sent_by_curl(&other, folder.path()));
        runs[3].push(imported(&other, folder.path()).await);
        fs::remove_dir_all(folder.path().join("7-1")).unwrap();
    }
    let best = runs.map(|it| it.into_iter().reduce(better).unwrap());
    let names = ["curl, sha256sum", "export", "sha256sum, curl -T", "import"];
    for (name, run) in names.into_iter().zip(best) {
        told(name, bytes, run);
    }
    for (by_hand, worker) in [(best[0], best[1]), (best[2], best[3])] {
        assert!(worker.peak < MOST, "{} bytes were resident", worker.peak);
        assert!(worker.seconds <= 2.0 * by_hand.seconds, "it takes more than twice as long");
    }
    let (bytes, run) = judged_once_more().await;
    println!("a snapshot of {bytes} bytes in many small files:");
    told("export, once more", bytes, run);
    assert!(run.peak < MOST, "{} bytes were resident", run.peak);
}

fn told(name: &str, bytes: u64, run: Run) {
    let speed = bytes as f64 / MIB as f64 / run.seconds;
    let peak = run.peak as f64 / MIB as f64;
    println!("{name:<20}{:>8.2} s {speed:>8.0} MiB/s {peak:>8.1} MiB resident", run.seconds);
}

fn better(one: Run, other: Run) -> Run {
    Run { seconds: one.seconds.min(other.seconds), peak: one.peak.max(other.peak) }
}

/// Bytes that nothing can compress, of a generator that needs no memory.
fn noise(seed: u64, bytes: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..bytes / 8).flat_map(|_| next()).collect()
}

async fn filled() -> Backend {
    let backend = Container::new().serving().await;
    for number in 0..THOUSANDS {
        let text = hex(&noise(number + 1, 640_000));
        let texts = text.as_bytes().chunks(1280);
        let documents: Vec<_> =
            texts.map(|text| json!({"text": String::from_utf8_lossy(text)})).collect();
        backend.holds("messages", Value::Array(documents)).await;
    }
    for number in 0..FILES.0 {
        let request = reqwest::Client::new().post(backend.url("/stand-in/files"));
        let (status, _) = backend.asks(request.body(noise(number + 1, FILES.1))).await;
        assert_eq!(status, 200);
    }
    backend
}

/// The backend takes its time; nobody measures it.
async fn made(backend: &Backend) -> Value {
    assert_eq!(
        backend.posts("/api/export/request/zip?includeStorage=true", Value::Null).await.0,
        200
    );
    loop {
        let export = backend.query("_system/cli/exports:getLatest", json!({})).await;
        if export["state"] == "completed" {
            return export;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|it| char::from(DIGITS[usize::from(it)]));
    bytes.iter().flat_map(digits).collect()
}

/// Runs programs one after the other; each is told by one line.
fn by_hand(folder: &Path, lines: &[String]) -> Run {
    fs::write(folder.join("header"), format!("Authorization: Convex {KEY}\n")).unwrap();
    let began = Instant::now();
    for line in lines {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap());
        let command = command.args(words).current_dir(folder).stdout(Stdio::null());
        assert!(command.status().unwrap().success(), "{line}");
    }
    Run { seconds: began.elapsed().as_secs_f64(), peak: 0 }
}

fn fetched_by_curl(backend: &Backend, export: &Value, folder: &Path) -> Run {
    let url = backend.url(&format!("/api/export/zip/{}", export["_id"].as_str().unwrap()));
    let fetch = format!("curl -sSf -H @header -o fetched.zip {url}");
    by_hand(folder, &[fetch, "sha256sum fetched.zip".to_owned()])
}

fn sent_by_curl(backend: &Backend, folder: &Path) -> Run {
    let url = backend.url("/stand-in/files");
    let send = format!("curl -sSf -X POST -T fetched.zip {url}");
    by_hand(folder, &["sha256sum fetched.zip".to_owned(), send])
}

/// The export that is there is the worker's own, by the note that it would have written before it asked for it.
async fn exported(backend: &Backend, folder: &Path) -> Run {
    fs::create_dir(folder.join("7-1")).unwrap();
    fs::write(folder.join("7-1/export.json"), r#"{"before":null}"#).unwrap();
    let line = format!("export --id 7-1 --version v1 --backend {}", backend.at());
    worked(folder, &line, "").await.0
}

/// It finds what it has made, and asks no backend.
async fn judged_once_more() -> (u64, Run) {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("7-1")).unwrap();
    let bytes = many::written(&folder.path().join("7-1"));
    let line = "export --id 7-1 --version v1 --backend 127.0.0.1:1";
    (bytes, worked(folder.path(), line, "").await.0)
}

/// Its time ends with the last byte that it has sent; then it waits for the backend.
async fn imported(backend: &Backend, folder: &Path) -> Run {
    let record = Record::next(None, &born(), true).permitting(Some("9-1".to_owned()));
    let record = serde_json::to_string(&record).unwrap();
    let line = format!("import --id 9-1 --snapshot 7-1 --backend {}", backend.at());
    let began = Utc::now();
    let (run, log) = worked(folder, &line, &record).await;
    let sent = log.iter().find(|it| it["fields"]["message"] == "the snapshot was uploaded");
    let sent: DateTime<Utc> = sent.unwrap()["timestamp"].as_str().unwrap().parse().unwrap();
    let took = (sent - began).to_std().unwrap();
    Run { seconds: took.as_secs_f64(), ..run }
}

async fn worked(folder: &Path, line: &str, record: &str) -> (Run, Vec<Value>) {
    let log = folder.join("log");
    let began = Instant::now();
    let mut command = Command::new(program::program());
    let more = "--folder 7-1 --deadline-seconds 900";
    command.args(line.split(' ')).args(["--instance", INSTANCE]).args(more.split(' '));
    command.args(["--report", "report"]).current_dir(folder).env_clear();
    command.env("CONVEX_SELF_HOSTED_ADMIN_KEY", KEY).env("RECORD", record);
    let mut child = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
    let (ended, peak) = program::peak(&mut child).await;
    let seconds = began.elapsed().as_secs_f64();
    let text = fs::read_to_string(log).unwrap();
    assert!(ended.success(), "{text}");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (Run { seconds, peak }, lines.collect())
}
