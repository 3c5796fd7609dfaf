//! What is known about every container of a pod. The containers write it, the pod's status is built from it.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{
        ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
        ContainerStatus,
    },
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};
use tokio::sync::watch;

/// What is known about one container.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it does now.
    pub state: ContainerState,
    /// How its run before this one ended.
    pub last: Option<ContainerStateTerminated>,
    /// How often it was restarted.
    pub restarts: i32,
    /// Whether it has passed its startup probe.
    pub started: bool,
    /// Whether its readiness probe says so.
    pub ready: bool,
    /// `repository@sha256:…`, once the image is there.
    pub image_id: String,
    /// Made up for each run.
    pub container_id: Option<String>,
}

impl Entry {
    /// A container that waits for `reason`.
    #[must_use]
    pub fn waiting(reason: &str) -> Self {
        Self {
            state: waiting(reason, None),
            last: None,
            restarts: 0,
            started: false,
            ready: false,
            image_id: String::new(),
            container_id: None,
        }
    }

    /// How the container ended, where it has and is not going to start again.
    #[must_use]
    pub fn ended(&self) -> Option<&ContainerStateTerminated> {
        self.state.terminated.as_ref()
    }
}

/// A waiting state.
#[must_use]
pub fn waiting(reason: &str, message: Option<String>) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

/// A running state.
#[must_use]
pub fn running(since: Timestamp) -> ContainerState {
    let running = ContainerStateRunning { started_at: Some(Time(since)) };
    ContainerState { running: Some(running), ..ContainerState::default() }
}

/// An ended state.
#[must_use]
pub fn ended(how: ContainerStateTerminated) -> ContainerState {
    ContainerState { terminated: Some(how), ..ContainerState::default() }
}

/// The entries of a pod, by the name of the container.
pub type Entries = BTreeMap<String, Entry>;

/// The ledger of one pod; clones write to the same.
#[derive(Clone)]
pub struct Ledger(watch::Sender<Entries>);

impl Ledger {
    /// A ledger that begins with `entries`.
    #[must_use]
    pub fn new(entries: Entries) -> Self {
        Self(watch::Sender::new(entries))
    }

    /// Follows every change.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Entries> {
        self.0.subscribe()
    }

    /// Changes the entry of `container`; a change that changes nothing wakes nobody.
    pub fn change(&self, container: &str, change: impl FnOnce(&mut Entry)) {
        self.0.send_if_modified(|entries| {
            let Some(entry) = entries.get_mut(container) else { return false };
            let before = entry.clone();
            change(entry);
            *entry != before
        });
    }

    /// Lets `container` wait, saying why. An end that still stood as its state becomes its last one.
    pub fn wait(&self, container: &str, reason: &str, message: Option<String>) {
        self.change(container, |entry| {
            if let Some(ended) = entry.state.terminated.take() {
                entry.last = Some(ended);
            }
            entry.state = waiting(reason, message);
        });
    }

    /// What is known about `container` now.
    #[must_use]
    pub fn entry(&self, container: &str) -> Option<Entry> {
        self.0.borrow().get(container).cloned()
    }
}

/// The status that says what `entry` knows.
#[must_use]
pub fn status(name: &str, image: &str, entry: &Entry) -> ContainerStatus {
    ContainerStatus {
        name: name.to_owned(),
        image: image.to_owned(),
        image_id: entry.image_id.clone(),
        container_id: entry.container_id.clone(),
        ready: entry.ready,
        started: Some(entry.started),
        restart_count: entry.restarts,
        state: Some(entry.state.clone()),
        last_state: Some(entry.last.clone().map_or_else(ContainerState::default, ended)),
        ..ContainerStatus::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        Ledger::new([("backend".to_owned(), Entry::waiting("ContainerCreating"))].into())
    }

    #[test]
    fn an_end_is_remembered_while_the_container_waits_to_start_again() {
        let ledger = ledger();
        let how = ContainerStateTerminated { exit_code: 1, ..ContainerStateTerminated::default() };
        ledger.change("backend", |entry| entry.state = ended(how.clone()));
        ledger.wait("backend", "CrashLoopBackOff", Some("back-off".to_owned()));
        let entry = ledger.entry("backend").unwrap();
        assert_eq!(entry.last, Some(how));
        let status = status("backend", "app:v1", &entry);
        assert_eq!(
            status.state.unwrap().waiting.unwrap().reason.as_deref(),
            Some("CrashLoopBackOff")
        );
        assert_eq!(status.last_state.unwrap().terminated.unwrap().exit_code, 1);
    }

    #[test]
    fn a_change_that_changes_nothing_wakes_nobody() {
        let ledger = ledger();
        let mut follower = ledger.follow();
        follower.mark_unchanged();
        ledger.wait("backend", "ContainerCreating", None);
        assert!(!follower.has_changed().unwrap());
        ledger.wait("backend", "ErrImagePull", None);
        assert!(follower.has_changed().unwrap());
    }
}
