//! The `cluster` command where no cluster is up, and where an interrupted one left something behind.

use std::{
    fs, io,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use cluster::{
    launch::{Launcher, Program},
    record::{Record, Records},
};

/// As much of a checkout as the command looks for.
fn checkout() -> io::Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    fs::create_dir_all(root.path().join("tests/cluster"))?;
    fs::write(root.path().join("tests/cluster/Cargo.toml"), "")?;
    Ok(root)
}

fn cluster(checkout: &Path, arguments: &[&str]) -> io::Result<Output> {
    let command = env!("CARGO_BIN_EXE_cluster");
    Command::new(command).args(arguments).current_dir(checkout).output()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn kubectl_without_a_cluster_says_how_to_start_one() {
    let root = checkout().unwrap();
    let output = cluster(root.path(), &["kubectl", "get", "nodes"]).unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("start one with `./justw cluster-up`"), "{}", said(&output));
}

#[test]
fn stopping_nothing_is_no_error() {
    let root = checkout().unwrap();
    let output = cluster(root.path(), &["down"]).unwrap();
    assert!(output.status.success());
    assert!(said(&output).contains("no cluster was up"));
}

#[test]
fn outside_a_checkout_the_command_says_so() {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = cluster(elsewhere.path(), &["down"]).unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("is not inside a checkout"));
}

#[test]
fn what_an_interrupted_start_left_behind_goes_with_down() {
    let root = checkout().unwrap();
    let run = root.path().canonicalize().unwrap().join(".cache/run/fake");
    let outside = root.path().join("mounted-elsewhere");
    fs::create_dir_all(&run).unwrap();
    fs::create_dir(&outside).unwrap();
    Records::open(&run).unwrap().write(&Record::Folder { path: outside.clone() }).unwrap();
    let launcher = Launcher::new(&run, &format!("command-{}", std::process::id()), None);
    let left = launcher.start(&Program::new("etcd", "sleep").args(["60"])).unwrap();

    let output = cluster(root.path(), &["down", "--node", "fake"]).unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(left.identity.wait_gone(Duration::ZERO));
    assert!(!outside.exists() && !run.exists());
}
