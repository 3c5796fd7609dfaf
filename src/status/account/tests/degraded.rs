//! What is said of an instance that needs help: why, since when, and every way out of it.

use statemachine::{
    Direction, Strategy, Upgrade,
    pins::WayBack,
    worlds::{born, release, upgrade},
};

use super::*;

#[test]
fn a_degraded_instance_keeps_its_reason_while_the_pod_starts_again() {
    let crash = Obstacle::new("BackendCrashing", "container backend exits with code 1");
    let crashing = World { trouble: Some(crash.clone()), ..lacking_its_backend() };
    let degraded = after(at(Phase::Ready), &crashing, &Applied::default());
    assert_eq!(reason(&degraded, "Degraded"), "BackendCrashing");
    let starting = after(degraded, &lacking_its_backend(), &Applied::default());
    assert_eq!(reason(&starting, "Degraded"), "BackendCrashing");
    let other = Obstacle::new("ImagePullFailed", "image cannot be pulled");
    let pulling = World { trouble: Some(other), ..lacking_its_backend() };
    let told = after(starting, &pulling, &Applied::default());
    assert_eq!(reason(&told, "Degraded"), "ImagePullFailed");
}

#[test]
fn a_version_that_is_not_tried_is_told_beside_what_fails() {
    let wished = Release { version: "v0".to_owned(), ..all_is_well().wish.release };
    let facts = Observed {
        wish: statemachine::Wish { release: wished, ..all_is_well().wish },
        outgrown: true,
        ..lacking_its_backend().facts
    };
    let world = World { facts, ..lacking_its_backend() };
    let told = after(at(Phase::Degraded), &world, &Applied::default());
    let message = told.status.unwrap().message.unwrap();
    assert!(message.contains("v0 is not tried: the store was given to 1 after it"), "{message}");
}

/// What is said of an upgrade to this release that has failed in Rolling, where that one is wanted now.
fn stopped(strategy: Strategy, to: Release, wish: &Release) -> String {
    let upgrade = Upgrade {
        to: statemachine::Backend { release: to, ..born() },
        ..upgrade(strategy, Stage::Rolling, Direction::Forward)
    };
    let mut seen = lacking_its_backend();
    seen.facts.outgrown = true;
    seen.facts.wish.release = wish.clone();
    seen.facts.pins.upgrade = Some(upgrade);
    let mut degraded = at(Phase::Degraded);
    degraded.spec.version.clone_from(&wish.version);
    let told = after(degraded, &seen, &Applied::default());
    told.status.unwrap().message.unwrap()
}

#[test]
fn a_failed_upgrade_names_what_to_set_to_go_back() {
    let copied = Strategy::InPlace(WayBack::Copy);
    let message = stopped(copied, release(2), &release(2));
    assert!(message.contains("To go back: set spec.version to 1. "), "{message}");
    let mine = Release { image: "mine:next".to_owned(), ..release(1) };
    let message = stopped(copied, mine.clone(), &mine);
    assert!(message.contains("To go back: set spec.backend.image to "), "{message}");
}

#[test]
fn a_version_that_the_store_has_left_behind_is_not_tried_after_a_failed_upgrade_and_that_is_said() {
    let copied = Strategy::InPlace(WayBack::Copy);
    let message = stopped(copied, release(2), &release(0));
    assert!(message.contains("0 is not tried: the store was given to 2 after it"), "{message}");
    for wish in [release(1), release(2)] {
        let message = stopped(copied, release(2), &wish);
        assert!(!message.contains("is not tried"), "{message}");
    }
}

/// After a rollback by policy the spec still names the version that failed.
#[test]
fn a_rollback_whose_image_is_gone_says_what_to_set_to_have_it_from_elsewhere() {
    let message = |reason, words: &str| {
        let mut seen = lacking_its_backend();
        seen.trouble = Some(Obstacle::new(reason, words));
        let strategy = Strategy::InPlace(WayBack::Copy);
        seen.facts.pins.upgrade = Some(upgrade(strategy, Stage::Rolling, Direction::Rollback));
        seen.facts.wish.release = release(2);
        let told = after(at(Phase::Degraded), &seen, &Applied::default());
        told.status.unwrap().message.unwrap()
    };
    let elsewhere = "set spec.version to 1 and spec.backend.image to convex:1 there";
    let gone = message("ImagePullFailed", "image convex:1 cannot be pulled");
    assert!(gone.contains(elsewhere), "{gone}");
    let ours = message("ImagePullFailed", "image convex-operator:1 cannot be pulled");
    assert!(!ours.contains(elsewhere), "the gate's image is not moved by the spec: {ours}");
    let crashes = message("BackendCrashing", "convex:1 exits with code 1");
    assert!(!crashes.contains("registry"), "no image is missing");
}

#[test]
fn every_edge_says_how_long_it_had_been_as_it_was() {
    let mut ready = at(Phase::Ready);
    let lacking = lacking_its_backend();
    let now = Timestamp::from_second(lacking.now.timestamp()).unwrap();
    let status = ready.status.as_mut().unwrap();
    status.phase_transition_time =
        Some(Time(now - k8s_openapi::jiff::SignedDuration::from_secs(90)));
    let degraded = after(ready, &lacking, &Applied::default());
    let history = degraded.status.unwrap().history;
    assert_eq!(history.last().unwrap().seconds, Some(90));
}
