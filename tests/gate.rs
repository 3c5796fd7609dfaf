//! The gate as the process that it is in a pod: what it touches, and how it ends.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    fs,
    io::ErrorKind,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use convex_operator::{plan::gate::Record, worker::preflight::verdict::Verdict};
use rustix::process::{Pid, Signal, kill_process};
use statemachine::worlds::born;
use tempfile::TempDir;

/// What a server that ends every connection is told as.
const CLOSED: &str = "database: DatabaseUnreachable (Closed)";

/// A gate before this record, with a server that listens here.
fn gate(folder: &Path, record: &Record, server: &TcpListener) -> Child {
    let url = format!("postgresql://app:canary@{}", server.local_addr().unwrap());
    Command::new(env!("CARGO_BIN_EXE_convex-operator"))
        .args(["gate", "--preflight", "--report"])
        .arg(folder.join("report"))
        .env_clear()
        .envs([("POD_NAME", "dev-backend-0"), ("ONLY", "dev-backend-0"), ("INSTANCE_NAME", "dev")])
        .env("TEMPLATE", serde_json::to_string(&born()).unwrap())
        .env("RECORD", serde_json::to_string(record).unwrap())
        .env("TOLD", folder.join("told"))
        .env("POSTGRES_URL", url)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn server() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Waits until the gate connects.
fn asked(server: &TcpListener, gate: &mut Child) {
    server.set_nonblocking(true).unwrap();
    while server.accept().is_err() {
        assert_eq!(gate.try_wait().unwrap(), None, "the gate has ended");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_gate_that_is_closed_touches_no_server() {
    let (folder, server) = (TempDir::new().unwrap(), server());
    let shut = Record::next(None, &born(), false);
    let ended = gate(folder.path(), &shut, &server).wait().unwrap();
    assert!(!ended.success());
    server.set_nonblocking(true).unwrap();
    assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    let report = fs::read_to_string(folder.path().join("report")).unwrap();
    assert!(report.starts_with("the gate is closed"), "{report}");
}

#[test]
fn a_server_that_cannot_be_used_is_told_and_no_value_with_it() {
    let (folder, server) = (TempDir::new().unwrap(), server());
    let open = Record::next(None, &born(), true);
    let mut gate = gate(folder.path(), &open, &server);
    let turns_away = std::thread::spawn(move || server.incoming().for_each(drop));
    assert!(!gate.wait().unwrap().success());
    let report = fs::read_to_string(folder.path().join("report")).unwrap();
    assert!(Verdict::read(&report).unwrap().failures().next().is_some(), "{report}");
    assert!(!report.contains("canary"), "{report}");
    assert_eq!(fs::read_to_string(folder.path().join("told")).unwrap(), CLOSED);
    assert!(!turns_away.is_finished());
}

/// As the first process of its container it would ignore the signal, and hold its pod for the whole period of grace.
#[test]
fn one_that_waits_ends_at_once_when_its_pod_goes() {
    let (folder, server) = (TempDir::new().unwrap(), server());
    fs::write(folder.path().join("told"), CLOSED).unwrap();
    let open = Record::next(None, &born(), true);
    let mut gate = gate(folder.path(), &open, &server);
    // It asks a second time: what it found is what was told.
    (0..2).for_each(|_| asked(&server, &mut gate));
    let told = Instant::now();
    let pid = Pid::from_raw(i32::try_from(gate.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ended = gate.wait().unwrap();
    assert_eq!(ended.code(), Some(1), "by itself");
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
}
