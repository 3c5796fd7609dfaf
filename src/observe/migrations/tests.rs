use super::*;
use crate::fixtures::{PodWords, pod};

const DEADLINE: Duration = Duration::from_mins(15);

fn unmigrated(failing: Option<u64>, hopeless: bool) -> Unmigrated {
    Unmigrated {
        obstacle: Obstacle::passing("MigrationsRunning", ""),
        lasts: Duration::from_secs(4),
        failing: failing.map(Duration::from_secs),
        hopeless,
    }
}

#[test]
fn a_stage_has_its_deadline_until_the_fault_is_certain() {
    let of = |failing, hopeless| patience(Some(&unmigrated(failing, hopeless)), DEADLINE);
    assert_eq!(patience(None, DEADLINE), DEADLINE);
    assert_eq!(of(None, false), DEADLINE);
    assert_eq!(of(Some(59), false), DEADLINE, "the backend is about to try again");
    assert_eq!(of(Some(60), false), CERTAIN, "another try has a minute of its own");
    assert_eq!(of(None, true), Duration::ZERO, "the data is ahead");
    assert_eq!(of(Some(0), true), Duration::ZERO, "the data is too old");
    let hasty = Duration::from_secs(8);
    assert_eq!(patience(Some(&unmigrated(Some(60), false)), hasty), hasty);
}

#[test]
fn the_log_is_read_later_and_later_and_once_more_when_a_failure_gets_certain() {
    let again = |lasts, failing| {
        let it = Unmigrated { lasts: Duration::from_secs(lasts), ..unmigrated(failing, false) };
        it.look_again().as_secs()
    };
    assert_eq!([0, 4, 600].map(|lasts| again(lasts, None)), [1, 4, 15]);
    assert_eq!([0, 57, 60].map(|failing| again(600, Some(failing))), [15, 3, 15]);
}

#[test]
fn what_is_told_says_how_far_it_is_and_what_to_do() {
    let pod = pod("dev-backend-0").of("v2").ready();
    let told = |migrations: &Migrations| {
        let it = words::of(&pod, migrations, &Hidden::default()).unwrap();
        (it.reason, it.message, it.abnormal)
    };
    let (reason, message, abnormal) = told(&Migrations::Running { step: Some(121), of: Some(128) });
    assert_eq!((reason, abnormal), ("MigrationsRunning", false));
    assert_eq!(message, "pod dev-backend-0 serves and migrates its data: step 121 of 128");
    let line = "Migration worker failed, sleeping 60s: password=hunter2".to_owned();
    let (reason, message, abnormal) = told(&Migrations::Failed { step: Some(121), line });
    assert_eq!((reason, abnormal), ("MigrationFailed", true));
    assert!(message.starts_with("migration 121 failed (\"Migration worker failed"), "{message}");
    assert!(message.contains("kubectl delete pod dev-backend-0"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    let line = "Transition too old!".to_owned();
    let (reason, message, _) = told(&Migrations::Failed { step: None, line });
    assert_eq!(reason, "MigrationFailed");
    assert!(message.contains("choose an older version first"), "{message}");
    let (reason, message, abnormal) = told(&Migrations::Ahead { line: "x".repeat(5000) });
    assert_eq!((reason, abnormal), ("MetadataAhead", true));
    assert!(message.contains("newer") && message.chars().count() < 600, "{message}");
    assert_eq!(words::of(&pod, &Migrations::Done { version: None }, &Hidden::default()), None);
}

#[test]
fn a_pod_is_ready_for_as_long_as_kubernetes_says() {
    let ready = pod("dev-backend-0").ready();
    let since = ready_for(&ready, Timestamp::now()).as_secs();
    assert!((60..65).contains(&since), "{since}");
    assert_eq!(ready_for(&pod("dev-backend-0"), Timestamp::now()), Duration::MAX);
}
