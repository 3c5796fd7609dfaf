mod storage;

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateRunning, PodStatus};
use serde_json::{Value, json};
use statemachine::pins::Store;

use super::*;
use crate::{
    fixtures::{PodWords, all_is_well, instance_with, keys, pod},
    worker::preflight::{
        reason::{Reason, Why},
        subject::Purpose,
        verdict::{Failure, Note},
    },
};

fn on_servers(change: impl FnOnce(&mut Value)) -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["db"] =
            json!({"engine": "postgres", "secretRef": "pg-app", "urlKey": "uri"});
        spec["backend"]["s3"] = json!({"enabled": true, "secretRef": "keys", "accessKeyIdKey": "id",
                "secretAccessKeyKey": "key", "bucket": "orders", "region": "x"});
        change(&mut spec["backend"]);
    })
}

/// A pod whose gate ended with this message.
fn told(name: &str, message: &str) -> Pod {
    let mut pod = pod(name);
    let ended = ContainerStateTerminated {
        exit_code: 1,
        message: Some(message.to_owned()),
        ..ContainerStateTerminated::default()
    };
    let state = ContainerState { terminated: Some(ended), ..ContainerState::default() };
    let gate = ContainerStatus {
        name: "gate".to_owned(),
        image: "example.com/operator:v0".to_owned(),
        state: Some(state),
        restart_count: 1,
        ..ContainerStatus::default()
    };
    let status: &mut PodStatus = pod.status.as_mut().unwrap();
    status.init_container_statuses = Some(vec![gate]);
    pod
}

fn gate(pod: &mut Pod) -> &mut ContainerStatus {
    &mut pod.status.as_mut().unwrap().init_container_statuses.as_mut().unwrap()[0]
}

fn amiss(failure: Failure) -> String {
    let verdict = Verdict::of(vec![Finding::of(Subject::Database, Err(failure))]);
    serde_json::to_string(&verdict).unwrap()
}

fn seen(pods: Vec<Pod>) -> Preflight {
    let pods = pods.into_iter().map(Arc::new).collect();
    let children = Children { pods, ..Children::default() };
    of(&on_servers(|_| {}), Some(&keys()), &children)
}

fn reason(preflight: &Preflight) -> Option<&str> {
    preflight.obstacle().map(|it| it.reason)
}

#[test]
fn what_the_gate_has_told_explains_why_it_ended() {
    let failure = Failure::of(Reason::DatabaseLoginFailed).code("28P01");
    let preflight = seen(vec![told("dev-backend-0", &amiss(failure))]);
    let crash = Obstacle::new("BackendCrashing", "container gate exits with code 1");
    let why = preflight.explained(Some(crash)).unwrap();
    assert_eq!(why.reason, "DatabaseLoginFailed");
    for part in ["Secret \"pg-app\", key \"uri\"", "(28P01)", "every few seconds"] {
        assert!(why.message.contains(part), "{}", why.message);
    }
}

#[test]
fn what_is_amiss_besides_is_told_as_it_is() {
    let failure = Failure::of(Reason::DatabaseMissing);
    let preflight = seen(vec![told("dev-backend-0", &amiss(failure))]);
    let other = Obstacle::new("PodStuck", "");
    assert_eq!(preflight.explained(Some(other.clone())), Some(other));
    assert_eq!(preflight.explained(None), None);
}

#[test]
fn while_it_looks_again_what_it_told_before_counts() {
    let mut pod = told("dev-backend-0", &amiss(Failure::of(Reason::DatabaseMissing)));
    let it = gate(&mut pod);
    it.last_state = it.state.take();
    let running = Some(ContainerStateRunning::default());
    it.state = Some(ContainerState { running, ..ContainerState::default() });
    assert_eq!(reason(&seen(vec![pod])), Some("DatabaseMissing"));
}

#[test]
fn what_another_container_or_program_says_is_no_verdict() {
    let mut other = told("dev-backend-0", &amiss(Failure::of(Reason::DatabaseMissing)));
    gate(&mut other).name = "prepare".to_owned();
    assert_eq!(seen(vec![other]), Preflight::default());
    let whole = amiss(Failure::of(Reason::DatabaseMissing));
    for message in ["", "the gate is closed for version v1", &whole[..40]] {
        assert_eq!(seen(vec![told("dev-backend-0", message)]), Preflight::default(), "{message}");
    }
    assert_eq!(seen(vec![pod("dev-backend-0").crashing(1, &whole)]), Preflight::default());
}

#[test]
fn of_two_pods_the_newer_one_counts() {
    let made = |mut pod: Pod, second| {
        let at = k8s_openapi::jiff::Timestamp::from_second(second).unwrap();
        pod.metadata.creation_timestamp = Some(Time(at));
        pod
    };
    let old = made(told("a", &amiss(Failure::of(Reason::DatabaseMissing))), 1);
    let new = made(told("b", &amiss(Failure::of(Reason::DatabaseReadOnly))), 2);
    assert_eq!(reason(&seen(vec![new.clone(), old.clone()])), Some("DatabaseReadOnly"));
    assert_eq!(reason(&seen(vec![old, made(pod("c"), 3), new])), Some("DatabaseReadOnly"));
}

