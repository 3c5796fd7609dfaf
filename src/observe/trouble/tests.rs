use super::{claim::pending, *};
use crate::fixtures::{ClaimWords, PodWords, claim, pod};

const NAME: &str = "dev-backend-0";

fn told(pod: &Pod) -> (&'static str, String) {
    let told = of_pod(pod).unwrap();
    (told.reason, told.message)
}

#[test]
fn a_pod_that_is_ready_is_no_trouble() {
    assert_eq!(of_pod(&pod(NAME).of("v1").ready()), None);
}

#[test]
fn a_crash_is_told_with_its_code_and_the_last_line_that_says_something() {
    let log = "starting\ncluster url already contains db name: orders\n\n";
    let (reason, message) = told(&pod(NAME).crashing(1, log));
    assert_eq!(reason, "BackendCrashing");
    assert_eq!(
        message,
        "container backend exits with code 1, 4 restarts: \"cluster url already contains db name: orders\""
    );
}

#[test]
fn a_crash_stays_the_cause_while_the_container_starts_again() {
    let crashing = pod(NAME).crashing(1, "no lease");
    let again = crashing.clone().starting_again();
    assert_eq!(of_pod(&again), of_pod(&crashing));
    assert_eq!(of_pod(&again.ready()), None);
}

#[test]
fn a_container_that_ends_well_again_and_again_is_told_too() {
    let (reason, message) = told(&pod(NAME).crashing(0, "lease lost"));
    assert_eq!(reason, "BackendCrashing");
    assert!(message.contains("code 0") && message.contains("lease lost"), "{message}");
}

#[test]
fn the_kubelets_own_verdict_is_part_of_the_message() {
    let (_, message) = told(&pod(NAME).crashing(137, "").because("OOMKilled"));
    assert_eq!(message, "container backend exits with code 137 (OOMKilled), 4 restarts");
}

#[test]
fn the_dashboard_crashes_under_its_own_name() {
    assert_eq!(told(&pod("dev-dashboard-1").crashing(1, "")).0, "DashboardCrashing");
    let (_, message) = told(&pod("dev-dashboard-1").pulling_fails("not found"));
    assert!(message.contains("spec.dashboard.image"), "{message}");
}

