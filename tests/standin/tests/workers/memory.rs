//! A worker holds little of a snapshot in memory, however large that is.

use std::process::{Command, Stdio};

use convex_operator::worker::report::Report;
use serde_json::{Value, json};

use crate::{
    common::{Backend, Container, KEY, program},
    fixture::permitting,
    process::Root,
};

const MIB: u64 = 1024 * 1024;
/// What the Job of a worker may have resident.
const MOST: u64 = 64 * MIB;
/// How many files of how many bytes there are.
const FILES: (u64, usize) = (4, 24 * 1024 * 1024);
/// How many documents of how many bytes there are.
const DOCUMENTS: (usize, usize) = (4096, 4096);

async fn filled(container: &Container) -> Backend {
    let backend = container.serving().await;
    let text = "lorem ipsum dolor ".repeat(DOCUMENTS.1 / 18);
    for _ in 0..4 {
        let documents: Vec<Value> = vec![json!({ "text": text }); DOCUMENTS.0 / 4];
        backend.holds("messages", Value::Array(documents)).await;
    }
    for _ in 0..FILES.0 {
        let url = backend.url("/stand-in/files");
        let request = reqwest::Client::new().post(url).body(vec![7; FILES.1]);
        assert_eq!(backend.asks(request).await.0, 200);
    }
    backend
}

/// Runs a worker to its good end, and says how much of it was resident at most.
async fn peak(mut command: Command) -> u64 {
    let child = command.env("CONVEX_SELF_HOSTED_ADMIN_KEY", KEY).stderr(Stdio::null()).spawn();
    let (ended, peak) = program::peak(&mut child.unwrap()).await;
    assert!(ended.success());
    peak
}

#[tokio::test]
async fn a_snapshot_of_a_hundred_megabytes_is_carried_with_less_than_64_mebibytes_resident() {
    let (root, from, to) = (Root::new(), Container::new(), Container::new());
    let (from, to) = (filled(&from).await, to.serving().await);
    let line = |what: &str, backend: &Backend, more: &str| {
        let at = backend.at();
        root.command(&format!(
            "{what} --instance 2b1c --backend {at} --folder snapshots/7-1 --deadline-seconds 120 {more}"
        ))
    };
    let exporting = peak(line("export", &from, "--id 7-1 --version v1")).await;
    let Report::Exported { bytes, documents, files, .. } = root.told() else {
        panic!("{:?}", root.told())
    };
    assert_eq!((documents, files), (DOCUMENTS.0 as u64, FILES.0));
    assert!(bytes > 96 * MIB, "{bytes}");
    let mut import = line("import", &to, "--id 9-1 --snapshot 7-1");
    import.env("RECORD", permitting("9-1"));
    let importing = peak(import).await;
    assert!(matches!(root.told(), Report::Imported { .. }), "{:?}", root.told());
    println!("peak: {} MiB to export, {} MiB to import", exporting / MIB, importing / MIB);
    assert!(exporting > MIB && exporting < MOST, "{} MiB to export", exporting / MIB);
    assert!(importing > MIB && importing < MOST, "{} MiB to import", importing / MIB);
}
