//! What is not tried again by itself, and what asks for another try.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use Phase::{Degraded, Ready, Upgrading};
use Stage::{Exporting, Rolling};
use fixtures::{COLD, PLAIN, SAME, forward, gone, late, refuses, stays, wanting};
use statemachine::{
    Action, Direction, Observed, Phase, Revision, Snapshot, Stage, Step, Store, Waiting,
    observed::{Job, Kind, Outcome},
    pins::Refused,
    step,
    worlds::release,
};

#[test]
fn a_rollback_by_policy_is_remembered_as_a_refusal() {
    let failed = forward(SAME, Rolling, |seen| {
        late(seen);
        gone(seen);
        seen.wish.rollback = true;
    });
    let pins = step(Upgrading(Rolling), &failed).pins.expect("pins");
    assert_eq!(pins.refused.map(|it| it.release), Some(release(2)));
    let upgrade = pins.upgrade.expect("an upgrade");
    assert_eq!((upgrade.direction, upgrade.attempt), (Direction::Rollback, 2));
    assert_eq!(upgrade.aim().store, Store::Made(upgrade.id.clone()), "the migrated store is kept");
    assert_eq!(upgrade.snapshot, Some(Snapshot { of: upgrade.id, attempt: 1 }));
}

/// Else a token that was set while it was tried, and did nothing then, would have it tried again at once.
#[test]
fn a_refusal_uses_up_the_token_that_there_is_by_then() {
    let failed = |token: &str| {
        let seen = forward(SAME, Rolling, |seen| {
            late(seen);
            gone(seen);
            seen.wish.rollback = true;
            seen.pins.upgrade.as_mut().expect("an upgrade").retry = "one".to_owned();
            seen.wish.retry = token.to_owned();
        });
        let pins = step(Upgrading(Rolling), &seen).pins.expect("pins");
        pins.refused.expect("a refusal").retry
    };
    assert_eq!(failed("two"), "two");
    assert_eq!(failed(""), "one", "a token that is taken away asks for nothing later either");
}

/// Else a release that was turned away from would be tried again for ever, or never again.
#[test]
fn a_refused_release_is_tried_again_with_a_new_token_only() {
    let refused = |token: &str| {
        wanting(PLAIN, |seen| {
            let retry = "one".to_owned();
            seen.pins.refused = Some(Refused { release: release(2), retry });
            seen.wish.retry = token.to_owned();
        })
    };
    refuses(Ready, &refused("one"), &Waiting::Refused(release(2)));
    refuses(Ready, &refused(""), &Waiting::Refused(release(2)));
    assert!(step(Ready, &refused("two")).taken.is_some(), "it was asked for anew");
}

/// A refusal is of the version that was turned away from, and is over with the next one that is tried; the
/// token of the try that begins is used up with it.
#[test]
fn an_upgrade_that_begins_forgets_an_older_refusal_and_uses_the_token_up() {
    let seen = wanting(PLAIN, |seen| {
        seen.pins.refused = Some(Refused { release: release(3), retry: String::new() });
        seen.wish.retry = "again".to_owned();
    });
    let pins = step(Ready, &seen).pins.expect("an edge pins");
    assert_eq!(pins.refused, None);
    assert_eq!(pins.upgrade.expect("an upgrade").retry, "again");
}

/// Nobody is turned away because somebody tidied up.
#[test]
fn a_token_that_is_taken_away_asks_for_nothing_and_stays_used_up() {
    let failed = |stage, token: &str| {
        forward(COLD, stage, |seen| {
            if stage == Rolling {
                gone(seen);
            }
            late(seen);
            seen.wish.retry = token.to_owned();
            let upgrade = seen.pins.upgrade.as_mut().expect("an upgrade");
            upgrade.retry = "one".to_owned();
        })
    };
    for stage in [Exporting, Rolling] {
        stays(Degraded, &failed(stage, "one"));
        stays(Degraded, &failed(stage, ""));
        let pins = step(Degraded, &failed(stage, "two")).pins.expect("another try");
        assert_eq!(pins.upgrade.map(|it| (it.attempt, it.retry)), Some((2, "two".to_owned())));
    }
    // Another version is gone to without a token, and the old one counts as used.
    let mut elsewhere = failed(Rolling, "");
    elsewhere.wish.release = release(3);
    let pins = step(Degraded, &elsewhere).pins.expect("another version");
    assert_eq!(pins.upgrade.map(|it| (it.attempt, it.retry)), Some((2, "one".to_owned())));
    // Nor is a version that policy turns away from.
    let mut failing = failed(Rolling, "");
    failing.wish.rollback = true;
    let pins = step(Upgrading(Rolling), &failing).pins.expect("a rollback");
    assert_eq!(pins.refused.map(|it| it.retry), Some("one".to_owned()));
}

/// On a node that is lost a worker never comes to its end: people are told so, and users are not turned away for it.
#[test]
fn another_try_holds_nobody_while_a_worker_of_the_last_one_runs() {
    let again = |edit: &dyn Fn(&mut Observed)| {
        forward(SAME, Exporting, |seen| {
            seen.pins.upgrade.as_mut().expect("an upgrade").attempt = 2;
            let of = Snapshot { of: Revision("7".into()), attempt: 1 };
            seen.jobs = vec![Job { kind: Kind::Export, of, outcome: Outcome::Running }];
            edit(seen);
        })
    };
    let holds = |step: &Step| step.obligations.contains(&Action::EnsureTrafficHeld);
    refuses(Upgrading(Exporting), &again(&|_| {}), &Waiting::ForJobsStopped);
    assert!(!holds(&step(Upgrading(Exporting), &again(&|_| {}))));
    assert!(holds(&step(Upgrading(Exporting), &again(&|seen| seen.jobs.clear()))));
    let own = again(&|seen| seen.jobs[0].of.attempt = 2);
    assert!(holds(&step(Upgrading(Exporting), &own)), "it is the one that is waited for");
}

/// Under the fence of another try nobody would start what was stopped for the copy.
#[test]
fn another_copy_is_begun_once_the_old_version_serves_again_and_no_worker_of_the_last_one_runs() {
    let asked = |edit: &dyn Fn(&mut Observed)| {
        forward(COLD, Exporting, |seen| {
            seen.wish.retry = "again".to_owned();
            edit(seen);
        })
    };
    let of = Snapshot { of: Revision("7".into()), attempt: 1 };
    let worker = Job { kind: Kind::Copy, of, outcome: Outcome::Running };
    stays(Degraded, &asked(&gone));
    stays(Degraded, &asked(&|seen| seen.asked = None));
    stays(Degraded, &asked(&|seen| seen.jobs = vec![worker.clone()]));
    let begun = step(Degraded, &asked(&|_| {}));
    assert_eq!(begun.phase, Upgrading(Exporting));
    assert_eq!(begun.pins.and_then(|it| it.upgrade).map(|it| it.attempt), Some(2));
}
