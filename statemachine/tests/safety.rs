//! Laws about data, over every phase, event and reduced world: it is never the only copy that is at risk.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use std::time::Duration;

use fixtures::everywhere;
use statemachine::{
    Action, Phase, Stage, Store, Waiting,
    observed::{Outcome, Proof, Traffic},
    step,
    worlds::worlds,
};

fn creates_what_is_irreplaceable(action: &Action) -> bool {
    matches!(
        action,
        Action::EnsureSecretsCreated
            | Action::EnsureStoreStamped(_)
            | Action::EnsureStoreSealed(_)
            | Action::EnsureBackendRolled(_)
            | Action::EnsureBackendStopped(_)
            | Action::EnsureCopied { .. }
    )
}

/// What users wrote after the way back was made would be lost on it; in place without one nobody is held.
#[test]
fn users_stay_held_where_an_upgrade_with_a_way_back_has_stopped() {
    everywhere(|_, seen, step| {
        let pins = step.pins.as_ref().unwrap_or(&seen.pins);
        let stopped = pins.upgrade.as_ref().filter(|_| step.phase == Phase::Degraded);
        let Some(upgrade) = stopped.filter(|it| it.stage != Stage::Exporting) else { return };
        let held = step.obligations.contains(&Action::EnsureTrafficHeld);
        assert_eq!(held, upgrade.strategy.prepares(), "{step:#?}");
    });
}

/// Only another attempt exports anew: whoever waited with everything stopped would wait in vain.
#[test]
fn nobody_waits_in_exporting_for_an_export_that_is_gone() {
    everywhere(|_, seen, step| {
        let pins = step.pins.as_ref().unwrap_or(&seen.pins);
        let exporting = step.phase == Phase::Upgrading(Stage::Exporting);
        let upgrade = pins.upgrade.as_ref().filter(|_| exporting);
        if let Some(made) = upgrade.and_then(|it| it.snapshot.as_ref()) {
            assert!(seen.verified.contains(made), "{step:#?}");
        }
    });
}

#[test]
fn nothing_is_moved_under_a_running_job() {
    everywhere(|_, seen, step| {
        let moved = step
            .obligations
            .iter()
            .any(|it| matches!(it, Action::EnsureBackendRolled(_) | Action::EnsureStoreStamped(_)));
        let running = seen.jobs.iter().any(|job| job.outcome == Outcome::Running);
        if running && moved {
            let importing = [Phase::Upgrading(Stage::Importing), Phase::Degraded];
            assert!(importing.contains(&step.phase), "{step:#?}");
        }
    });
}

#[test]
fn an_import_is_of_a_verified_export_of_the_same_upgrade() {
    everywhere(|_, seen, step| {
        for action in &step.obligations {
            if let Action::EnsureImported { snapshot, attempt, into } = action {
                let pins = step.pins.as_ref().unwrap_or(&seen.pins);
                let upgrade = pins.upgrade.as_ref().expect("an upgrade");
                assert_eq!(step.phase, Phase::Upgrading(Stage::Importing));
                assert_eq!((&snapshot.of, &attempt.of), (&upgrade.id, &upgrade.id));
                assert_eq!(upgrade.carried(), Some(snapshot));
                assert_eq!(*into, upgrade.aim());
            }
        }
    });
}

#[test]
fn what_is_pinned_as_verified_was_verified_under_this_attempt() {
    everywhere(|_, seen, step| {
        let was = seen.pins.upgrade.as_ref();
        let is = step.pins.as_ref().and_then(|pins| pins.upgrade.as_ref());
        let (Some(was), Some(is)) = (was, is) else { return };
        if is.snapshot.is_some() && is.snapshot != was.snapshot {
            let made = was.next_snapshot();
            assert!(is.snapshot.as_ref() == Some(&made) && seen.verified.contains(&made));
        }
        if is.copy.is_some() && is.copy != was.copy {
            let made = was.next_snapshot();
            assert!(is.copy.as_ref() == Some(&made) && seen.copied.contains(&made));
            assert!(seen.pods.is_empty() && seen.stopped);
        }
    });
}

