//! Which process is which, whether it lives, and how it ends.
//!
//! A process id alone names nobody for long: together with the start time it does. PID 1 may not reap on a test machine,
//! so a zombie counts as dead.

use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// The variable that marks every process of a cluster, and whatever those start in turn.
pub const TOKEN_VARIABLE: &str = "CONVEX_CLUSTER_TOKEN";

const POLL: Duration = Duration::from_millis(20);

/// One process for ever, even after its id was given to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The process id.
    pub pid: i32,
    /// When it started, in clock ticks since boot (field 22 of /proc/PID/stat).
    pub started_at: u64,
}

/// A process of the cluster that runs in the background.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Daemon {
    /// What it is called here.
    pub name: String,
    /// Which one it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// Where it writes what it has to say.
    pub log: PathBuf,
}

impl Identity {
    /// The process that has this id now.
    ///
    /// # Errors
    /// There is none.
    pub fn of(pid: i32) -> Result<Self> {
        let (_, started_at) = stat(pid).with_context(|| format!("process {pid} is gone"))?;
        Ok(Self { pid, started_at })
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|(state, started_at)| {
            !matches!(state, 'Z' | 'X') && started_at == self.started_at
        })
    }

    /// Sends a signal, unless it is gone.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn signal(self, signal: Signal) -> Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        let pid = Pid::from_raw(self.pid).context("no process has this id")?;
        match kill_process(pid, signal) {
            Err(error) if error != rustix::io::Errno::SRCH => {
                Err(error).with_context(|| format!("signalling process {}", self.pid))
            }
            _ => Ok(()),
        }
    }

    /// Waits until it is gone; false if it is still there after `patience`.
    #[must_use]
    pub fn wait_gone(self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            if Instant::now() > deadline {
                return false;
            }
            sleep(POLL);
        }
        true
    }

    /// Ends it: politely, and after `patience` for good.
    ///
    /// # Errors
    /// It survives even that.
    pub fn end(self, patience: Duration) -> Result<()> {
        self.signal(Signal::TERM)?;
        if self.wait_gone(patience) {
            return Ok(());
        }
        self.signal(Signal::KILL)?;
        if !self.wait_gone(Duration::from_secs(5)) {
            bail!("process {} survives SIGKILL", self.pid);
        }
        Ok(())
    }
}

impl Daemon {
    /// The end of its log, for a message about its failure.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Nothing, or that it died and what it said last.
    ///
    /// # Errors
    /// It is dead.
    pub fn check(&self) -> Result<()> {
        if self.identity.is_alive() {
            return Ok(());
        }
        bail!("{} ended; the end of {}:\n{}", self.name, self.log.display(), self.last_words())
    }
}

/// Every living process that carries the token of a cluster in its environment.
///
/// # Errors
/// /proc cannot be read.
pub fn marked_with(token: &str) -> Result<Vec<Identity>> {
    let wanted = format!("{TOKEN_VARIABLE}={token}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Processes of other users and those that end meanwhile cannot be read: neither is ours.
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()) {
            found.extend(Identity::of(pid));
        }
    }
    found.retain(|identity| identity.is_alive());
    Ok(found)
}

/// State and start time out of /proc/PID/stat, whose second field may itself hold blanks and brackets.
fn stat(pid: i32) -> Option<(char, u64)> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &str) -> Option<(char, u64)> {
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// It cannot be started, or exits with anything but 0; the message holds what it said on standard error.
pub fn output<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Result<String> {
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    captured(&mut command)
}

/// Runs a prepared command to its end and returns what it printed.
///
/// # Errors
/// As [`output`].
pub fn captured(command: &mut std::process::Command) -> Result<String> {
    let done = command.output().with_context(|| format!("starting {command:?}"))?;
    if !done.status.success() {
        bail!("{command:?}: {}: {}", done.status, String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_stat_line_is_read_past_a_name_with_brackets() {
        let line = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 1";
        assert_eq!(parse_stat(line), Some(('S', 123_456)));
    }

    #[test]
    fn this_process_is_alive() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(Identity::of(pid).unwrap().is_alive());
    }

    #[test]
    fn another_process_with_the_same_id_is_not_it() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let other = Identity { pid, started_at: 1 };
        assert!(!other.is_alive());
        assert!(other.signal(Signal::KILL).is_ok(), "nobody is signalled");
    }

    #[test]
    fn a_zombie_counts_as_dead() {
        let mut child = Command::new("true").spawn().unwrap();
        let identity = Identity::of(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(identity.wait_gone(Duration::from_secs(5)));
        child.wait().unwrap();
    }

    #[test]
    fn a_process_deaf_to_sigterm_is_ended_all_the_same() {
        let mut child = Command::new("sh")
            .args(["-c", "trap '' TERM; while :; do sleep 0.1; done"])
            .spawn()
            .unwrap();
        let identity = Identity::of(i32::try_from(child.id()).unwrap()).unwrap();
        identity.end(Duration::from_millis(300)).unwrap();
        assert!(!identity.is_alive());
        child.wait().unwrap();
    }

    #[test]
    fn processes_are_found_by_their_token() {
        let token = format!("test-{}", std::process::id());
        let mut child =
            Command::new("sleep").arg("30").env(TOKEN_VARIABLE, &token).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut found = marked_with(&token).unwrap();
        while found.is_empty() && Instant::now() < deadline {
            found = marked_with(&token).unwrap();
        }
        assert_eq!(found.iter().map(|i| i.pid).collect::<Vec<_>>(), [child.id().cast_signed()]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
