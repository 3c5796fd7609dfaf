use statemachine::{
    Direction, Proof,
    pins::{Destination, Revision, Strategy},
    worlds::upgrade,
};

use super::*;
use crate::{fixtures::seen, observe::Obstacle};

fn of() -> Snapshot {
    Snapshot { of: Revision("7".to_owned()), attempt: 1 }
}

/// The last worker of a copy: which one it is, and how it went.
fn worker(number: u32, outcome: Outcome) -> Seen {
    let told = Obstacle::new("CopyFailed", "the copy did not come to its end: NoRoom");
    let obstacle = (outcome == Outcome::Failed).then_some(told);
    Seen { number, obstacle, ..seen(Errand::Copy, of(), outcome) }
}

/// What comes after these workers, once this many seconds have passed since the last one failed.
fn next(jobs: &mut Jobs, seconds: u64) -> Option<Again> {
    let lasted = |fails: bool| fails.then_some(Duration::from_secs(seconds));
    jobs.begin_again(&[(Errand::Proof, of()), (Errand::Copy, of())], lasted)
}

#[test]
fn a_worker_that_failed_is_followed_by_another_one_until_the_fifth() {
    let numbers = (1..=6).map(|number| {
        let mut jobs = Jobs(vec![worker(number, Outcome::Failed)]);
        let next = next(&mut jobs, 0).map(|it| it.number);
        let facts = jobs.with_imports(None, None);
        let expected = if next.is_some() { Outcome::Running } else { Outcome::Failed };
        assert_eq!(facts[0].outcome, expected, "worker {number}");
        assert_eq!(jobs.0[0].outcome, Outcome::Failed, "nobody is to stop what has ended");
        next
    });
    let expected = [Some(2), Some(3), Some(4), Some(5), None, None];
    assert_eq!(numbers.collect::<Vec<_>>(), expected);
    let mut proof = Jobs(vec![Seen { number: 2, ..seen(Errand::Proof, of(), Outcome::Failed) }]);
    assert_eq!(next(&mut proof, 0), None, "an image starts or does not");
}

#[test]
fn the_pause_before_the_next_worker_doubles_differs_by_job_and_comes_to_its_end() {
    for number in 1..WORKERS {
        let longest = FIRST * (1 << (number - 1));
        let pauses: Vec<_> =
            (0..200).map(|at| pause(&format!("run{at}-copy-7-1"), number)).collect();
        assert!(pauses.iter().all(|it| (longest / 2..=longest).contains(it)), "{number}");
        let soon = pauses.iter().filter(|it| **it < longest * 3 / 4).count();
        assert!((60..140).contains(&soon), "{soon} of 200 wait for less than the mean");
    }
    let jobs = || Jobs(vec![worker(2, Outcome::Failed)]);
    let pauses = [0, 1, 9, 20, 99].map(|seconds| next(&mut jobs(), seconds).unwrap().pause);
    assert!(pauses.is_sorted_by(|one, other| one >= other) && pauses[2] > Duration::ZERO);
    assert_eq!(
        pauses[0].checked_sub(pauses[1]),
        Some(Duration::from_secs(1)),
        "the same in every pass"
    );
    assert_eq!(pauses[3..], [Duration::ZERO; 2]);
}

#[test]
fn nobody_follows_a_worker_that_runs_succeeded_left_no_report_or_talked_to_a_pod_that_is_gone() {
    let failed = || worker(1, Outcome::Failed);
    let none = [
        worker(1, Outcome::Running),
        worker(1, Outcome::Succeeded),
        Seen { complete: true, ..failed() },
        Seen { stale: true, ..failed() },
        Seen { of: Snapshot { attempt: 2, ..of() }, ..failed() },
        Seen { errand: Errand::Import, ..failed() },
    ];
    for seen in none {
        let mut jobs = Jobs(vec![seen.clone()]);
        assert_eq!(next(&mut jobs, 99), None, "{seen:?}");
        assert!(!jobs.0[0].awaited);
    }
    let mut two = Jobs(vec![failed(), worker(2, Outcome::Running)]);
    assert_eq!(next(&mut two, 99), None, "it is there already");
}

#[test]
fn what_comes_next_says_how_many_there_may_be() {
    let again = next(&mut Jobs(vec![worker(1, Outcome::Failed)]), 0).unwrap();
    assert_eq!(again.to_string(), "it is begun again, by worker 2 of 5");
}

#[test]
fn an_image_is_not_known_to_fail_before_its_last_proof_has() {
    let proof = |number| {
        let mut jobs = Jobs(vec![Seen { number, ..seen(Errand::Proof, of(), Outcome::Failed) }]);
        next(&mut jobs, 0);
        jobs.proof(Some(&of()), false)
    };
    assert_eq!([proof(1), proof(2)], [Proof::Unknown, Proof::Failed]);
}

/// In any other phase nobody starts a Job, and one that failed has failed.
#[test]
fn only_what_the_phase_has_done_is_begun_again() {
    let pins = |stage| {
        let strategy = Strategy::ExportImport(Destination::SameStoreCopied);
        let upgrade = Some(upgrade(strategy, stage, Direction::Forward));
        Pins { upgrade, farewell: Some(of()), ..Pins::default() }
    };
    let of_stage = |stage| {
        let tasks = tasks(Phase::Upgrading(stage), &pins(stage));
        tasks.into_iter().map(|(errand, _)| errand).collect::<Vec<_>>()
    };
    assert_eq!(of_stage(Stage::Exporting), [Errand::Proof, Errand::Export]);
    assert_eq!(of_stage(Stage::Rolling), []);
    assert_eq!(of_stage(Stage::Importing), [Errand::Import]);
    assert_eq!(tasks(Phase::Degraded, &pins(Stage::Exporting)), []);
    assert_eq!(tasks(Phase::Deleting, &pins(Stage::Exporting)), [(Errand::Export, of())]);
}