#[test]
fn a_rollback_never_opens_a_migrated_store() {
    everywhere(|_, seen, step| {
        let pins = step.pins.as_ref().unwrap_or(&seen.pins);
        let Some(upgrade) = pins.upgrade.as_ref().filter(|it| it.overwritten()) else { return };
        for action in &step.obligations {
            if let Action::EnsureBackendRolled(it) | Action::EnsureStoreStamped(it) = action {
                let migrated = it.store == upgrade.to.store;
                assert!(!migrated || it.release != upgrade.from.release, "{step:#?}");
            }
        }
    });
}

#[test]
fn nothing_is_held_stopped_or_copied_before_the_image_is_proven() {
    everywhere(|_, seen, step| {
        let attempt = |pins: &statemachine::Pins| {
            pins.upgrade.as_ref().map(statemachine::Upgrade::next_snapshot)
        };
        let another = step.pins.as_ref().is_some_and(|pins| attempt(pins) != attempt(&seen.pins));
        let proven = seen.proof == Proof::Proven && !another;
        if step.phase == Phase::Upgrading(Stage::Exporting) && !proven {
            let felt = step.obligations.iter().any(|it| {
                matches!(
                    it,
                    Action::EnsureTrafficHeld
                        | Action::EnsureBackendStopped(_)
                        | Action::EnsureExported(_)
                        | Action::EnsureCopied { .. }
                )
            });
            assert!(!felt, "{step:#?}");
        }
    });
}

#[test]
fn what_is_irreplaceable_and_missing_is_never_made_anew() {
    everywhere(|phase, seen, step| {
        let served = seen.pins.served || step.pins.as_ref().is_some_and(|pins| pins.served);
        if seen.missing.is_some() && served && phase != Phase::Unknown {
            let made = step.obligations.iter().any(creates_what_is_irreplaceable);
            assert!(!made, "{phase:?} {step:#?}");
        }
    });
}

#[test]
fn a_loss_is_degraded_until_it_is_put_back_and_deletion_still_works() {
    everywhere(|phase, seen, step| {
        let at_home = seen.pins.served && seen.pins.home.is_some();
        let Some(vital) = seen.missing.filter(|_| at_home && !seen.wish.deletion) else { return };
        let fits = seen.pins.upgrade.as_ref().map(|it| Phase::Upgrading(it.stage));
        match phase {
            Phase::Provisioning | Phase::Ready | Phase::Suspended if fits.is_none() => {
                assert_eq!(step.phase, Phase::Degraded);
            }
            Phase::Upgrading(_) if fits == Some(phase) => assert_eq!(step.phase, Phase::Degraded),
            Phase::Degraded if step.taken.is_none() => {
                assert_eq!(step.waiting, Some(Waiting::Lost(vital)));
            }
            _ => {}
        }
    });
}

#[test]
fn a_copy_is_never_made_empty() {
    everywhere(|_, seen, step| {
        for action in step.obligations {
            if let Action::EnsureStoreStamped(backend) = action
                && let Store::Copied(copy) = backend.store
            {
                let upgrade = seen.pins.upgrade.as_ref();
                assert!(upgrade.is_some_and(|it| it.copy.as_ref() == Some(&copy)));
            }
        }
    });
}

/// What users write after an export was begun is missing in it, whether they are held again by its end or not.
#[test]
fn an_export_is_given_up_where_users_were_let_in_after_it_was_begun() {
    let exporting = Phase::Upgrading(Stage::Exporting);
    let mut given_up = 0;
    for mut seen in worlds() {
        (seen.traffic, seen.waited) = (Traffic::Flowing, Duration::ZERO);
        let Some(upgrade) = seen.pins.upgrade.clone() else { continue };
        if !seen.has_begun_export(&upgrade) {
            continue;
        }
        let step = step(exporting, &seen);
        let pins = step.pins.as_ref().unwrap_or(&seen.pins);
        let same = pins.upgrade.as_ref().filter(|it| it.next_snapshot() == upgrade.next_snapshot());
        let goes_on = matches!(step.phase, Phase::Upgrading(_)) && same.is_some();
        assert!(!goes_on, "{step:#?}");
        given_up += usize::from(step.phase == Phase::Degraded);
    }
    assert!(given_up > 0, "no world has such an export");
}
