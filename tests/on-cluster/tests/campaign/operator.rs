//! An operator of a lane's own, started again whenever it ends, as a kubelet would.

use std::{
    fs::{File, OpenOptions},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use cluster::{description::Description, images};
use on_cluster::stage::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};

/// An operator that is kept running until this is dropped.
pub struct Operator {
    pid: Arc<Mutex<Option<Pid>>>,
    /// How often it ended without being killed.
    faults: Arc<AtomicUsize>,
    keeping: JoinHandle<()>,
}

/// How an operator is started.
#[derive(Clone)]
pub struct Start {
    /// The copy of the program that the cluster runs.
    program: PathBuf,
    /// Where it says what it does; a later start goes on in it.
    log: PathBuf,
    environment: Vec<(String, String)>,
}

impl Start {
    /// One that looks after a namespace, and whose lease is in another or in the same.
    pub fn new(cluster: &Description, kubeconfig: &Path, namespace: &str, lease: &str) -> Self {
        let own = [
            ("KUBECONFIG", kubeconfig.to_string_lossy().into_owned()),
            ("WATCH_NAMESPACE", namespace.to_owned()),
            ("POD_NAMESPACE", lease.to_owned()),
            // The same after every start, as that of a container is: so it has its lease back at once.
            ("POD_NAME", format!("operator-{lease}")),
            ("METRICS_ADDRESS", format!("{}:0", cluster.addresses.control_plane)),
            ("BACKEND_REPOSITORY", images::BACKEND.to_owned()),
            ("DASHBOARD_REPOSITORY", images::DASHBOARD.to_owned()),
            ("WORKER_IMAGE", images::OPERATOR.to_owned()),
        ];
        Self {
            program: cluster.run.join("convex-operator"),
            log: cluster.run.join("logs").join(format!("campaign-{lease}.log")),
            environment: own.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }

    fn spawn(&self) -> Result<Child> {
        let output = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let error: File = output.try_clone()?;
        let mut command = Command::new(&self.program);
        command.arg("run").envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(output).stderr(error).kill_on_drop(true);
        command.spawn().with_context(|| format!("starting {}", self.program.display()))
    }
}

impl Operator {
    /// Starts it, and starts it again whenever it ends.
    pub fn keep(start: Start) -> Self {
        let pid = Arc::new(Mutex::new(None));
        let faults = Arc::new(AtomicUsize::new(0));
        let (now, own) = (pid.clone(), faults.clone());
        let keeping = tokio::spawn(async move {
            while let Ok(mut child) = start.spawn() {
                let id = child.id().and_then(|id| i32::try_from(id).ok());
                let put = |id| *now.lock().unwrap_or_else(PoisonError::into_inner) = id;
                put(id.and_then(Pid::from_raw));
                let ended = child.wait().await;
                put(None);
                let killed = |it: ExitStatus| it.signal() == Some(Signal::KILL.as_raw());
                if !ended.is_ok_and(killed) {
                    own.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { pid, faults, keeping }
    }

    /// That it never ended but by being killed.
    ///
    /// # Errors
    /// It did; why is said in its log.
    pub fn is_sound(&self) -> Result<()> {
        let faults = self.faults.load(Ordering::Relaxed);
        ensure!(faults == 0, "the operator ended {faults} times by itself");
        Ok(())
    }

    /// The process of now.
    pub async fn pid(&self) -> Result<Pid> {
        cluster::wait::until("process of the operator", PATIENCE, &[], || async {
            Ok(*self.pid.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
    }

    /// Lets it go on after it was stopped.
    pub async fn wake(&self) -> Result<()> {
        Ok(kill_process(self.pid().await?, Signal::CONT)?)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// How long an operator may take until what it was asked for is there.
pub const LIFE: Duration = Duration::from_mins(2);
