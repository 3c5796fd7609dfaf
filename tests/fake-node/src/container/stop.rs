//! How a container ends because its pod does: preStop, signal, grace, kill.

use std::{process::ExitStatus, time::Duration};

use k8s_openapi::api::core::v1::{LifecycleHandler, Probe};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::run::Container;
use crate::{
    probe::{self, Target},
    process::{Handle, Process, Signal, signal_named},
};

/// Why and how fast a pod's containers are to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The pod is being deleted.
    Deleted {
        /// How long the containers have, by a kubelet's clock.
        grace: Duration,
    },
    /// The pod's object is gone.
    Vanished,
    /// The node throws the pod out.
    Evicted(String),
    /// Its containers need more memory than there is.
    OutOfMemory,
}

impl Stop {
    /// How long the containers have.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        match self {
            Self::Deleted { grace } => *grace,
            Self::Vanished | Self::Evicted(_) | Self::OutOfMemory => Duration::ZERO,
        }
    }
}

/// Waits until the pod is to end.
pub async fn asked(stop: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stop.wait_for(Option::is_some).await.map(|stop| stop.clone()) {
        Ok(Some(stop)) => stop,
        Ok(None) | Err(_) => Stop::Vanished,
    }
}

impl Container {
    /// Ends `process`: preStop first, then its signal, then SIGKILL when the grace is over.
    pub(super) async fn end(
        &self,
        process: &mut Process,
        target: &Target,
        grace: Duration,
    ) -> std::io::Result<ExitStatus> {
        let handle = process.handle();
        let politely = async {
            self.pre_stop(handle, target).await;
            handle.signal(self.stop_signal());
            std::future::pending().await
        };
        tokio::select! {
            biased;
            status = process.ended() => return status,
            never = politely => return never,
            () = self.grace_over(grace) => (),
        }
        handle.kill();
        process.ended().await
    }

    /// Waits for the end of `grace`, or of a shorter one that is set meanwhile.
    async fn grace_over(&self, mut grace: Duration) {
        let began = Instant::now();
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                () = sleep_until(began + self.node.pace.scale(grace)) => return,
                changed = stop.changed() => {
                    let latest = changed.ok().and_then(|()| stop.borrow_and_update().clone());
                    grace = grace.min(latest.map_or(Duration::ZERO, |stop| stop.grace()));
                }
            }
        }
    }

    fn stop_signal(&self) -> Signal {
        let named =
            self.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.stop_signal.as_deref());
        named.and_then(signal_named).unwrap_or(Signal::TERM)
    }

    async fn pre_stop(&self, process: Handle, target: &Target) {
        let hook = self.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
        if let Some(hook) = hook
            && let Err(error) = self.perform(hook, process, target).await
        {
            tracing::warn!(container = %self.spec.name, %error, "FailedPreStopHook");
        }
    }

    async fn perform(
        &self,
        hook: &LifecycleHandler,
        process: Handle,
        target: &Target,
    ) -> Result<(), String> {
        if let Some(signal) =
            hook.exec.as_ref().and_then(|exec| first_process_signal(exec.command.as_deref()?))
        {
            process.signal(signal);
            return Ok(());
        }
        if let Some(sleep) = &hook.sleep {
            let wait = Duration::from_secs(u64::try_from(sleep.seconds).unwrap_or(0));
            tokio::time::sleep(self.node.pace.scale(wait)).await;
            return Ok(());
        }
        let as_probe = Probe {
            exec: hook.exec.clone(),
            http_get: hook.http_get.clone(),
            timeout_seconds: Some(3600),
            ..Probe::default()
        };
        probe::check(&as_probe, target).await
    }
}

/// The signal of `kill -SIGNAL 1` and `kill -s SIGNAL 1`, alone or as a shell's script.
fn first_process_signal(command: &[String]) -> Option<Signal> {
    let words: Vec<_> = command.iter().flat_map(|word| word.split_whitespace()).collect();
    let words = match words.as_slice() {
        ["sh" | "/bin/sh" | "bash" | "/bin/bash", "-c", rest @ ..] => rest,
        other => other,
    };
    match words {
        ["kill" | "/bin/kill", signal, "1"] => signal_named(signal.strip_prefix('-')?),
        ["kill" | "/bin/kill", "-s", signal, "1"] => signal_named(signal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(command: &[&str]) -> Option<Signal> {
        first_process_signal(&command.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_kill_of_the_first_process_is_recognised() {
        assert_eq!(signal(&["/bin/sh", "-c", "kill -INT 1"]), Some(Signal::INT));
        assert_eq!(signal(&["kill", "-s", "SIGTERM", "1"]), Some(Signal::TERM));
        assert_eq!(signal(&["/bin/sh", "-c", "kill -INT 12"]), None);
        assert_eq!(signal(&["/bin/sh", "-c", "sleep 5"]), None);
    }
}
