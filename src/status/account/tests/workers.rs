//! What is said of an upgrade whose workers do not get on.

use std::time::Duration;

use statemachine::{
    Direction, Snapshot, Strategy,
    observed::{Job, Kind, Outcome},
    pins::WayBack,
    worlds::upgrade,
};

use super::*;
use crate::{
    fixtures::seen,
    observe::jobs::{Jobs, Seen, again::Again},
    plan::names::Errand,
};

/// A look at an instance in Exporting, at the copy of this attempt, which is the second one.
fn copying(phase: Phase, attempt: u32, outcome: Outcome, obstacle: Obstacle) -> String {
    let mut seen_now = world(all_is_well());
    let mut upgrade =
        upgrade(Strategy::InPlace(WayBack::Copy), Stage::Exporting, Direction::Forward);
    upgrade.attempt = 2;
    seen_now.facts.wish.release = upgrade.to.release.clone();
    seen_now.facts.wish.strategy = upgrade.strategy;
    seen_now.facts.traffic = statemachine::observed::Traffic::Held;
    (seen_now.facts.stopped, seen_now.facts.pods) = (true, Vec::new());
    let of = Snapshot { attempt, ..upgrade.next_snapshot() };
    let (pins, facts) =
        (&mut seen_now.facts.pins, Job { kind: Kind::Copy, of: of.clone(), outcome });
    pins.upgrade = Some(upgrade);
    seen_now.facts.jobs = vec![facts];
    seen_now.facts.proof = statemachine::Proof::Proven;
    let copy = seen(Errand::Copy, of.clone(), outcome);
    seen_now.jobs = Jobs(vec![Seen { obstacle: Some(obstacle), ..copy }]);
    seen_now.again =
        Some(Again { errand: Errand::Copy, of, number: 2, pause: Duration::from_secs(5) });
    let told = after(at(phase), &seen_now, &Applied::default());
    told.status.unwrap().message.unwrap()
}

/// Else nobody would know which node is lost, or that one is.
#[test]
fn a_worker_of_the_last_try_that_does_not_end_is_named() {
    let stuck = Obstacle::new("PodStuck", "pod dev-copy-7-1-x does not end: its node is lost");
    let exporting = Phase::Upgrading(Stage::Exporting);
    let message = copying(exporting, 1, Outcome::Running, stuck);
    assert!(message.contains("pod dev-copy-7-1-x does not end"), "{message}");
}

#[test]
fn that_a_worker_is_begun_again_is_said_where_that_is_so() {
    let failed = || Obstacle::new("CopyFailed", "the copy did not come to its end: NoRoom.");
    let said = "NoRoom; it is begun again, by worker 2 of 5";
    let exporting = Phase::Upgrading(Stage::Exporting);
    let message = copying(exporting, 2, Outcome::Running, failed());
    assert!(message.contains(said), "{message}");
    let message = copying(Phase::Degraded, 2, Outcome::Failed, failed());
    assert!(message.contains("NoRoom") && !message.contains("begun again"), "{message}");
}
