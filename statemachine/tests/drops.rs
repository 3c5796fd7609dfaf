//! An upgrade that is dropped before anything was moved.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use Phase::{Degraded, Provisioning, Ready, Upgrading};
use Stage::{Exporting, Rolling};
use fixtures::{COLD, PLAIN, SAME, forward, gone};
use statemachine::{Leave, Observed, Phase, Stage, observed::Health, step, worlds::release};

/// The fence of the stage that would stop it is on nothing yet, so that nothing seems to be asked for.
#[test]
fn who_drops_an_upgrade_before_anything_was_stopped_is_ready_and_nobody_feels_it() {
    let dropped = |stopped: bool| {
        forward(COLD, Exporting, |seen| {
            seen.asked = None;
            seen.wish.release = release(1);
            if stopped {
                gone(seen);
            }
        })
    };
    let entered = |seen: &Observed| step(Upgrading(Exporting), seen).taken.map(|it| it.to);
    assert_eq!(entered(&dropped(false)), Some(Ready));
    assert_eq!(entered(&dropped(true)), Some(Provisioning), "it comes up again first");
}

/// Else whoever does without a way back, because there is nothing that serves, would wait for a deadline first.
#[test]
fn an_upgrade_from_what_is_broken_begins_anew_without_a_way_back_at_once() {
    let broken = |strategy| {
        forward(COLD, Exporting, |seen| {
            seen.asked = None;
            seen.pods[0].health = Health::Starting;
            seen.wish.strategy = strategy;
        })
    };
    for phase in [Upgrading(Exporting), Degraded] {
        let dropped = step(phase, &broken(PLAIN));
        assert_eq!(dropped.phase, Ready, "{phase:?}");
        let pins = dropped.pins.expect("nothing is pinned any more");
        let next = step(Ready, &Observed { pins, ..broken(PLAIN) });
        assert_eq!(next.phase, Upgrading(Rolling));
        let begun = next.pins.and_then(|it| it.upgrade).expect("an upgrade");
        assert_eq!((begun.strategy, begun.attempt), (PLAIN, 1));
    }
    let mut waits = broken(PLAIN);
    waits.leave = Leave::ForWindow;
    let shut = step(Upgrading(Exporting), &waits).phase;
    assert_eq!(shut, Provisioning, "what may not begin yet has to serve meanwhile");
    let held = step(Upgrading(Exporting), &broken(SAME)).taken.map(|it| it.to);
    assert_eq!(held, Some(Provisioning), "an export is made of what serves");
}
