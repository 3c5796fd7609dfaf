//! Starts background processes, each of them in the records.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::{
    process::{Daemon, Identity, TOKEN_VARIABLE},
    record::{Record, Records},
};

/// Starts the processes of one cluster.
#[derive(Debug)]
pub struct Launcher {
    run: PathBuf,
    token: String,
    namespace: Option<String>,
}

/// What is to be started.
#[derive(Debug)]
pub struct Program {
    name: String,
    path: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    log: Option<PathBuf>,
}

impl Program {
    /// A program without arguments; `name` is what it and its log are called.
    pub fn new(name: &str, path: impl AsRef<OsStr>) -> Self {
        let path = path.as_ref().to_owned();
        Self {
            name: name.to_owned(),
            path,
            arguments: Vec::new(),
            environment: Vec::new(),
            log: None,
        }
    }

    /// With more arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// With one more variable in its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// With its log there, and not among the others'.
    #[must_use]
    pub fn log(mut self, path: &Path) -> Self {
        self.log = Some(path.to_owned());
        self
    }
}

impl Launcher {
    /// Starts in the network namespace of that name where one is given, marking every process with `token`.
    #[must_use]
    pub fn new(run: &Path, token: &str, namespace: Option<&str>) -> Self {
        Self {
            run: run.to_owned(),
            token: token.to_owned(),
            namespace: namespace.map(ToOwned::to_owned),
        }
    }

    /// Starts a program in the background; it outlives this process and this terminal.
    ///
    /// # Errors
    /// It cannot be started or recorded; then it is not left running.
    pub fn start(&self, program: &Program) -> Result<Daemon> {
        let name = &program.name;
        let logs = self.run.join("logs");
        fs::create_dir_all(&logs)?;
        let log = program.log.clone().unwrap_or_else(|| logs.join(format!("{name}.log")));
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        let child = self
            .command(&program.path)
            .args(&program.arguments)
            .envs(program.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let identity = Identity::of(child.id().cast_signed())?;
        let record = Record::Process { name: name.clone(), identity };
        if let Err(error) = Records::open(&self.run).and_then(|mut file| file.write(&record)) {
            identity.signal(Signal::KILL)?;
            return Err(error);
        }
        Ok(Daemon { name: name.clone(), identity, log })
    }

    /// `nsenter --net` and not `ip netns exec`: the latter remounts /sys and hides the cgroups from kubelet and containerd.
    fn command(&self, path: &OsStr) -> Command {
        let mut command = in_namespace(self.namespace.as_deref(), path);
        command.env(TOKEN_VARIABLE, &self.token).env_remove("KUBECONFIG").process_group(0);
        command
    }
}

/// A command that runs in the network namespace of that name, or right here.
#[must_use]
pub fn in_namespace(namespace: Option<&str>, program: &OsStr) -> Command {
    match namespace {
        None => Command::new(program),
        Some(name) => {
            let mut command = Command::new("nsenter");
            command.arg(format!("--net=/run/netns/{name}")).arg("--").arg(program);
            command
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record;

    #[test]
    fn what_is_started_is_recorded_marked_and_logged() {
        let run = tempfile::tempdir().unwrap();
        let token = format!("launch-{}", std::process::id());
        let launcher = Launcher::new(run.path(), &token, None);
        let script = format!("echo ${TOKEN_VARIABLE} $GREETING");
        let program = Program::new("speaker", "sh").args(["-c", &script]).env("GREETING", "hello");
        let daemon = launcher.start(&program).unwrap();
        assert!(daemon.identity.wait_gone(Duration::from_secs(5)));
        assert_eq!(daemon.last_words(), format!("{token} hello"));
        let expected = Record::Process { name: "speaker".into(), identity: daemon.identity };
        assert_eq!(record::read(run.path()).unwrap(), [expected]);
        assert!(daemon.check().unwrap_err().to_string().starts_with("speaker ended"));
    }
}
