//! A cold copy: of what nobody can write to, nobody has open, and nobody has written to since.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use Phase::{Degraded, Upgrading};
use Stage::{Exporting, Rolling};
use fixtures::{COLD, SAME_COPIED, copied, forward, gone, stays, verify};
use statemachine::{
    Action, Backend, Direction, Observed, Phase, Stage, Step, Store, Waiting,
    observed::Traffic,
    step,
    worlds::{born, exported, upgrade},
};

fn copies(step: &Step) -> bool {
    matches!(step.obligations.last(), Some(Action::EnsureCopied { .. }))
}

#[test]
fn a_cold_copy_is_held_then_stopped_then_copied_and_left_for_without_an_import() {
    let at = Upgrading(Exporting);
    let stops = |step: &Step| step.obligations.contains(&Action::EnsureBackendStopped(born()));
    let draining = forward(COLD, Exporting, |seen| seen.traffic = Traffic::Draining);
    assert!(!stops(&stays(at, &draining)));
    let held = stays(at, &forward(COLD, Exporting, |_| {}));
    assert!(stops(&held) && !copies(&held));
    let terminating = stays(
        at,
        &forward(COLD, Exporting, |seen| {
            seen.stopped = true;
            seen.asked = None;
            copied(seen);
        }),
    );
    assert_eq!(terminating.waiting, Some(Waiting::ForBackendStopped));
    assert!(!copies(&terminating));
    assert!(copies(&stays(at, &forward(COLD, Exporting, gone))));

    let back = upgrade(COLD, Rolling, Direction::Rollback);
    let copy = back.copy.clone().expect("a copy");
    let aim = Backend { store: Store::Copied(copy), ..born() };
    assert_eq!((back.aim(), back.imports()), (aim, false));
}

#[test]
fn a_copy_besides_the_payload_is_made_after_the_payload_is_pinned() {
    let exporting = stays(Upgrading(Exporting), &forward(SAME_COPIED, Exporting, |_| {}));
    assert!(matches!(exporting.obligations.last(), Some(Action::EnsureExported(_))));
    let pinned = forward(SAME_COPIED, Exporting, |seen| {
        seen.pins.upgrade = Some(exported(SAME_COPIED));
        verify(seen);
        gone(seen);
    });
    let copying = stays(Upgrading(Exporting), &pinned);
    assert!(copies(&copying));
    assert!(matches!(copying.waiting, Some(Waiting::ForCopy(_))));
    let retried = forward(SAME_COPIED, Exporting, |seen| {
        seen.pins.upgrade = Some(exported(SAME_COPIED));
        seen.wish.retry = "again".into();
    });
    let again = step(Degraded, &retried).pins.and_then(|it| it.upgrade).expect("an upgrade");
    assert_eq!((again.snapshot, again.attempt), (None, 2), "users were let in since");
}

/// What was seen of traffic was seen under the fence that the edge has raised: until it is seen anew, whoever is late may have
/// let users in.
#[test]
fn nothing_is_stopped_for_a_copy_in_the_look_that_pins_the_payload() {
    let exported_now = step(Upgrading(Exporting), &forward(SAME_COPIED, Exporting, verify));
    let pinned = exported_now.pins.and_then(|it| it.upgrade).expect("an upgrade");
    assert!(pinned.snapshot.is_some(), "the payload is pinned by this look");
    let stops = |it: &Action| matches!(it, Action::EnsureBackendStopped(_));
    assert!(!exported_now.obligations.iter().any(stops));
    let again = forward(SAME_COPIED, Exporting, |seen| {
        verify(seen);
        seen.pins.upgrade = Some(exported(SAME_COPIED));
    });
    assert!(stays(Upgrading(Exporting), &again).obligations.iter().any(stops));
}

/// Else there would be no way but forwards, with nothing to load.
#[test]
fn a_payload_that_is_gone_is_found_out_before_the_target_is_let_at_the_data() {
    let payload = |there: bool| {
        forward(SAME_COPIED, Exporting, |seen| {
            let of = seen.pins.upgrade.as_ref().expect("an upgrade").next_snapshot();
            seen.pins.upgrade = Some(exported(SAME_COPIED));
            gone(seen);
            copied(seen);
            seen.stopped = true;
            seen.traffic = Traffic::Held;
            seen.verified = if there { vec![of] } else { Vec::new() };
        })
    };
    let entered = |seen: &Observed| step(Upgrading(Exporting), seen).phase;
    assert_eq!(entered(&payload(true)), Upgrading(Rolling));
    assert_eq!(entered(&payload(false)), Degraded, "only another attempt exports anew");
    let before = forward(SAME_COPIED, Exporting, |seen| seen.verified.clear());
    assert_eq!(entered(&before), Upgrading(Exporting), "it is not made yet");
}

#[test]
fn a_copy_that_was_made_while_somebody_could_write_stays_unused() {
    let copied_amid = |traffic| {
        stays(
            Upgrading(Exporting),
            &forward(COLD, Exporting, |seen| {
                gone(seen);
                copied(seen);
                seen.traffic = traffic;
            }),
        )
    };
    for traffic in [Traffic::Flowing, Traffic::Draining] {
        assert_eq!(copied_amid(traffic).waiting, Some(Waiting::ForTrafficHeld));
    }
}
