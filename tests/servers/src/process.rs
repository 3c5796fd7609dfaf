//! One server process: without rights of root, in its network, with its log, ended with its guard.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use cluster::launch::in_namespace;
use rustix::process::{Pid, Signal, kill_process};

use crate::{keeper, place::Place};

/// Whom nothing belongs to, on every Linux; servers that refuse to be root are this user.
const NOBODY: u32 = 65534;
/// How long a server may take to answer on a busy machine.
const START: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// The signal by which a server ends at once and in order.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl End {
    const fn signal(self) -> Signal {
        match self {
            Self::Interrupt => Signal::INT,
            Self::Terminate => Signal::TERM,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
        }
    }
}

/// A folder of a server's own.
#[derive(Clone, Debug)]
pub struct Home {
    place: Place,
    folder: PathBuf,
}

impl Home {
    /// Makes it, for the user whom the server will be.
    pub fn make(place: &Place, server: &str) -> Result<Self> {
        let folder = place.folder().join(format!("{server}-{}", crate::unique()));
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        give(&folder, 0o700)?;
        let above = fs::metadata(place.folder())?.permissions().mode();
        fs::set_permissions(place.folder(), fs::Permissions::from_mode(above | 0o111))?;
        Ok(Self { place: place.clone(), folder })
    }

    /// The path of something in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }

    /// A command as the server's user in its network.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.prepared(&[], program.as_ref())
    }

    /// Starts the server.
    pub fn start(&self, program: &Path, arguments: &[OsString], end: End) -> Result<Process> {
        self.start_with(program, arguments, &[], end)
    }

    /// Starts the server with variables in its environment.
    pub fn start_with(
        &self,
        program: &Path,
        arguments: &[OsString],
        environment: &[(&str, &str)],
        end: End,
    ) -> Result<Process> {
        let log = self.join("log");
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command =
            self.prepared(&[&format!("--pdeathsig={}", end.name())], program.as_os_str());
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = keeper::start(command)?;
        Ok(Process { child, log, end })
    }

    fn prepared(&self, more: &[&str], program: &OsStr) -> Command {
        let mut command = in_namespace(self.place.namespace(), OsStr::new("setpriv"));
        if rustix::process::geteuid().is_root() {
            let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
            command.args([&user, &group, "--clear-groups"]);
        }
        command.args(more).arg("--").arg(program);
        command.current_dir(&self.folder).envs(self.place.mark()).env("HOME", &self.folder);
        command
    }
}

/// Gives a file or folder to the user whom servers are.
pub fn give(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if rustix::process::geteuid().is_root() {
        chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    end: End,
}

impl Process {
    /// Waits until `answers` says yes.
    ///
    /// # Errors
    /// The server ended, or does not answer in time; with the end of its log.
    pub async fn wait<F, Answer>(&mut self, mut answers: F) -> Result<()>
    where
        F: FnMut() -> Answer,
        Answer: Future<Output = Result<()>>,
    {
        let deadline = Instant::now() + START;
        loop {
            let Err(error) = answers().await else { return Ok(()) };
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}\n{}", self.last_words());
            }
            if Instant::now() > deadline {
                bail!("the server does not answer: {error:#}\n{}", self.last_words());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What its log says last.
    fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let pid = Pid::from_raw(self.child.id().cast_signed()).context("a process has an id")?;
        kill_process(pid, self.end.signal())?;
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
                self.child.wait()?;
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("a server could not be ended: {error:#}");
        }
    }
}
