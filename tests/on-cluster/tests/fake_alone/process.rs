//! An operator of the test's own beside the usual one: the same program, the same account.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
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
    health: SocketAddr,
}

impl Operator {
    /// Starts it beside the usual one and does not wait for anything.
    pub fn start(stage: &Stage, name: &str) -> Result<Self> {
        let account = stage.cluster.description().run.join("operator.kubeconfig");
        Self::start_as(stage, name, &account, &[("POD_NAMESPACE", operator::NAMESPACE)])
    }

    /// Starts one that looks after the namespace of the test alone, with an account that may do no more.
    pub fn start_confined(stage: &Stage, account: &Path) -> Result<Self> {
        let here = stage.namespace();
        let own = [("POD_NAMESPACE", here), ("WATCH_NAMESPACE", here)];
        Self::start_as(stage, "confined", account, &own)
    }

    fn start_as(stage: &Stage, name: &str, account: &Path, own: &[(&str, &str)]) -> Result<Self> {
        let cluster = stage.cluster.description();
        let log = cluster.run.join("logs").join(format!("{}-{name}.log", stage.namespace()));
        let output = File::create(&log)?;
        // Nothing else on this machine has addresses in the cluster's range.
        let free = TcpListener::bind((cluster.addresses.control_plane, 0))?;
        let health = free.local_addr()?;
        drop(free);
        let child = Command::new(cluster.run.join("convex-operator"))
            .arg("run")
            .env("KUBECONFIG", account)
            .env("POD_NAME", name)
            .env("METRICS_ADDRESS", health.to_string())
            .env("BACKEND_REPOSITORY", images::BACKEND)
            .env("DASHBOARD_REPOSITORY", images::DASHBOARD)
            .env("WORKER_IMAGE", images::OPERATOR)
            .envs(own.iter().copied())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child, log, health })
    }

    /// What it answers at a path: the status and the body.
    pub async fn answers(&self, path: &str) -> Result<(u16, String)> {
        let answer = reqwest::get(format!("http://{}{path}", self.health)).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
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
