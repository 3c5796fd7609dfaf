//! What an edge pins, what a phase owes on the way, and what it says while it waits.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use Phase::{Degraded, Provisioning, Ready, Suspended, Upgrading};
use Stage::{Exporting, Importing, Rolling};
use fixtures::{
    COLD, FRESH, PLAIN, SAME, at_home, calm, forward, gone, import, late, refuses, stays, unproven,
    verify, wanting,
};
use statemachine::{
    Action, Backend, Leave, Observed, Phase, Revision, Snapshot, Stage, Step, Store, Strategy,
    Vital, Waiting,
    observed::{Job, Kind, Outcome, Traffic},
    step,
    worlds::{born, release},
};

#[test]
fn what_nothing_was_made_for_has_its_home_at_once_and_everything_else_is_looked_for() {
    let begun = |edit: &dyn Fn(&mut Observed)| {
        let mut seen = calm();
        seen.untouched = true;
        edit(&mut seen);
        step(Phase::Pending, &seen)
    };
    let home = |step: &Step| step.pins.clone().expect("an edge pins").home;
    let new = begun(&|_| {});
    assert_eq!((new.phase, home(&new)), (Provisioning, Some(born())));
    assert!(new.obligations.contains(&Action::EnsureBackendRolled(born())));
    let looks: [&dyn Fn(&mut Observed); 3] =
        [&|seen| seen.untouched = false, &|seen| seen.found = Some(born()), &|seen| {
            seen.wish.suspend = true;
        }];
    for edit in looks {
        let step = begun(edit);
        assert_eq!((step.phase, home(&step)), (Provisioning, None));
        assert!(!step.obligations.contains(&Action::EnsureBackendRolled(born())));
    }
}

#[test]
fn an_upgrade_that_may_not_begin_says_why() {
    refuses(Ready, &wanting(SAME, |seen| seen.outgrown = true), &Waiting::Outgrown(release(2)));
    refuses(Ready, &wanting(COLD, |seen| seen.obtainable = false), &Waiting::ForWayBack(COLD));
    let unholdable = |seen: &mut Observed| seen.traffic = Traffic::Unholdable;
    refuses(Ready, &wanting(SAME, unholdable), &Waiting::HoldUnsupported);
    refuses(Ready, &wanting(PLAIN, |seen| seen.resolved = false), &Waiting::ForReferences);
    for (leave, why) in [
        (Leave::ForApproval, Waiting::ForApproval),
        (Leave::ForWindow, Waiting::ForWindow),
        (Leave::ForTurn, Waiting::ForTurn),
    ] {
        refuses(Ready, &wanting(PLAIN, |seen| seen.leave = leave), &why);
    }
    assert!(step(Ready, &wanting(COLD, unholdable)).taken.is_some(), "a cold copy still works");
}

#[test]
fn a_stage_that_waits_says_for_what() {
    let no_way_back = forward(PLAIN, Rolling, |seen| {
        gone(seen);
        seen.wish.release = release(1);
    });
    refuses(Degraded, &no_way_back, &Waiting::NoWayBack(release(1)));
    let lost_way_back = forward(COLD, Rolling, |seen| {
        gone(seen);
        seen.way_back_gone = true;
        seen.wish.release = release(1);
    });
    refuses(Degraded, &lost_way_back, &Waiting::NoWayBack(release(1)));
    let draining = forward(SAME, Exporting, |seen| {
        verify(seen);
        seen.traffic = Traffic::Draining;
    });
    refuses(Upgrading(Exporting), &draining, &Waiting::ForTrafficHeld);
    let undeployed = forward(FRESH, Importing, |seen| {
        import(Outcome::Succeeded)(seen);
        seen.deployed = false;
        late(seen);
    });
    refuses(Upgrading(Importing), &undeployed, &Waiting::ForFunctions);
    let unpaused = forward(SAME, Importing, |seen| seen.traffic = Traffic::Unholdable);
    refuses(Upgrading(Importing), &unpaused, &Waiting::HoldUnsupported);
}

#[test]
fn a_late_export_is_stale_and_stays_unused() {
    let made_late = forward(SAME, Exporting, |seen| {
        verify(seen);
        late(seen);
    });
    stays(Degraded, &made_late);
}

#[test]
fn nothing_is_felt_before_the_image_is_proven() {
    for strategy in Strategy::ALL.into_iter().filter(|it| it.prepares()) {
        let mistyped = stays(Upgrading(Exporting), &forward(strategy, Exporting, unproven));
        assert_eq!(mistyped.waiting, Some(Waiting::ForImageProven(release(2))));
        assert!(mistyped.obligations.contains(&Action::EnsureImageProven(release(2))));
        assert!(!mistyped.obligations.contains(&Action::EnsureTrafficHeld));
        let proven = stays(Upgrading(Exporting), &forward(strategy, Exporting, |_| {}));
        assert!(proven.obligations.contains(&Action::EnsureTrafficHeld));
    }
}

/// Once it is parted from its data, an instance that goes waits for no clock.
#[test]
fn a_deletion_has_a_deadline_until_it_is_parted_from_its_data_and_none_after() {
    let going = |parted| {
        at_home(|seen| {
            seen.pins.parted = parted;
            seen.pins.farewell = Some(Snapshot { of: Revision("8".into()), attempt: 1 });
            seen.wish.farewell = true;
            seen.cleared = false;
        })
    };
    assert!(step(Phase::Deleting, &going(false)).look_again.is_some());
    assert_eq!(step(Phase::Deleting, &going(true)).look_again, None);
}

