//! One run of a container: a process in a group of its own, with its output in a file.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::{ffi::OsStringExt, process::ExitStatusExt},
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tokio::process::{Child, Command};

use crate::{
    env::Variables,
    records::{self, Records},
};

/// What to run.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program on this machine.
    pub program: PathBuf,
    /// Its command line; the first word is what it is called.
    pub words: Vec<OsString>,
    /// Its whole environment.
    pub env: Variables,
    /// Its working directory on this machine.
    pub directory: PathBuf,
    /// Where its output goes.
    pub log: PathBuf,
}

/// A running process. Dropping it kills its whole group.
pub struct Process {
    child: Child,
    pid: u32,
    records: Records,
    ended: bool,
}

impl Process {
    /// Starts it and writes it down.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(launch: &Launch, records: &Records) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(&launch.log)?;
        let mut command = Command::new(&launch.program);
        let (name, arguments) = launch.words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let env = launch.env.iter().map(|(name, value)| (name, OsString::from_vec(value.clone())));
        command.arg0(name).args(arguments).env_clear().envs(env).current_dir(&launch.directory);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn()?;
        let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
        records.add(pid)?;
        Ok(Self { child, pid, records: records.clone(), ended: false })
    }

    /// Waits for its end. What else is left of its group is killed, as the end of a container does.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.handle().kill();
        self.ended = true;
        Ok(status)
    }

    /// A way to reach it while it is waited for.
    #[must_use]
    pub const fn handle(&self) -> Handle {
        Handle(self.pid)
    }
}

/// A running process by its number. Of use only as long as its [`Process`] was not seen to end.
#[derive(Clone, Copy, Debug)]
pub struct Handle(u32);

impl Handle {
    /// Sends it a signal.
    pub fn signal(self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.0).ok().and_then(Pid::from_raw) {
            // It may have ended just now.
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills its whole group.
    pub fn kill(self) {
        records::kill_group(self.0);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The number of a group that ended may belong to somebody else by now.
        if !self.ended {
            self.handle().kill();
        }
        self.records.remove(self.pid);
    }
}

/// The exit code as a container runtime reports it: 128 and the signal where one ended it.
#[must_use]
pub fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}

/// A signal by its name, with or without `SIG`, or by its number.
#[must_use]
pub fn signal_named(name: &str) -> Option<Signal> {
    Some(match name.strip_prefix("SIG").unwrap_or(name) {
        "HUP" | "1" => Signal::HUP,
        "INT" | "2" => Signal::INT,
        "QUIT" | "3" => Signal::QUIT,
        "KILL" | "9" => Signal::KILL,
        "USR1" | "10" => Signal::USR1,
        "USR2" | "12" => Signal::USR2,
        "TERM" | "15" => Signal::TERM,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(script: &str) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch {
            program: "/bin/sh".into(),
            words: ["./entry.sh", "-c", script].map(OsString::from).to_vec(),
            env: vec![("GREETING".to_owned(), b"hello".to_vec())],
            directory: folder.path().to_owned(),
            log: folder.path().join("log"),
        };
        let records = Records::open(folder.path().join("children")).unwrap();
        let mut process = Process::start(&launch, &records).unwrap();
        let status = process.ended().await.unwrap();
        (exit_code(status), std::fs::read_to_string(&launch.log).unwrap())
    }

    #[tokio::test]
    async fn it_has_its_environment_only_and_its_output_is_kept() {
        let (code, log) = run("echo $GREETING $USER; echo $0 >&2; exit 3").await;
        assert_eq!((code, log.as_str()), (3, "hello\n./entry.sh\n"));
    }

    #[tokio::test]
    async fn an_end_by_signal_is_128_and_its_number() {
        assert_eq!(run("kill -KILL $$").await.0, 137);
    }

    #[test]
    fn signals_are_known_by_name_and_number() {
        for name in ["INT", "SIGINT", "2"] {
            assert_eq!(signal_named(name), Some(Signal::INT));
        }
        assert_eq!(signal_named("WINCH"), None);
    }
}
