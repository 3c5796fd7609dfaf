//! The servers are real: they start, know who they let in, prove who they are, keep what they were given, and end.

mod mariadb;
mod orphans;
mod postgres;
mod preflight;
mod reachable;
mod s3;
mod snapshots;

use std::process::Command;

use anyhow::{Result, ensure};
use cluster::process::captured;
use servers::{Authority, Place};
use tempfile::TempDir;

/// A folder, a place in it, and two authorities: the server's and somebody else's.
struct Ground {
    place: Place,
    ours: Authority,
    others: Authority,
    _folder: TempDir,
}

impl Ground {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self {
            place: Place::loopback(folder.path())?.named("server.test"),
            ours: Authority::create(&folder.path().join("ours"))?,
            others: Authority::create(&folder.path().join("others"))?,
            _folder: folder,
        })
    }
}

/// What a command says where it is refused.
fn refused(command: &mut Command) -> Result<String> {
    let done = command.output()?;
    ensure!(!done.status.success(), "{command:?} was not refused");
    Ok(String::from_utf8_lossy(&done.stderr).into_owned())
}

fn answer(command: &mut Command) -> Result<String> {
    captured(command).map(|text| text.trim_end().to_owned())
}