#[test]
fn obligations_are_owed_edge_or_no_edge() {
    for strategy in Strategy::ALL {
        let waiting = forward(strategy, Rolling, gone);
        let aim = waiting.pins.upgrade.as_ref().expect("an upgrade").aim();
        let owed = stays(Upgrading(Rolling), &waiting).obligations;
        assert!(owed.contains(&Action::EnsureBackendRolled(aim)));
        assert!(owed.contains(&Action::EnsureFinalizerAdded));
    }
}

/// A verified export may be lost between its stage and the one that loads it.
#[test]
fn an_import_is_begun_only_with_the_export_that_was_verified_for_it() {
    let at = Upgrading(Importing);
    let imports = |step: &Step| matches!(step.obligations.last(), Some(Action::EnsureImported { snapshot, .. }) if snapshot.attempt == 1);
    let lost = stays(at, &forward(SAME, Importing, |seen| seen.verified.clear()));
    let export = Snapshot { of: Revision("7".into()), attempt: 1 };
    assert_eq!(lost.waiting, Some(Waiting::ForExport(export.clone())));
    assert!(!lost.obligations.iter().any(|it| matches!(it, Action::EnsureImported { .. })));
    let another = forward(SAME, Importing, |seen| {
        seen.verified = vec![Snapshot { attempt: 2, ..export.clone() }];
    });
    assert_eq!(stays(at, &another).waiting, Some(Waiting::ForExport(export.clone())));
    let runs = forward(SAME, Importing, |seen| {
        import(Outcome::Running)(seen);
        seen.verified.clear();
    });
    let waits = stays(at, &runs).waiting;
    assert!(matches!(waits, Some(Waiting::ForImport(_))), "what runs has opened it: {waits:?}");
    assert!(imports(&stays(at, &forward(SAME, Importing, |seen| seen.verified = vec![export]))));
}

#[test]
fn a_suspended_backend_is_stopped_and_its_new_release_waits() {
    let seen = at_home(|seen| {
        gone(seen);
        seen.wish.suspend = true;
        seen.wish.release = release(2);
    });
    let step = stays(Suspended, &seen);
    assert_eq!(step.waiting, Some(Waiting::ForResume(release(2))));
    assert!(step.obligations.contains(&Action::EnsureBackendStopped(born())));
    let resting = stays(
        Suspended,
        &at_home(|seen| {
            gone(seen);
            seen.wish.suspend = true;
        }),
    );
    assert_eq!(resting.waiting, None);
}

#[test]
fn what_is_lost_is_named_until_it_is_put_back() {
    for vital in [Vital::InstanceSecret, Vital::Store] {
        let mut seen = at_home(|seen| seen.missing = Some(vital));
        refuses(Degraded, &seen, &Waiting::Lost(vital));
        seen.missing = None;
        assert_eq!(step(Degraded, &seen).phase, Ready);
        seen.missing = Some(vital);
        seen.pins.served = false;
        assert_eq!(step(Provisioning, &seen).phase, Ready, "nobody was ever let in: made anew");
    }
}

#[test]
fn what_was_lost_is_looked_for_only_under_a_fence_of_our_own() {
    let ahead = Backend { release: release(3), store: Store::Original };
    let mut seen = calm();
    seen.found = Some(ahead.clone());
    seen.fenced = false;
    let begun = step(Ready, &seen);
    seen.pins = begun.pins.expect("pins");
    assert_eq!(
        (begun.phase, &seen.pins.home, &seen.pins.fence),
        (Provisioning, &None, &Revision("9".into()))
    );
    let waiting = stays(Provisioning, &seen);
    assert_eq!(waiting.waiting, Some(Waiting::ForFences));
    assert!(waiting.obligations.contains(&Action::EnsureFenced));
    let moves = |it: &Action| matches!(it, Action::EnsureBackendRolled(_));
    assert!(!waiting.obligations.iter().any(moves));
    seen.fenced = true;
    let settled = step(Provisioning, &seen).pins.expect("pins");
    assert_eq!((settled.home, settled.served), (Some(ahead), true));
}

/// A job that may still write is nobody's home.
#[test]
fn home_is_ready_and_an_upgrade_done_only_where_nothing_else_has_any_effect_left() {
    let stray = |seen: &mut Observed| {
        let of = Snapshot { of: Revision("99".into()), attempt: 1 };
        seen.jobs = vec![Job { kind: Kind::Import, of, outcome: Outcome::Running }];
    };
    let mut provisioning = at_home(stray);
    refuses(Provisioning, &provisioning, &Waiting::ForJobsStopped);
    provisioning.jobs.clear();
    assert_eq!(step(Provisioning, &provisioning).phase, Ready);
    let mut rolling = forward(PLAIN, Rolling, stray);
    refuses(Upgrading(Rolling), &rolling, &Waiting::ForJobsStopped);
    rolling.jobs.clear();
    assert_eq!(step(Upgrading(Rolling), &rolling).phase, Ready);
    let mut importing = forward(SAME, Importing, |seen| {
        stray(seen);
        let theirs = seen.jobs.clone();
        import(Outcome::Succeeded)(seen);
        seen.jobs.extend(theirs);
    });
    refuses(Upgrading(Importing), &importing, &Waiting::ForJobsStopped);
    importing.jobs.pop();
    assert_eq!(step(Upgrading(Importing), &importing).phase, Ready);
}

#[test]
fn home_is_ready_only_with_what_surrounds_it() {
    let lacking = at_home(|seen| seen.surrounded = false);
    refuses(Provisioning, &lacking, &Waiting::ForSurroundings);
}