#[test]
fn an_image_that_cannot_be_pulled_is_named_with_what_to_check() {
    let (reason, message) = told(&pod(NAME).pulling_fails("manifest unknown"));
    assert_eq!(reason, "ImagePullFailed");
    for part in ["example.com/backend:v1", "manifest unknown", "spec.version", "spec.backend.image"]
    {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn every_reason_of_the_kubelet_has_one_of_ours() {
    for (theirs, ours, abnormal) in [
        ("ErrImagePull", "ImagePullFailed", true),
        ("InvalidImageName", "ImagePullFailed", true),
        ("ErrImageNeverPull", "ImagePullFailed", true),
        ("CreateContainerConfigError", "ContainerConfigError", true),
        ("CreateContainerError", "ContainerConfigError", true),
        ("RunContainerError", "ContainerConfigError", true),
        ("ContainerCreating", "PodCreating", false),
        ("PodInitializing", "PodCreating", false),
        ("SomethingNew", "BackendStarting", false),
    ] {
        let told = of_pod(&pod(NAME).waiting(theirs, "")).unwrap();
        assert_eq!((told.reason, told.abnormal), (ours, abnormal), "{theirs}");
    }
}

#[test]
fn the_scheduler_is_given_some_seconds_before_it_is_trouble() {
    let soon = of_pod(&pod(NAME).unschedulable("Insufficient cpu", 2)).unwrap();
    assert_eq!((soon.reason, soon.abnormal), ("Scheduling", false));
    let late = of_pod(&pod(NAME).unschedulable("Insufficient cpu", 30)).unwrap();
    assert_eq!((late.reason, late.abnormal), ("Unschedulable", true));
    assert!(late.message.contains("Insufficient cpu"));
}

#[test]
fn a_pod_that_ends_is_waited_for_and_then_called_stuck_with_the_way_out() {
    assert_eq!(told(&pod(NAME).ready().overdue_by(5)).0, "PodTerminating");
    let (reason, message) = told(&pod(NAME).ready().overdue_by(600));
    assert_eq!(reason, "PodStuck");
    assert!(message.contains("kubectl delete pod dev-backend-0 --force"));
}

#[test]
fn the_claim_is_blamed_only_where_the_scheduler_speaks_of_volumes() {
    let of = |message: &str| of_pod(&pod(NAME).unschedulable(message, 30)).unwrap();
    assert!(waits_for_a_volume(&of("pod has unbound immediate PersistentVolumeClaims")));
    assert!(waits_for_a_volume(&of("node(s) didn't find available persistent volumes to bind")));
    assert!(!waits_for_a_volume(&of("0/3 nodes are available: 3 Insufficient cpu")));
    assert!(!waits_for_a_volume(&of_pod(&pod(NAME).crashing(1, "volume")).unwrap()));
}

#[test]
fn a_pending_claim_names_the_class_that_is_not_there_and_those_that_are() {
    let classes = ["standard".to_owned(), "slow".to_owned()];
    let of = |class: &str| pending(&claim("dev-data").pending().of_class(class), Some(&classes));
    let told = of("fast");
    assert!(told.abnormal);
    assert_eq!(
        told.message,
        "claim \"dev-data\" is Pending: no StorageClass \"fast\". Existing classes: standard, slow."
    );
    assert!(!of("slow").abnormal);
    let none = pending(&claim("dev-data").pending().of_no_class(), Some(&[]));
    assert!(none.abnormal && none.message.contains("Existing classes: none."));
    assert!(!pending(&claim("dev-data").pending().of_class("fast"), None).abnormal);
}

#[test]
fn credentials_are_taken_out_of_log_lines() {
    let hex = "0123456789abcdef".repeat(4);
    for (line, expected) in [
        (
            "cannot reach postgres://app:p@ss/w0rd@db:5432/orders now".to_owned(),
            "cannot reach postgres://<redacted>@db:5432/orders now".to_owned(),
        ),
        ("url=mysql://u:p@h".to_owned(), "url=mysql://<redacted>@h".to_owned()),
        (format!("secret {hex}"), "secret <redacted>".to_owned()),
        (format!("INSTANCE_SECRET={hex},"), "INSTANCE_SECRET=<redacted>,".to_owned()),
        (
            "boot failed: AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7 password=hunter2 region=eu"
                .to_owned(),
            "boot failed: AWS_SECRET_ACCESS_KEY=<redacted> password=<redacted> region=eu"
                .to_owned(),
        ),
        (
            r#"{"level":"error","password":"hunter2","token": "abc"}"#.to_owned(),
            r#"{"level":"error","password":"<redacted>","token": "<redacted>"}"#.to_owned(),
        ),
        (
            "GET https://s3/x?list&token=hunter2&a=b, password: hunter2 is wrong".to_owned(),
            "GET https://s3/x?list&token=<redacted>&a=b, password: <redacted> is wrong".to_owned(),
        ),
        (
            "env:AWS_SECRET_ACCESS_KEY=wJalr".to_owned(),
            "env:AWS_SECRET_ACCESS_KEY=<redacted>".to_owned(),
        ),
        (format!("key dev|01{hex}"), "key dev|<redacted>".to_owned()),
    ] {
        assert_eq!(redacted(&line), expected);
    }
}

#[test]
fn what_is_no_credential_stays_as_it_is() {
    let digest = "0123456789abcdef".repeat(4);
    for line in [
        "connect to https://db.example.com/x failed".to_owned(),
        "mail me@example.com, commit 6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912".to_owned(),
        format!("image example.com/x@sha256:{digest}"),
        "größe: ünïcödé".to_owned(),
        "invalid primary-key:id of table messages, no such key: INSTANCE_SECRET".to_owned(),
        "cannot decode the secret: unexpected end of file".to_owned(),
    ] {
        assert_eq!(redacted(&line), line);
    }
}

#[test]
fn a_container_that_had_started_is_not_said_to_start() {
    let reason = |started: bool| {
        let mut pod = pod(NAME).of("v1");
        let containers = pod.status.as_mut().unwrap().container_statuses.as_mut().unwrap();
        containers[0].started = Some(started);
        told(&pod).0
    };
    assert_eq!([false, true].map(reason), ["BackendStarting", "BackendSilent"]);
}
