//! The workers as Kubernetes runs them: as processes of the operator's program, told by arguments and environment.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use convex_operator::worker::report::Report;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    common::{Backend, Container, KEY, filled, program::program},
    fixture::{exported, latest, permitting, record},
};

const ADMIN_KEY: &str = "CONVEX_SELF_HOSTED_ADMIN_KEY";

/// A container's file tree, in which paths are relative.
pub struct Root(pub TempDir);

impl Root {
    pub fn new() -> Self {
        let root = TempDir::new().unwrap();
        for folder in ["dev", "from", "to", "snapshots"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self(root)
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(program());
        command.args(line.split(' ')).args(["--report", "dev/termination-log"]);
        command.current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command
    }

    pub fn told(&self) -> Report {
        let told = fs::read(self.0.path().join("dev/termination-log")).unwrap();
        assert!(told.len() <= 4096);
        serde_json::from_slice(&told).unwrap()
    }

    fn reason(&self) -> String {
        let Report::Failed { reason, .. } = self.told() else { panic!("{:?}", self.told()) };
        reason
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn a_copy_is_permitted_before_and_after_and_told_by_the_last_container() {
    let root = Root::new();
    fs::write(root.0.path().join("from/db.sqlite3"), "data").unwrap();
    let copy = || root.command("copy --id 7-1 --from from --to to");
    let permitted = || root.command("permitted --id 7-1 --to to");
    assert!(!copy().output().unwrap().status.success());
    assert_eq!(root.reason(), "RecordMissing");
    assert!(!copy().env("RECORD", record(true, "7-1")).output().unwrap().status.success());
    assert_eq!(root.reason(), "GateOpen");
    assert!(copy().env("RECORD", record(false, "7-1")).output().unwrap().status.success());
    let copied = root.told();
    assert!(matches!(&copied, Report::Copied { id, .. } if id == "7-1"), "{copied:?}");
    assert!(!permitted().env("RECORD", record(false, "7-2")).output().unwrap().status.success());
    assert_eq!(root.reason(), "NotPermitted");
    assert!(permitted().env("RECORD", record(false, "7-1")).output().unwrap().status.success());
    assert_eq!(root.told(), copied);
}

#[tokio::test]
async fn a_snapshot_goes_out_and_in_by_processes_that_never_show_the_key() {
    let (root, backend) = (Root::new(), filled(&Container::new()).await);
    let line = |what: &str, id: &str| {
        let at = backend.at();
        format!(
            "{what} --id {id} --instance 2b1c --backend {at} --folder snapshots/7-1 --deadline-seconds 60"
        )
    };
    let mut export = root.command(&format!("{} --version v1 --retain 3", line("export", "7-1")));
    let output = export.env(ADMIN_KEY, KEY).env("RUST_LOG", "trace").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(matches!(root.told(), Report::Exported { documents: 3, .. }));
    let mut import = root.command(&format!("{} --snapshot 7-1", line("import", "9-1")));
    import.env(ADMIN_KEY, KEY).env("RECORD", permitting("9-1")).env("RUST_LOG", "trace");
    let imported = import.output().unwrap();
    assert!(imported.status.success(), "{}", text(&imported));
    assert!(matches!(root.told(), Report::Imported { documents: 3, .. }));
    for output in [output, imported] {
        let text = text(&output);
        assert!(text.contains("\"level\":\"INFO\"") && !text.contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn a_key_comes_from_the_environment_alone() {
    let root = Root::new();
    let line =
        "export --id 7-1 --instance 2b1c --backend 127.0.0.1:1 --folder snapshots/7-1 --version v1";
    let line = format!("{line} --deadline-seconds 60");
    assert!(!root.command(&line).output().unwrap().status.success());
    assert_eq!(root.reason(), "KeyInvalid");
    let mut told = root.command(&line);
    let output = told.args(["--admin-key", KEY]).output().unwrap();
    assert!(text(&output).contains("unexpected argument"), "{}", text(&output));
    let broken = format!("{KEY}\n");
    let output = root.command(&line).env(ADMIN_KEY, &broken).output().unwrap();
    assert_eq!(root.reason(), "KeyInvalid");
    assert!(!text(&output).contains(KEY) && text(&output).contains("newline"), "{}", text(&output));
}

/// An export is told to stop while the backend, which ends none, makes it.
async fn stopped(root: &Root, backend: &Backend, more: &str) {
    let line = format!(
        "export --id 7-1 --instance 2b1c --backend {} --folder snapshots/7-1 --version v1 --deadline-seconds 60{more}",
        backend.at()
    );
    let mut child = root.command(&line).env(ADMIN_KEY, KEY).stderr(Stdio::null()).spawn().unwrap();
    let asked = |it: &Value| it["state"] == "requested";
    backend.awaits("_system/cli/exports:getLatest", json!({}), asked).await;
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    assert_eq!(root.reason(), "Stopped");
}

/// The next run exports anew, and would wait for the end of this one.
#[tokio::test]
async fn a_worker_that_is_told_to_stop_leaves_no_export_behind_that_was_to_be_held() {
    let container = Container::new().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1");
    let backend = filled(&container).await;
    backend.pauses(true).await;
    stopped(&Root::new(), &backend, " --held").await;
    assert_eq!(latest(&backend).await["state"], "canceled");
}

/// The next run goes on where this one was.
#[tokio::test]
async fn a_worker_that_is_told_to_stop_says_so_and_goes_on_later() {
    let container = Container::new();
    let backend = filled(&container.clone().with("STANDIN_EXPORT_STALLS_VERSIONS", "v1")).await;
    let root = Root::new();
    stopped(&root, &backend, "").await;
    backend.kill();
    let backend = container.serving().await;
    let Report::Exported { documents, .. } =
        exported(&backend, &root.0.path().join("snapshots/7-1")).await
    else {
        panic!("no export")
    };
    assert_eq!(documents, 3);
}
