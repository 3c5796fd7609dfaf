//! A container's life: prepare, run, watch, end, and again as its restart policy says.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    api::core::v1::{Container as Spec, ContainerStateTerminated, Pod},
    jiff::Timestamp,
};
use tokio::{sync::watch, time::Instant};

use super::{
    ledger::Ledger,
    prepare::{NotReady, Ready},
    record::{out_of_memory, start_error, terminated},
    stop::{Stop, asked},
    user::full_name,
};
use crate::{
    backoff::{Backoff, CrashBackoff},
    env::PodFacts,
    images::Pulled,
    kubelet::Node,
    logs,
    pod::{Folders, faults::Fault},
    probe::{self, Target},
    process::{Launch, Process, exit_code},
    volumes::Volumes,
};

/// How soon what is missing is looked for again, by a kubelet's clock.
const RETRY: Duration = Duration::from_secs(2);

/// When a container starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Whenever it ends.
    Always,
    /// When it ends badly.
    OnFailure,
    /// Not at all.
    Never,
}

/// How a container's life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With code 0, for good.
    Succeeded,
    /// With another code, for good.
    Failed,
    /// Because the pod ends.
    Stopped,
}

/// One container of a pod.
pub struct Container {
    pub(crate) node: Arc<Node>,
    pub(crate) pod: Arc<Pod>,
    pub(crate) spec: Spec,
    pub(crate) restart: Restart,
    pub(crate) facts: PodFacts,
    pub(crate) folders: Folders,
    pub(crate) volumes: Arc<Volumes>,
    pub(crate) ledger: Ledger,
    pub(crate) stop: watch::Receiver<Option<Stop>>,
}

impl Container {
    /// Lives until there is nothing left to do.
    pub async fn live(self) -> Outcome {
        let mut crashes = CrashBackoff::default();
        for restart in self.ledger.entry(&self.spec.name).map_or(0, |entry| entry.restarts).. {
            let Some((image, ready)) = self.unless_stopped(self.prepared(restart)).await else {
                return Outcome::Stopped;
            };
            self.record_run(&image, restart);
            let began = Instant::now();
            let (ended, stopped) = match ready {
                Ready::Done => (terminated(0, None, Timestamp::now()), false),
                Ready::Refused(why) => (start_error(why), false),
                Ready::Launch(launch) => self.run(&launch).await,
            };
            let good = ended.exit_code == 0;
            self.record_end(ended);
            if stopped {
                return Outcome::Stopped;
            }
            match (self.restart, good) {
                (Restart::Always, _) | (Restart::OnFailure, false) => (),
                (_, true) => return Outcome::Succeeded,
                (Restart::Never, false) => return Outcome::Failed,
            }
            if self.unless_stopped(self.back_off(&mut crashes, began)).await.is_none() {
                return Outcome::Stopped;
            }
        }
        Outcome::Failed
    }

