//! Where a failed upgrade goes: back, on to a third release, or nowhere.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use Phase::{Degraded, Ready, Upgrading};
use Stage::Rolling;
use fixtures::{COLD, FRESH, PLAIN, forward, gone, late, stays, under_way};
use statemachine::{
    Direction, Observed, Phase, Pins, Release, Revision, Stage, Step, Store, Strategy, Vital, step,
    taken::Reason,
    worlds::{born, release, upgrade},
};

#[test]
fn a_fresh_store_is_left_for_the_untouched_one_without_an_import() {
    let step = step(Upgrading(Rolling), &under_way(FRESH, Rolling, Direction::Rollback, |_| {}));
    assert_eq!((step.phase, step.pins.and_then(|it| it.home)), (Ready, Some(born())));
}

#[test]
fn a_failed_upgrade_does_not_go_on_to_a_version_that_the_store_has_left_behind() {
    let third = |strategy, outgrown| {
        let seen = forward(strategy, Rolling, |seen| {
            gone(seen);
            seen.wish.release = release(3);
            seen.outgrown = outgrown;
        });
        step(Degraded, &seen).phase
    };
    assert_eq!(third(COLD, false), Upgrading(Rolling));
    assert_eq!(third(COLD, true), Degraded);
    assert_eq!(third(FRESH, true), Upgrading(Rolling), "a fresh store has left nobody behind");
}

#[test]
fn what_a_rollback_goes_to_is_irreplaceable_from_then_on() {
    let vital = |direction| {
        let upgrade = Some(upgrade(COLD, Rolling, direction));
        Pins { home: Some(born()), served: true, upgrade, ..Pins::default() }.vital_stores(None)
    };
    let copy = upgrade(COLD, Rolling, Direction::Rollback).copy.expect("a copy");
    assert_eq!(vital(Direction::Forward), [Store::Original]);
    assert_eq!(vital(Direction::Rollback), [Store::Copied(copy)]);
}

/// The first version out of another registry.
fn mirrored() -> Release {
    Release { image: "mirror.example.com/convex:1".to_owned(), ..release(1) }
}

fn failed(strategy: Strategy, edit: impl FnOnce(&mut Observed)) -> Observed {
    forward(strategy, Rolling, |seen| {
        gone(seen);
        edit(seen);
    })
}

fn reason(step: &Step) -> Option<Reason> {
    step.taken.map(|it| it.reason)
}

/// Redirected, the same upgrade would let the old version at what the new one has migrated.
#[test]
fn the_old_version_out_of_another_registry_is_gone_back_to_like_the_old_one_itself() {
    for phase in [Degraded, Upgrading(Rolling)] {
        let back = step(phase, &failed(COLD, |seen| seen.wish.release = mirrored()));
        assert_eq!(reason(&back), Some(Reason::RollbackStarted), "{phase:?}");
        let aim = back.pins.and_then(|it| it.upgrade).expect("an upgrade").aim();
        assert_eq!(aim.release, mirrored(), "the old registry may be gone");
        assert!(matches!(aim.store, Store::Copied(_)));
    }
    stays(Degraded, &failed(PLAIN, |seen| seen.wish.release = mirrored()));
}

#[test]
fn a_rollback_that_fails_goes_on_out_of_the_registry_that_is_named_now() {
    let back = |wish: Release| {
        under_way(COLD, Rolling, Direction::Rollback, |seen| {
            gone(seen);
            seen.wish.release = wish;
        })
    };
    stays(Degraded, &back(release(1)));
    stays(Degraded, &back(release(3)));
    let again = step(Degraded, &back(mirrored())).pins.and_then(|it| it.upgrade);
    let again = again.expect("another try");
    assert_eq!((again.direction, again.aim().release), (Direction::Rollback, mirrored()));
}

