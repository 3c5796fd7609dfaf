//! An operator of the test's own beside the usual one: the same program, the same account.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{images, operator};
use on_cluster::Stage;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// A process that ends with the test.
pub struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts it and does not wait for anything.
    pub fn start(stage: &Stage, name: &str) -> Result<Self> {
        let cluster = stage.cluster.description();
        let log = cluster.run.join("logs").join(format!("{}-{name}.log", stage.namespace()));
        let output = File::create(&log)?;
        let child = Command::new(cluster.run.join("convex-operator"))
            .arg("run")
            .env("KUBECONFIG", cluster.run.join("operator.kubeconfig"))
            .env("POD_NAMESPACE", operator::NAMESPACE)
            .env("POD_NAME", name)
            .env("METRICS_ADDRESS", format!("{}:0", cluster.addresses.control_plane))
            .env("BACKEND_REPOSITORY", images::BACKEND)
            .env("DASHBOARD_REPOSITORY", images::DASHBOARD)
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child, log })
    }

    /// Everything that it has logged.
    pub fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Waits until it has logged something.
    pub async fn says(&mut self, stage: &Stage, words: &str, patience: Duration) -> Result<()> {
        let log = self.log.clone();
        let what = format!("line with {words:?}");
        let heard = stage.until(&what, patience, || async {
            Ok(fs::read_to_string(&log)?.contains(words).then_some(()))
        });
        heard.await.with_context(|| self.said().unwrap_or_default())?;
        self.lives()
    }

    /// It has not ended.
    pub fn lives(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "it ended with {ended:?}: {}", self.said()?);
        Ok(())
    }

    /// Tells it to end, and says how it did and how long that took.
    pub async fn stop(mut self) -> Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.context("it has ended already")?, Signal::TERM)?;
        let ended = timeout(Duration::from_secs(30), self.child.wait()).await;
        Ok((ended.context("it does not end")??, asked.elapsed()))
    }
}