    /// Does `work`, unless the pod is to end first.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = asked(&mut stop) => None,
            done = work => Some(done),
        }
    }

    /// Tries until everything is there, saying what is missing.
    async fn prepared(&self, restart: i32) -> (Pulled, Ready) {
        let mut pulls = Backoff::default();
        loop {
            let missing = match self.pull() {
                Ok(image) => match self.prepare(&image, restart).await {
                    Ok(ready) => return (image, ready),
                    Err(missing) => missing,
                },
                Err(error) => error.into(),
            };
            match missing {
                NotReady::Image(error) => self.wait_for_image(&error, &mut pulls).await,
                other => self.wait_for_config(&other).await,
            }
        }
    }

    async fn wait_for_image(&self, error: &crate::images::PullError, pulls: &mut Backoff) {
        let (reason, message) = (error.reason(), error.to_string());
        self.ledger.wait(&self.spec.name, reason, Some(message.clone()));
        let wait = self.node.pace.scale(pulls.next_wait());
        tokio::time::sleep(wait / 4).await;
        if reason == "ErrImagePull" {
            let image = self.spec.image.as_deref().unwrap_or_default();
            let message = format!("Back-off pulling image \"{image}\": ErrImagePull: {message}");
            self.ledger.wait(&self.spec.name, "ImagePullBackOff", Some(message));
        }
        tokio::time::sleep(wait).await;
    }

    async fn wait_for_config(&self, missing: &NotReady) {
        let reason = match missing {
            NotReady::Io(_) => "CreateContainerError",
            _ => "CreateContainerConfigError",
        };
        self.ledger.wait(&self.spec.name, reason, Some(missing.to_string()));
        tokio::time::sleep(self.node.pace.scale(RETRY)).await;
    }

    /// One run. The flag says whether it ended because the pod does.
    async fn run(&self, launch: &Launch) -> (ContainerStateTerminated, bool) {
        let mut process = match Process::start(launch, &self.node.records) {
            Ok(process) => process,
            Err(error) => return (start_error(error.to_string()), false),
        };
        let since = Timestamp::now();
        self.record_start(since);
        let target = self.target(launch);
        let mut stop = self.stop.clone();
        let tell = |health| self.record_health(health);
        let (status, stopped) = tokio::select! {
            status = process.ended() => (status, false),
            stop = asked(&mut stop) => (self.end(&mut process, &target, stop.grace()).await, true),
            unhealthy = probe::watch(&self.spec, &target, self.node.pace, tell) => {
                tracing::info!(container = %self.spec.name, probe = unhealthy.probe, message = %unhealthy.message, "unhealthy");
                (self.end(&mut process, &target, self.grace()).await, false)
            }
        };
        let message = |code| self.last_words(launch, code);
        let ended = match status {
            Ok(_) if stopped && *self.stop.borrow() == Some(Stop::OutOfMemory) => {
                out_of_memory(since)
            }
            Ok(status) => terminated(exit_code(status), message(exit_code(status)), since),
            Err(error) => terminated(255, Some(error.to_string()), since),
        };
        (ended, stopped)
    }

    async fn back_off(&self, crashes: &mut CrashBackoff, began: Instant) {
        // A run at a tenth of the time counts ten times as long.
        let unit = self.node.pace.scale(Duration::from_secs(1));
        let ran = Duration::from_secs_f64(began.elapsed().as_secs_f64() / unit.as_secs_f64());
        let Some(wait) = crashes.after(ran) else { return };
        let message = format!(
            "back-off {} restarting failed container={} pod={}",
            short(wait),
            self.spec.name,
            full_name(&self.pod)
        );
        self.ledger.wait(&self.spec.name, "CrashLoopBackOff", Some(message));
        tokio::time::sleep(self.node.pace.scale(wait)).await;
    }

    fn grace(&self) -> Duration {
        let seconds = self.pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
        Duration::from_secs(u64::try_from(seconds.unwrap_or(30)).unwrap_or(0))
    }

    fn target(&self, launch: &Launch) -> Target {
        let ports = self.spec.ports.iter().flatten().filter_map(|port| {
            Some((port.name.clone()?, u16::try_from(port.container_port).ok()?))
        });
        Target {
            address: self.facts.pod_ip.parse().unwrap_or(std::net::Ipv4Addr::LOCALHOST.into()),
            ports: ports.collect(),
            env: launch.env.clone(),
            directory: launch.directory.clone(),
        }
    }

    fn last_words(&self, launch: &Launch, code: i32) -> Option<String> {
        let faults = self.node.faults.borrow();
        if faults.ask(&self.pod, Fault::Speechless) {
            return None;
        }
        if faults.ask(&self.pod, Fault::Babbles) {
            return Some("{\"result\": what was".to_owned());
        }
        let path = self.inside(self.last_words_path());
        let written = std::fs::read_to_string(path).ok().filter(|text| !text.is_empty());
        let from_log =
            self.spec.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
        written.or_else(|| {
            if from_log && code != 0 { logs::last_words(&launch.log).ok() } else { None }
        })
    }
}

/// A wait as Go prints it: `20s`, `2m40s`, `5m0s`.
fn short(wait: Duration) -> String {
    match (wait.as_secs() / 60, wait.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_printed_as_a_kubelet_prints_them() {
        for (seconds, text) in [(10, "10s"), (80, "1m20s"), (300, "5m0s")] {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }
}