/// The image of a version may be named by its digest, or be called otherwise in a mirror.
#[test]
fn the_old_version_out_of_an_image_of_another_name_is_gone_back_to_and_never_on_with() {
    let pinned = || Release { image: "mirror.example.com/other@sha256:aa".into(), ..release(1) };
    let back = step(Degraded, &failed(COLD, |seen| seen.wish.release = pinned()));
    assert_eq!(reason(&back), Some(Reason::RollbackStarted));
    let aim = back.pins.and_then(|it| it.upgrade).expect("an upgrade").aim();
    // The copy may have left that very image behind; the one that it was made of opens it for sure.
    assert!(aim.release == release(1) && matches!(aim.store, Store::Copied(_)), "{aim:?}");
    let on_its_way = under_way(COLD, Rolling, Direction::Rollback, |seen| {
        gone(seen);
        seen.wish.release = pinned();
    });
    stays(Degraded, &on_its_way);
    stays(Degraded, &failed(PLAIN, |seen| seen.wish.release = pinned()));
    let same = failed(COLD, |seen| {
        let to = &mut seen.pins.upgrade.as_mut().expect("an upgrade").to.release;
        *to = Release { image: "example.com/convex:1-patched".into(), ..release(1) };
        seen.wish.release = pinned();
    });
    assert_eq!(reason(&step(Degraded, &same)), Some(Reason::UpgradeRedirected), "a third image");
}

#[test]
fn images_are_told_apart_by_what_follows_their_registry() {
    let of = |image: &str| Release { image: image.to_owned(), ..release(1) };
    assert!(of("a.example.com/convex:1").opens_as(&of("b.example.com/x/backend:1")), "by version");
    assert!(of("a.example.com/convex@sha256:aa").opens_as(&of("b.example.com/x/convex@sha256:aa")));
    assert!(!of("convex@sha256:aa").opens_as(&of("convex@sha256:bb")));
    assert!(!of("convex:1").opens_as(&of("convex:1-patched")));
    assert!(!of("convex:1").opens_as(&Release { engine: "mysql".to_owned(), ..of("convex:1") }));
}

/// A store cannot tell them apart, so that nothing is lost by going on.
#[test]
fn a_third_registry_of_the_same_version_is_gone_on_to() {
    let seen = failed(PLAIN, |seen| {
        seen.pins.upgrade.as_mut().expect("an upgrade").to.release = mirrored();
        let third = "third.example.com/convex:1".to_owned();
        seen.wish.release = Release { image: third, ..release(1) };
    });
    assert_eq!(reason(&step(Degraded, &seen)), Some(Reason::UpgradeRedirected));
}

#[test]
fn nothing_is_gone_back_to_by_policy_that_is_not_there_any_more() {
    let failing = |gone: bool| {
        failed(COLD, |seen| {
            late(seen);
            seen.wish.rollback = true;
            seen.way_back_gone = gone;
        })
    };
    let taken = |seen| reason(&step(Upgrading(Rolling), &seen));
    assert_eq!(taken(failing(false)), Some(Reason::RollbackStarted));
    assert_eq!(taken(failing(true)), Some(Reason::Degraded));
}

/// Half of one import, and all of another, would be in it.
#[test]
fn a_third_release_gets_a_fresh_store_of_its_own() {
    let seen = failed(FRESH, |seen| {
        seen.wish.release = release(3);
        seen.revision = Revision("9".to_owned());
    });
    let aim = step(Degraded, &seen).pins.and_then(|it| it.upgrade).expect("an upgrade").aim();
    assert_eq!((aim.release, aim.store), (release(3), Store::Made(Revision("9".to_owned()))));
}

#[test]
fn a_store_that_is_lost_stands_in_the_way_of_a_rollback_only_where_it_is_what_is_gone_back_to() {
    let lost = |strategy, vital| {
        failed(strategy, |seen| {
            seen.wish.release = release(1);
            seen.missing = Some(vital);
        })
    };
    let taken = |strategy, vital| reason(&step(Degraded, &lost(strategy, vital)));
    assert_eq!(taken(COLD, Vital::Store), Some(Reason::RollbackStarted), "the copy is another");
    assert_eq!(taken(FRESH, Vital::Store), None);
    assert_eq!(taken(COLD, Vital::InstanceSecret), None);
}
