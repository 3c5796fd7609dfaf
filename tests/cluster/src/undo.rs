//! Undoes what the records list, newest first; what is gone already is fine.

mod containers;
pub(crate) mod mounts;

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{
    process::{Identity, marked_with, output},
    record::{self, Record},
};

/// Time for a process to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time for the API server: it waits for whoever still watches it, and nothing of it is to last.
const API_SERVER_PATIENCE: Duration = Duration::from_secs(2);

/// Undoes everything that a run folder's records list.
///
/// # Errors
/// Something could not be undone; the rest is undone all the same, and the records stay for another try.
pub fn everything(run: &Path) -> Result<()> {
    let mut records = record::read(run)?;
    records.reverse();
    // A stable sort: what ends comes before what is removed, and within both the newest comes first.
    records.sort_by_key(stage);
    let failures: Vec<String> = records
        .iter()
        .filter_map(|record| {
            let undone = undo(record).with_context(|| format!("undoing {record:?}"));
            undone.err().map(|error| format!("{error:#}"))
        })
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    bail!("not everything could be removed:\n{}", failures.join("\n"))
}

fn stage(record: &Record) -> u8 {
    match record {
        Record::Process { .. } | Record::Containers { .. } => 0,
        Record::Token { .. } => 1,
        Record::Namespace { .. } | Record::Link { .. } | Record::Unreachable { .. } => 2,
        Record::Folder { .. } => 3,
    }
}

fn undo(record: &Record) -> Result<()> {
    match record {
        Record::Process { name, identity } if name == "kube-apiserver" => {
            identity.end(API_SERVER_PATIENCE)
        }
        Record::Process { identity, .. } => identity.end(PATIENCE),
        Record::Containers { socket, running } => containers::end(socket, running),
        Record::Token { value } => end_marked(value),
        Record::Namespace { name } => remove_namespace(name),
        Record::Link { name } => remove_link(name),
        Record::Unreachable { range } => remove_route(&range.to_string()),
        Record::Folder { path } => remove_folder(path),
    }
}

/// Finds what was started but not yet recorded, and what recorded processes started in turn (containerd's shims).
fn end_marked(token: &str) -> Result<()> {
    for _ in 0..3 {
        let marked = marked_with(token)?;
        if marked.is_empty() {
            return Ok(());
        }
        marked.into_iter().try_for_each(|identity: Identity| identity.end(PATIENCE))?;
    }
    bail!("processes marked {token} keep coming back")
}

fn remove_namespace(name: &str) -> Result<()> {
    if Path::new("/run/netns").join(name).exists() {
        output("ip", ["netns", "delete", name])?;
    }
    Ok(())
}

fn remove_link(name: &str) -> Result<()> {
    if !Path::new("/sys/class/net").join(name).exists() {
        return Ok(());
    }
    match output("ip", ["link", "delete", name]) {
        // The other end went with its namespace, and took this one along meanwhile.
        Err(_) if !Path::new("/sys/class/net").join(name).exists() => Ok(()),
        other => other.map(drop),
    }
}

fn remove_route(range: &str) -> Result<()> {
    let listed = output("ip", ["-4", "route", "show", "type", "unreachable", "exact", range])?;
    if !listed.trim().is_empty() {
        output("ip", ["-4", "route", "delete", "unreachable", range])?;
    }
    Ok(())
}

/// Removes a folder, and unmounts what is mounted in it first.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    let mounted = fs::read_to_string("/proc/self/mountinfo")?;
    let mut below: Vec<_> = mounts::points(&mounted, |_| true)
        .into_iter()
        .filter(|point| point.starts_with(path))
        .collect();
    below.reverse();
    for point in below {
        output("umount", [Path::new("--lazy"), &point])?;
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{launch::Launcher, launch::Program, record::Records};

    #[test]
    fn what_an_interrupted_start_left_behind_is_ended_and_removed() {
        let run = tempfile::tempdir().unwrap();
        let data = run.path().join("data");
        let token = format!("undo-{}", std::process::id());
        let mut records = Records::open(run.path()).unwrap();
        records.write(&Record::Folder { path: data.clone() }).unwrap();
        records.write(&Record::Token { value: token.clone() }).unwrap();
        fs::create_dir(&data).unwrap();
        // The shell is recorded by the launcher; its child only carries the token.
        let program = Program::new("parent", "sh").args(["-c", "sleep 60 & wait"]);
        let parent = Launcher::new(run.path(), &token, None).start(&program).unwrap();

        everything(run.path()).unwrap();
        assert!(!parent.identity.is_alive());
        assert_eq!(marked_with(&token).unwrap(), []);
        assert!(!data.exists());
        everything(run.path()).unwrap();
    }
}
