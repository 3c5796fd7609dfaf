//! What is said of an upgrade whose workers do not get on.

use std::time::Duration;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use statemachine::{
    Direction, Snapshot, Strategy,
    observed::{Health, Job, Kind, Outcome, Pod},
    pins::{Destination, WayBack},
    worlds::upgrade,
};

use super::*;
use crate::{
    fixtures::{ClaimWords, claim, seen},
    observe::{
        hold::Hold,
        jobs::{Jobs, Seen, again::Again},
    },
    plan::{exports::Exports, names::Errand},
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

/// Else a retry would be advised for ever, which cannot help while that worker may still act.
#[test]
fn a_worker_that_keeps_a_stage_from_its_end_is_named_once_that_is_late() {
    let mut seen = world(all_is_well());
    let strategy = Strategy::ExportImport(Destination::FreshStore);
    let mut rolling = upgrade(strategy, Stage::Rolling, Direction::Forward);
    rolling.attempt = 2;
    let of = Snapshot { attempt: 1, ..rolling.next_snapshot() };
    seen.facts.wish.release = rolling.to.release.clone();
    seen.facts.pins.upgrade = Some(rolling);
    let stuck = Obstacle::new("PodStuck", "pod dev-import-7-1-x does not end: its node is lost");
    let import = crate::fixtures::seen(Errand::Import, of, Outcome::Running);
    seen.jobs = Jobs(vec![Seen { obstacle: Some(stuck), ..import }]);
    let told = after(at(Phase::Degraded), &seen, &Applied::default());
    let message = told.status.unwrap().message.unwrap();
    assert!(message.contains("pod dev-import-7-1-x does not end"), "{message}");
}

/// Else nobody would know what is waited for: no Job of the operator's runs.
#[test]
fn what_the_backend_imports_by_itself_or_does_not_tell_is_said_while_it_is_waited_for() {
    let told = |hold: Hold, waited: u64| {
        let mut seen = world(all_is_well());
        let strategy = Strategy::ExportImport(Destination::FreshStore);
        let mut rolling = upgrade(strategy, Stage::Rolling, Direction::Forward);
        rolling.snapshot = Some(rolling.next_snapshot());
        seen.facts.wish.release = rolling.to.release.clone();
        seen.facts.jobs =
            vec![Job { kind: Kind::Import, of: Snapshot::default(), outcome: Outcome::Running }];
        seen.facts.pins.upgrade = Some(rolling);
        seen.facts.waited = Duration::from_secs(waited);
        seen.hold = Some(hold);
        let at = at(Phase::Upgrading(Stage::Rolling));
        after(at, &seen, &Applied::default()).status.unwrap().blocked_by[0].clone()
    };
    let running = told(Hold { imports: vec!["k57".to_owned()], ..Hold::default() }, 10);
    assert_eq!((&*running.reason, &*running.guard), ("ImportsRunning", "JobsStopped"));
    assert!(running.message.contains("k57"), "{}", running.message);
    let untold = Hold { untold: Some("the backend answers 500".to_owned()), ..Hold::default() };
    let untold = told(untold, 10);
    assert_eq!((&*untold.reason, &*untold.guard), ("ImportsUntold", "JobsStopped"));
    assert!(untold.message.contains("the backend answers 500"), "{}", untold.message);
}

/// Once it is degraded users are let in anyway: what was seen at the edge is kept.
#[test]
fn an_export_that_users_were_let_in_after_is_told_for_as_long_as_it_is_not_tried_again() {
    let mut world = world(all_is_well());
    let strategy = Strategy::ExportImport(Destination::FreshStore);
    let exporting = upgrade(strategy, Stage::Exporting, Direction::Forward);
    let (kind, of) = exporting.job().unwrap();
    world.facts.wish.release = exporting.to.release.clone();
    world.facts.wish.strategy = strategy;
    world.facts.jobs = vec![Job { kind, of, outcome: Outcome::Running }];
    world.facts.pins.upgrade = Some(exporting);
    world.facts.traffic = statemachine::observed::Traffic::Flowing;
    let given_up = after(at(Phase::Upgrading(Stage::Exporting)), &world, &Applied::default());
    let then = given_up.status.clone().unwrap();
    assert_eq!(then.phase.as_deref(), Some("Degraded"));
    assert_eq!(then.blocked_by[0].reason, "UsersLetIn", "{:?}", then.blocked_by);
    let later = after(given_up, &world, &Applied::default()).status.unwrap();
    assert_eq!(later.blocked_by[0].reason, "UsersLetIn", "{:?}", later.blocked_by);
}

/// The owner has deleted the claim that the export is on.
#[test]
fn an_export_that_is_gone_is_told_with_what_to_do_and_promised_no_more() {
    let loading = |phase, stage, claim: Option<PersistentVolumeClaim>, import: Option<Outcome>| {
        let mut seen = world(all_is_well());
        let strategy = Strategy::ExportImport(Destination::SameStoreCopied);
        let mut upgrade = upgrade(strategy, stage, Direction::Forward);
        upgrade.snapshot = Some(upgrade.next_snapshot());
        let serving = Pod { backend: upgrade.aim(), health: Health::Serving };
        (seen.facts.asked, seen.facts.pods) = (Some(upgrade.aim()), vec![serving]);
        seen.facts.traffic = statemachine::observed::Traffic::Held;
        seen.answer = None;
        seen.facts.wish.release = upgrade.to.release.clone();
        seen.facts.wish.strategy = strategy;
        seen.facts.verified = claim.iter().filter_map(|_| upgrade.snapshot.clone()).collect();
        seen.children.exports = Exports::on(claim.map(Arc::new));
        let import =
            import.map(|it| crate::fixtures::seen(Errand::Import, upgrade.next_snapshot(), it));
        seen.jobs = Jobs(import.into_iter().collect());
        seen.facts.pins.upgrade = Some(upgrade);
        after(at(phase), &seen, &Applied::default()).status.unwrap()
    };
    let told = |phase, stage, claim| loading(phase, stage, claim, None);
    let gone = "export 7-1 cannot be loaded: claim \"dev-snapshots\", which it is on, is gone";
    let kept = "The data of 1 is kept: export 7-1";
    let importing = told(Phase::Upgrading(Stage::Importing), Stage::Importing, None);
    let message = importing.message.unwrap();
    assert!(message.contains(gone) && message.contains("Restore the claim"), "{message}");
    assert!(message.contains("or go back: set spec.version to 1"), "{message}");
    let there = told(Phase::Degraded, Stage::Exporting, Some(claim("dev-snapshots")));
    assert!(there.message.as_ref().unwrap().contains(kept), "{:?}", there.message);
    assert!(there.upgrade.unwrap().way_back.is_some());
    let degraded = told(Phase::Degraded, Stage::Exporting, None);
    let message = degraded.message.unwrap();
    assert!(message.contains(gone) && !message.contains("is kept"), "{message}");
    assert!(!message.contains("Restore"), "another try exports anew: {message}");
    assert_eq!(degraded.upgrade.unwrap().way_back, None);
    let late = told(Phase::Degraded, Stage::Importing, None).message.unwrap();
    assert!(late.contains("Restore the claim"), "another try would load the same: {late}");
    // Who has loaded it needs it no more, and whoever loads it keeps it.
    for import in [Outcome::Running, Outcome::Succeeded] {
        for phase in [Phase::Upgrading(Stage::Importing), Phase::Degraded] {
            let loads = loading(phase, Stage::Importing, None, Some(import)).message.unwrap();
            assert!(!loads.contains("cannot be loaded"), "{phase:?}, {import:?}: {loads}");
        }
    }
    let crossed = loading(Phase::Degraded, Stage::Importing, None, Some(Outcome::Failed));
    assert!(crossed.message.unwrap().contains("cannot be loaded"));
}

/// Else a mistyped tag would be told as a claim that goes.
#[test]
fn an_image_that_cannot_be_had_is_told_before_a_claim_that_goes() {
    let mut seen = world(all_is_well());
    let strategy = Strategy::InPlace(WayBack::Export);
    let upgrade = upgrade(strategy, Stage::Exporting, Direction::Forward);
    let mut proof = crate::fixtures::seen(Errand::Proof, upgrade.next_snapshot(), Outcome::Running);
    proof.obstacle = Some(Obstacle::new("ImagePullFailed", "image convex:2 cannot be pulled"));
    seen.jobs = Jobs(vec![proof]);
    seen.children.exports = Exports::on(Some(Arc::new(claim("dev-snapshots").deleted())));
    seen.facts.wish.release = upgrade.to.release.clone();
    seen.facts.wish.strategy = strategy;
    seen.facts.proof = statemachine::Proof::Unknown;
    seen.facts.pins.upgrade = Some(upgrade);
    let told = after(at(Phase::Upgrading(Stage::Exporting)), &seen, &Applied::default());
    let message = told.status.unwrap().message.unwrap();
    assert!(message.contains("image convex:2 cannot be pulled"), "{message}");
}

/// Else the backend would be stopped for an hour and nobody know why.
#[test]
fn a_claim_of_the_way_back_that_somebody_has_deleted_is_named() {
    let told = |claim: PersistentVolumeClaim| {
        let mut seen = lacking_its_backend();
        let strategy = Strategy::InPlace(WayBack::Copy);
        let upgrade = upgrade(strategy, Stage::Exporting, Direction::Forward);
        seen.facts.wish.release = upgrade.to.release.clone();
        seen.facts.wish.strategy = strategy;
        seen.facts.proof = statemachine::Proof::Proven;
        let store = statemachine::Store::Copied(upgrade.next_snapshot());
        seen.children.claims.push((store, Arc::new(claim)));
        seen.facts.pins.upgrade = Some(upgrade);
        let told = after(at(Phase::Upgrading(Stage::Exporting)), &seen, &Applied::default());
        told.status.unwrap().message.unwrap()
    };
    let deleted = told(claim("dev-copy-7-1").deleted());
    assert!(deleted.contains("claim \"dev-copy-7-1\"") && deleted.contains("deleted"), "{deleted}");
    assert!(!told(claim("dev-copy-7-1")).contains("dev-copy-7-1"));
}

/// Another try is not heard of before users are in again.
#[test]
fn who_waits_for_another_try_hears_that_the_last_pause_is_not_lifted() {
    let told = |seconds| {
        let mut seen = lacking_its_backend();
        let strategy = Strategy::InPlace(WayBack::Copy);
        let upgrade = upgrade(strategy, Stage::Exporting, Direction::Forward);
        seen.facts.wish.release = upgrade.to.release.clone();
        seen.facts.wish.strategy = strategy;
        seen.facts.pins.upgrade = Some(upgrade);
        let applied = Applied {
            unresumed: Some("no space left on device".to_owned()),
            unasked_for: Some(Duration::from_secs(seconds)),
            ..Applied::default()
        };
        let told = after(at(Phase::Degraded), &seen, &applied);
        told.status.unwrap().message.unwrap()
    };
    assert!(told(60).contains("let itself be resumed (no space left on device)"), "{}", told(60));
    assert!(!told(1).contains("resumed"), "it starts");
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
