//! A store that is new holds no functions: people deploy them, and are waited for.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use Phase::{Degraded, Upgrading};
use Stage::{Importing, Rolling};
use fixtures::{FRESH, forward, gone, import, late, refuses, stays};
use statemachine::{Observed, Phase, Stage, Waiting, observed::Outcome, step, taken::Reason};

/// Who deploys the code may take days, in which a node is drained and a pod replaced.
#[test]
fn people_are_never_late_whatever_becomes_of_the_backend_meanwhile() {
    let awaiting = |deployed: bool, outcome| {
        forward(FRESH, Importing, |seen| {
            import(outcome)(seen);
            late(seen);
            gone(seen);
            seen.deployed = deployed;
            seen.wish.rollback = true;
        })
    };
    refuses(
        Upgrading(Importing),
        &awaiting(false, Outcome::Succeeded),
        &Waiting::ForBackend(awaiting(false, Outcome::Succeeded).pins.upgrade.expect("one").to),
    );
    let mut away = awaiting(false, Outcome::Succeeded);
    away.lost = true;
    let helped = step(Upgrading(Importing), &away).taken.map(|it| it.to);
    assert_eq!(helped, Some(Degraded), "it needs help, and policy turns nothing round");
    for late in [awaiting(true, Outcome::Succeeded), awaiting(false, Outcome::Running)] {
        let taken = step(Upgrading(Importing), &late).taken.expect("a fault");
        assert_eq!(taken.to, Upgrading(Rolling), "policy goes back: {late:#?}");
    }
}

#[test]
fn a_backend_that_is_back_is_waited_on_by_people_again() {
    let awaiting = |edit: fn(&mut Observed)| {
        forward(FRESH, Importing, |seen| {
            import(Outcome::Succeeded)(seen);
            seen.deployed = false;
            edit(seen);
        })
    };
    stays(Degraded, &awaiting(gone));
    let back = step(Degraded, &awaiting(|_| {}));
    assert_eq!(back.taken.map(|it| it.reason), Some(Reason::UpgradeResumed));
    assert_eq!(back.phase, Upgrading(Importing));
    refuses(Upgrading(Importing), &awaiting(late), &Waiting::ForFunctions);
}
