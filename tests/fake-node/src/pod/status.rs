//! A pod's status, built from its containers' ledger as a kubelet builds it.

use k8s_openapi::{
    api::core::v1::{Container, ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus},
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};

use super::conditions::{Fact, holds, merge};
use crate::{
    container::ledger::{self, Entries, Entry},
    env::PodFacts,
};

/// What else decides about the status.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// Addresses.
    pub facts: PodFacts,
    /// When the node took the pod.
    pub since: Timestamp,
    /// A test wants it never to be ready.
    pub never_ready: bool,
    /// Why it was thrown out, if it was.
    pub evicted: Option<String>,
}

/// Builds the status of `pod`. `before` are the conditions that stand now.
#[must_use]
pub fn build(
    pod: &Pod,
    entries: &Entries,
    around: &Circumstances,
    before: &[PodCondition],
    now: Timestamp,
) -> PodStatus {
    let init = statuses(init_containers(pod), entries, around);
    let main = statuses(containers(pod), entries, around);
    let phase = if around.evicted.is_some() { "Failed" } else { phase(pod, &init, &main) };
    let facts = conditions(phase, &init, &main);
    let since = pod.status.as_ref().and_then(|status| status.start_time.clone());
    PodStatus {
        phase: Some(phase.to_owned()),
        reason: around.evicted.as_ref().map(|_| "Evicted".to_owned()),
        message: around.evicted.clone(),
        conditions: Some(merge(before, facts, now)),
        host_ip: Some(around.facts.host_ip.clone()),
        host_ips: Some(vec![HostIP { ip: around.facts.host_ip.clone() }]),
        pod_ip: Some(around.facts.pod_ip.clone()),
        pod_ips: Some(vec![PodIP { ip: around.facts.pod_ip.clone() }]),
        start_time: since.or(Some(Time(around.since))),
        init_container_statuses: (!init.is_empty()).then_some(init),
        container_statuses: Some(main),
        observed_generation: pod.metadata.generation,
        ..PodStatus::default()
    }
}

/// The init containers of `pod`, in order.
#[must_use]
pub fn init_containers(pod: &Pod) -> &[Container] {
    pod.spec.as_ref().and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default()
}

/// The containers of `pod`.
#[must_use]
pub fn containers(pod: &Pod) -> &[Container] {
    pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default()
}

fn statuses(
    containers: &[Container],
    entries: &Entries,
    around: &Circumstances,
) -> Vec<ContainerStatus> {
    let status = |container: &Container| {
        let image = container.image.clone().unwrap_or_default();
        let unknown = Entry::waiting("ContainerCreating");
        let entry = entries.get(&container.name).unwrap_or(&unknown);
        let mut status = ledger::status(&container.name, &image, entry);
        status.ready &= !around.never_ready || is_ended(&status);
        status
    };
    containers.iter().map(status).collect()
}

fn is_ended(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.terminated.is_some())
}

fn exit_code(status: &ContainerStatus) -> Option<i32> {
    let of = |state: Option<&k8s_openapi::api::core::v1::ContainerState>| {
        Some(state?.terminated.as_ref()?.exit_code)
    };
    // A container that waits for its restart has stopped as well.
    of(status.state.as_ref()).or_else(|| {
        let waits = status.state.as_ref().is_some_and(|state| state.waiting.is_some());
        of(status.last_state.as_ref()).filter(|_| waits)
    })
}

fn is_done(init: &ContainerStatus) -> bool {
    let state = init.state.as_ref().and_then(|state| state.terminated.as_ref());
    state.is_some_and(|ended| ended.exit_code == 0)
}

fn phase(pod: &Pod, init: &[ContainerStatus], main: &[ContainerStatus]) -> &'static str {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
    if let Some(open) = init.iter().find(|status| !is_done(status)) {
        let failed = policy == Some("Never") && is_ended(open);
        return if failed { "Failed" } else { "Pending" };
    }
    let codes: Vec<_> = main.iter().map(exit_code).collect();
    let running = main
        .iter()
        .any(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()));
    let waiting =
        main.iter().zip(&codes).any(|(status, code)| !is_running(status) && code.is_none());
    match (waiting, running, policy) {
        (true, ..) => "Pending",
        (false, false, Some("Never")) if codes.iter().all(|code| *code == Some(0)) => "Succeeded",
        (false, false, Some("Never")) => "Failed",
        (false, false, Some("OnFailure")) if codes.iter().all(|code| *code == Some(0)) => {
            "Succeeded"
        }
        _ => "Running",
    }
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

fn conditions(phase: &str, init: &[ContainerStatus], main: &[ContainerStatus]) -> Vec<Fact> {
    let ready = || match phase {
        "Succeeded" => Err(("PodCompleted", String::new())),
        "Failed" => Err(("PodFailed", String::new())),
        _ => none_of(main, |status| status.ready, "ContainersNotReady", "unready"),
    };
    let initialized = match phase {
        "Succeeded" => Fact { reason: Some("PodCompleted"), ..holds("Initialized") },
        _ => Fact {
            of: "Initialized",
            holds: none_of(init, is_done, "ContainersNotInitialized", "incomplete"),
            reason: None,
        },
    };
    vec![
        holds("PodReadyToStartContainers"),
        initialized,
        Fact { of: "Ready", holds: ready(), reason: None },
        Fact { of: "ContainersReady", holds: ready(), reason: None },
        holds("PodScheduled"),
    ]
}

fn none_of(
    statuses: &[ContainerStatus],
    good: impl Fn(&ContainerStatus) -> bool,
    reason: &'static str,
    what: &str,
) -> Result<(), (&'static str, String)> {
    let bad: Vec<_> =
        statuses.iter().filter(|status| !good(status)).map(|status| status.name.as_str()).collect();
    if bad.is_empty() {
        return Ok(());
    }
    Err((reason, format!("containers with {what} status: [{}]", bad.join(" "))))
}

#[cfg(test)]
mod tests;
