//! Laws over every phase, event and reduced world.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fixtures::everywhere;
use statemachine::{Action, Direction, Event, Observed, Phase, Step, Waiting, edges::edges, step};

#[test]
fn deletion_outranks_everything_but_an_unknown_phase() {
    everywhere(|phase, seen, step| {
        if seen.wish.deletion && phase != Phase::Unknown {
            assert_eq!(step.phase, Phase::Deleting);
        }
    });
}

#[test]
fn deleting_is_absorbing() {
    let left = |edge: &&statemachine::Taken| edge.from == Phase::Deleting;
    assert!(edges().iter().filter(left).all(|edge| edge.to == Phase::Deleting));
}

#[test]
fn an_unknown_phase_touches_nothing() {
    everywhere(|phase, _, step| {
        if phase == Phase::Unknown {
            assert_eq!((step.phase, step.taken, step.pins), (Phase::Unknown, None, None));
            assert!(step.obligations.is_empty());
            assert_eq!(step.waiting, Some(Waiting::UnknownPhase));
        }
    });
    assert!(edges().iter().all(|edge| edge.to != Phase::Unknown));
}

#[test]
fn pins_change_with_an_edge_and_only_then() {
    everywhere(|_, _, step| {
        // Home that has served before comes back without a word more to remember.
        assert!(step.pins.is_none() || step.taken.is_some());
        let returns = step.phase == Phase::Ready && step.taken.is_some();
        assert!(step.pins.is_some() || step.taken.is_none() || returns);
    });
}

/// What a pass wants of the backend.
fn wanted_backend(step: &Step) -> Option<&Action> {
    let backend = |it: &&Action| {
        matches!(it, Action::EnsureBackendRolled(_) | Action::EnsureBackendStopped(_))
    };
    step.obligations.iter().find(backend)
}

#[test]
fn an_edge_raises_the_fence_unless_the_phase_that_was_left_wants_the_same_backend() {
    let (mut raised, mut kept) = (0, 0);
    everywhere(|phase, seen, now| {
        let pins = now.pins.as_ref().unwrap_or(&seen.pins);
        if now.taken.is_none() || *pins.backend_fence() == seen.revision {
            raised += usize::from(now.taken.is_some());
            return;
        }
        kept += 1;
        assert_eq!(pins.backend_fence(), seen.pins.backend_fence());
        let traffic = pins.fence == seen.revision;
        assert!(traffic || (now.phase, &pins.fence) == (Phase::Ready, &seen.pins.fence));
        // A pass of the phase that was left, from just before the backend served.
        let earlier = Observed { pods: Vec::new(), waited: Duration::ZERO, ..seen.clone() };
        let before = step(phase, &earlier);
        // What is lost is not made anew once it has served.
        if before.taken.is_none() && seen.missing.is_none() {
            assert_eq!(wanted_backend(&before), wanted_backend(&now), "{phase:?} {seen:#?}");
        }
    });
    assert!(raised > 0 && kept > 0);
}

#[test]
fn a_phase_that_stays_where_it_does_not_belong_says_why() {
    everywhere(|phase, seen, step| {
        let home = seen.pins.home.as_ref();
        let content = home.is_some_and(|home| home.release == seen.wish.release);
        let at_rest = match phase {
            Phase::Ready => content,
            Phase::Suspended => seen.stopped && (content || !seen.pins.served),
            _ => false,
        };
        if step.taken.is_none() && !at_rest {
            assert!(step.waiting.is_some(), "{phase:?} {seen:#?}");
        }
    });
}

#[test]
fn a_suspended_instance_starts_nothing_and_an_upgrade_is_not_interrupted() {
    everywhere(|phase, seen, step| {
        if step.phase == Phase::Suspended {
            let starts = step.obligations.iter().any(|it| {
                matches!(it, Action::EnsureBackendRolled(_) | Action::EnsureTrafficFlowing)
            });
            assert!(!starts && step.taken.is_none_or(|_| seen.wish.suspend), "{step:#?}");
        }
        if matches!(phase, Phase::Upgrading(_)) {
            assert_ne!(step.phase, Phase::Suspended);
        }
    });
}

#[test]
fn passes_of_one_fence_want_the_same_backend() {
    let mut wanted = BTreeMap::<_, BTreeSet<_>>::new();
    everywhere(|phase, seen, step| {
        let backend = step.obligations.into_iter().find(|it| {
            matches!(it, Action::EnsureBackendRolled(_) | Action::EnsureBackendStopped(_))
        });
        if step.taken.is_none() {
            let of = (phase, format!("{:?}", seen.pins));
            wanted.entry(of).or_default().extend(backend);
        }
    });
    assert!(wanted.values().all(|it| it.len() < 2), "{wanted:#?}");
}

#[test]
fn traffic_is_owed_one_way_or_the_other_and_never_both() {
    everywhere(|_, _, step| {
        let held = step.obligations.contains(&Action::EnsureTrafficHeld);
        let flowing = step.obligations.contains(&Action::EnsureTrafficFlowing);
        assert!(!(held && flowing));
    });
}

#[test]
fn a_finished_stage_is_never_late() {
    everywhere(|phase, seen, on_time| {
        let Phase::Upgrading(_) = phase else { return };
        if on_time.taken.is_some_and(|edge| edge.event == Event::Observed) {
            let mut late = seen.clone();
            late.waited = late.patience;
            let then = step(phase, &late).taken;
            let put_back = then.is_some_and(|edge| edge.event == Event::Faulted);
            assert!(then == on_time.taken || put_back);
        }
    });
}

#[test]
fn a_rollback_is_never_rolled_back() {
    everywhere(|_, seen, step| {
        let was = seen.pins.upgrade.as_ref();
        let is = step.pins.as_ref().and_then(|pins| pins.upgrade.as_ref());
        if let (Some(was), Some(is)) = (was, is)
            && was.id == is.id
            && was.direction == Direction::Rollback
        {
            assert_eq!(is.direction, Direction::Rollback);
        }
    });
}

#[test]
fn a_deadline_runs_in_every_phase_that_waits_for_machines() {
    everywhere(|_, seen, step| {
        let timed = matches!(step.phase, Phase::Provisioning | Phase::Upgrading(_));
        if timed && step.taken.is_some() {
            assert_eq!(step.look_again, Some(seen.patience));
        }
    });
}

#[test]
fn every_phase_but_the_unknown_is_reachable() {
    let mut reached = BTreeSet::from([Phase::Pending]);
    for _ in Phase::ALL {
        let next = edges().iter().filter(|it| reached.contains(&it.from)).map(|it| it.to);
        reached = reached.iter().copied().chain(next).collect();
    }
    assert_eq!(reached.len(), Phase::ALL.len() - 1);
}
