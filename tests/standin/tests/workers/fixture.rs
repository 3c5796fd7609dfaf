//! Workers as a test tells them, and backends for them.

use std::path::Path;

use clap::{Args, Command, FromArgMatches};
use convex_operator::{
    convex::{AdminKey, deployment::Deployment},
    plan::gate::Record,
    worker::{
        export, import,
        job::{self, Ended, Work},
        report::Report,
    },
};
use serde_json::{Value, json};
use statemachine::worlds::born;

use crate::common::{Backend, Container, KEY};

/// What a worker is given instead of a minute, in seconds.
const DEADLINES: [(&str, &str); 3] = [("soon", "2"), ("later", "8"), ("late", "20")];

/// The UID of the instance.
pub const INSTANCE: &str = "2b1c";

fn options<O: Args + FromArgMatches>(at: &str, folder: &Path, id: &str, more: &[&str]) -> O {
    let folder = folder.to_str().unwrap();
    let mut line =
        vec!["worker", "--id", id, "--instance", INSTANCE, "--backend", at, "--folder", folder];
    line.push("--deadline-seconds");
    let within = more.iter().find_map(|it| DEADLINES.iter().find(|(name, _)| name == it));
    line.push(within.map_or("60", |(_, seconds)| seconds));
    line.extend(more.iter().filter(|it| !DEADLINES.iter().any(|(name, _)| name == *it)));
    let matches = O::augment_args(Command::new("worker")).try_get_matches_from(line).unwrap();
    O::from_arg_matches(&matches).unwrap()
}

/// An export of this backend, by its address and port; `soon` gives it two seconds, `later` eight,
/// `late` twenty.
pub fn exporting(at: &str, folder: &Path, more: &[&str]) -> export::Options {
    options(at, folder, "7-1", &[&["--version", "v1"], more].concat())
}

pub fn importing(at: &str, folder: &Path, more: &[&str]) -> import::Options {
    importing_with(at, folder, &["--snapshot", "7-1", "--record", &permitting("9-1")], more)
}

/// An import of this attempt.
pub fn importing_as(id: &str, at: &str, folder: &Path, more: &[&str]) -> import::Options {
    let record = permitting(id);
    options(at, folder, id, &[&["--snapshot", "7-1", "--record", &record], more].concat())
}

/// An import of this attempt into the store that the snapshot was taken of.
pub fn importing_back(id: &str, at: &str, folder: &Path) -> import::Options {
    importing_as(id, at, folder, &["--same-store"])
}

pub fn importing_with(at: &str, folder: &Path, told: &[&str], more: &[&str]) -> import::Options {
    options(at, folder, "9-1", &[told, more].concat())
}

/// A record that lets this attempt move data.
pub fn permitting(attempt: &str) -> String {
    record(true, attempt)
}

pub fn record(open: bool, attempt: &str) -> String {
    let record = Record::next(None, &born(), open).permitting(Some(attempt.to_owned()));
    serde_json::to_string(&record).unwrap()
}

pub async fn made<W: Work>(work: &W) -> Result<Report, Ended<W::Error>> {
    job::made(work, AdminKey::parse(KEY).unwrap()).await
}

/// Held, exported and let go.
pub async fn exported(backend: &Backend, folder: &Path) -> Report {
    backend.pauses(true).await;
    let report = made(&exporting(&backend.at(), folder, &["--held"])).await.unwrap();
    backend.pauses(false).await;
    report
}

pub fn steered(variable: &str) -> Container {
    Container::new().with(variable, "v1")
}

/// The export that was asked for last.
pub async fn latest(backend: &Backend) -> Value {
    backend.query("_system/cli/exports:getLatest", json!({})).await
}

/// The backend as its administrator sees it.
pub fn deployment(backend: &Backend) -> Deployment {
    Deployment::at(backend.at().parse().unwrap(), AdminKey::parse(KEY).unwrap())
}

/// Begins an import as somebody else would, and says yes to it.
pub async fn importing_by_hand(backend: &Backend, archive: &Path) -> String {
    let deployment = deployment(backend);
    let token = deployment.start_upload().await.unwrap();
    let part = deployment.upload_part(&token, 1, std::fs::read(archive).unwrap()).await.unwrap();
    let import = deployment.finish_upload(&token, &[part]).await.unwrap();
    let asks = |it: &Value| it["state"]["state"] == "waiting_for_confirmation";
    backend.awaits("_system/cli/queryImport", json!({"importId": import}), asks).await;
    deployment.perform_import(&import).await.unwrap();
    import
}
