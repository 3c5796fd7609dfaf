//! Which processes are ours, written down so that a later run can end what an interrupted one left behind.
//!
//! A record is a file named by the process id, holding the time at which the kernel says that the process started: a number
//! that was used again by somebody else's process never matches.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process_group};

/// The folder of records.
#[derive(Clone, Debug)]
pub struct Records(PathBuf);

impl Records {
    /// Opens the folder.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Writes a process down.
    ///
    /// # Errors
    /// Where the file cannot be written. A process that is gone already needs no record.
    pub fn add(&self, pid: u32) -> io::Result<()> {
        started(pid).map_or(Ok(()), |started| fs::write(self.file(pid), started))
    }

    /// Forgets a process that has ended.
    pub fn remove(&self, pid: u32) {
        // A process that ended at once was never written down.
        let _ = fs::remove_file(self.file(pid));
    }

    /// Kills the group of every recorded process that still lives, and forgets them all.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn kill_all(&self) -> io::Result<usize> {
        let mut killed = 0;
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if let Some(pid) = still_the_same(&path) {
                kill_group(pid);
                killed += 1;
            }
            fs::remove_file(&path)?;
        }
        Ok(killed)
    }

    fn file(&self, pid: u32) -> PathBuf {
        self.0.join(pid.to_string())
    }
}

/// Kills every process of the group that `leader` leads.
pub fn kill_group(leader: u32) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The group may be empty by now.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn still_the_same(record: &Path) -> Option<u32> {
    let pid = record.file_name()?.to_str()?.parse().ok()?;
    let recorded = fs::read_to_string(record).ok()?;
    (started(pid)? == recorded).then_some(pid)
}

/// The start time of a process in the kernel's ticks: field 22 of its `stat`, of which field 2 may hold anything.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::process::CommandExt,
        process::{Child, Command},
    };

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").process_group(0).spawn().unwrap()
    }

    #[test]
    fn what_an_earlier_run_left_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        Records::open(folder.path().join("children")).unwrap().add(child.id()).unwrap();
        let later = Records::open(folder.path().join("children")).unwrap();
        assert_eq!(later.kill_all().unwrap(), 1);
        assert!(!child.wait().unwrap().success());
        assert_eq!(later.kill_all().unwrap(), 0);
    }

    #[test]
    fn a_process_that_only_has_the_number_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        let records = Records::open(folder.path().to_owned()).unwrap();
        fs::write(folder.path().join(child.id().to_string()), "1").unwrap();
        assert_eq!(records.kill_all().unwrap(), 0);
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