/// Every reason, with every detail: it is said in words, with what to do, and fits a status.
#[test]
fn everything_that_can_be_found_is_said_in_words() {
    let database = [
        Reason::DatabaseUnresolvable,
        Reason::DatabaseUnreachable,
        Reason::DatabaseCertificateInvalid,
        Reason::DatabaseEncryptionRefused,
        Reason::DatabaseLoginFailed,
        Reason::DatabaseMissing,
        Reason::DatabaseEmpty,
        Reason::DatabasePermissionDenied,
        Reason::DatabaseReadOnly,
        Reason::DatabaseUnsupported,
        Reason::DatabaseConnectionsExhausted,
        Reason::DatabaseCheckFailed,
        Reason::PreflightFailed,
    ];
    let storage = [
        Reason::ObjectStorageUnresolvable,
        Reason::ObjectStorageUnreachable,
        Reason::ObjectStorageCertificateInvalid,
        Reason::ObjectStorageLoginFailed,
        Reason::ObjectStorageRegionWrong,
        Reason::ObjectStorageUnsupported,
        Reason::ObjectStorageCheckFailed,
        Reason::BucketMissing,
        Reason::BucketAccessDenied,
        Reason::PreflightFailed,
    ];
    let whys = [None, Some(Why::Host), Some(Why::Create), Some(Why::Rules), Some(Why::Put)];
    let bucket = || Subject::Bucket(Purpose::ALL.to_vec());
    let of_database = database.map(|it| (Subject::Database, it));
    let of_storage = storage.map(|it| (bucket(), it));
    for (name, reason) in of_database.into_iter().chain(of_storage) {
        for why in whys {
            let failure = Failure { reason, why, code: None }.code("X1");
            let instance = on_servers(|_| {});
            let finding = Finding::of(name.clone(), Err(failure));
            let about = About::of(&instance, None, &Store::Original);
            let found = dependency(&finding, None, &about);
            let said = found.obstacle.unwrap();
            assert_eq!(said.reason, reason.word());
            assert!(said.message.len() > 60 && said.message.len() < 1000, "{}", said.message);
            assert!(said.message.is_ascii(), "{}", said.message);
        }
    }
}

#[test]
fn a_missing_database_comes_with_the_statement_to_run() {
    let said = |why: Option<Why>, engine: &str| {
        let instance = on_servers(|it| it["db"]["engine"] = json!(engine));
        let failure = Failure { reason: Reason::DatabaseMissing, why, code: None };
        let about = About::of(&instance, Some(&keys()), &Store::Original);
        about.failure(&Finding::of(Subject::Database, Err(failure)))
    };
    let told = said(None, "postgres");
    assert!(told.contains("CREATE DATABASE \"dev\"") && told.contains("IfMissing"), "{told}");
    let told = said(Some(Why::Create), "postgres");
    assert!(told.contains("administrator") && !told.contains("IfMissing"), "{told}");
    assert!(said(None, "mysql").contains("CREATE DATABASE `dev`"));
}

/// It was not forgotten to be made: it is gone, or the URL leads elsewhere.
#[test]
fn a_database_that_has_served_is_to_be_found_and_not_made() {
    let mut instance = on_servers(|_| {});
    let said = |instance: &ConvexInstance, failure: Failure| {
        let about = About::of(instance, Some(&keys()), &Store::Original);
        about.failure(&Finding::of(Subject::Database, Err(failure)))
    };
    let gone = || Failure::of(Reason::DatabaseMissing).why(Why::Served);
    for failure in [gone(), Failure::of(Reason::DatabaseEmpty)] {
        let told = said(&instance, failure);
        assert!(told.contains("as Secret \"dev-instance\" says"), "{told}");
        assert!(told.contains("delete this one and Secret \"dev-instance\""), "{told}");
        assert!(!told.contains("CREATE DATABASE"), "{told}");
    }
    let mut pins = all_is_well().pins;
    pins.served = true;
    instance.status.get_or_insert_default().lifecycle = Some(pins);
    let missing = Failure::of(Reason::DatabaseMissing);
    for failure in [gone(), missing, Failure::of(Reason::DatabaseEmpty)] {
        let told = said(&instance, failure);
        assert!(told.contains("restore it from a backup"), "{told}");
        assert!(told.contains("create an instance of another name"), "{told}");
        assert!(!told.contains("CREATE DATABASE") && !told.contains(" says"), "{told}");
    }
}

#[test]
fn what_is_well_is_told_with_how_long_it_took_and_what_to_know() {
    let note = Some(Note::Connections { allowed: 97, pool: 128 });
    let latency = std::time::Duration::from_millis(12);
    let passed = crate::worker::preflight::verdict::Passed { latency, note };
    let verdict = Verdict::of(vec![Finding::of(Subject::Database, Ok(passed))]);
    let text = serde_json::to_string(&verdict).unwrap();
    let preflight = seen(vec![told("dev-backend-0", &text)]);
    let one = &preflight.dependencies[0];
    assert_eq!((one.name.as_str(), one.latency_ms), ("database", Some(12)));
    assert!(one.note.contains("97") && one.note.contains("maxDatabaseConnections"));
    assert_eq!(preflight.obstacle(), None);
    assert!(words::note(Note::Uncreatable).contains("ALTER ROLE"));
}
