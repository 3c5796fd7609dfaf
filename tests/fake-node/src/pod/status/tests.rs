//! Statuses as kubelets write them.

use k8s_openapi::api::core::v1::ContainerStateTerminated;
use serde_json::json;

use super::*;

fn pod(policy: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "acme-backend-0", "namespace": "shop", "generation": 3},
        "spec": {
            "restartPolicy": policy,
            "initContainers": [{"name": "prepare", "image": "app:v1"}],
            "containers": [{"name": "backend", "image": "app:v1"}]
        }
    }))
    .unwrap()
}

fn ended(code: i32) -> Entry {
    let how = ContainerStateTerminated { exit_code: code, ..ContainerStateTerminated::default() };
    Entry { state: ledger::ended(how), ..Entry::waiting("") }
}

fn running(ready: bool) -> Entry {
    Entry { state: ledger::running(at()), started: true, ready, ..Entry::waiting("") }
}

fn at() -> Timestamp {
    Timestamp::from_second(100).unwrap()
}

fn status(policy: &str, prepare: Entry, backend: Entry) -> PodStatus {
    let entries = [("prepare".to_owned(), prepare), ("backend".to_owned(), backend)].into();
    build(&pod(policy), &entries, &around(), &[], at())
}

fn around() -> Circumstances {
    Circumstances {
        facts: PodFacts { pod_ip: "127.0.0.9".into(), host_ip: "127.0.0.1".into() },
        since: at(),
        never_ready: false,
        evicted: None,
    }
}

fn condition<'s>(status: &'s PodStatus, of: &str) -> &'s PodCondition {
    status.conditions.as_ref().unwrap().iter().find(|condition| condition.type_ == of).unwrap()
}

#[test]
fn the_phase_follows_from_the_containers() {
    let new = || Entry::waiting("ContainerCreating");
    let crashed =
        || Entry { last: ended(1).state.terminated, ..Entry::waiting("CrashLoopBackOff") };
    for (policy, prepare, backend, phase) in [
        ("Always", new(), new(), "Pending"),
        ("Always", ended(0), new(), "Pending"),
        ("Always", ended(0), running(false), "Running"),
        ("Always", ended(0), crashed(), "Running"),
        ("Always", ended(0), ended(0), "Running"),
        ("Never", ended(0), ended(0), "Succeeded"),
        ("Never", ended(0), ended(1), "Failed"),
        ("Never", ended(1), new(), "Failed"),
        ("OnFailure", ended(0), ended(0), "Succeeded"),
        ("OnFailure", ended(0), ended(1), "Running"),
    ] {
        let shown = format!("{policy} {prepare:?} {backend:?}");
        assert_eq!(status(policy, prepare, backend).phase.as_deref(), Some(phase), "{shown}");
    }
}

#[test]
fn unready_and_unfinished_containers_are_named() {
    let waiting = status("Always", Entry::waiting("PodInitializing"), running(false));
    let initialized = condition(&waiting, "Initialized");
    assert_eq!(initialized.status, "False");
    assert_eq!(
        initialized.message.as_deref(),
        Some("containers with incomplete status: [prepare]")
    );
    let ready = condition(&waiting, "Ready");
    assert_eq!(ready.reason.as_deref(), Some("ContainersNotReady"));
    assert_eq!(ready.message.as_deref(), Some("containers with unready status: [backend]"));
}

#[test]
fn a_ready_pod_says_so_and_where_it_is() {
    let status = status("Always", ended(0), running(true));
    for of in ["PodScheduled", "Initialized", "ContainersReady", "Ready"] {
        assert_eq!(condition(&status, of).status, "True", "{of}");
    }
    assert_eq!(status.pod_ip.as_deref(), Some("127.0.0.9"));
    assert_eq!(status.observed_generation, Some(3));
    assert_eq!(status.start_time, Some(Time(at())));
}

#[test]
fn a_pod_that_must_never_be_ready_is_not() {
    let entries = [("prepare".to_owned(), ended(0)), ("backend".to_owned(), running(true))].into();
    let never = Circumstances { never_ready: true, ..around() };
    let status = build(&pod("Always"), &entries, &never, &[], at());
    assert_eq!(condition(&status, "Ready").status, "False");
}

#[test]
fn an_evicted_pod_has_failed_and_says_why() {
    let entries = [("prepare".to_owned(), ended(0)), ("backend".to_owned(), ended(137))].into();
    let out = Circumstances { evicted: Some("no room".to_owned()), ..around() };
    let status = build(&pod("Always"), &entries, &out, &[], at());
    assert_eq!(
        (status.phase.as_deref(), status.reason.as_deref(), status.message.as_deref()),
        (Some("Failed"), Some("Evicted"), Some("no room"))
    );
}

#[test]
fn a_completed_pod_is_not_ready_because_it_is_complete() {
    let status = status("Never", ended(0), ended(0));
    assert_eq!(condition(&status, "Ready").reason.as_deref(), Some("PodCompleted"));
}
