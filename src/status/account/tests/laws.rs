//! What holds of every status, whatever the phase and the world.

use chrono::Duration;
use statemachine::{Action, Taken, worlds::worlds};

use super::*;

/// Far enough apart to be quick, and coprime to the radices of the worlds.
const EVERY: usize = 1009;

/// Every phase in a sample of all worlds, with a changing thing that is wrong besides.
fn looks() -> impl Iterator<Item = (ConvexInstance, World, Applied)> {
    let sample = worlds().step_by(EVERY).enumerate();
    sample.flat_map(|(number, facts)| {
        Phase::ALL.into_iter().filter(|it| *it != Phase::Unknown).map(move |phase| {
            let (world, applied) = twisted(world(facts.clone()), number);
            (at(phase), world, applied)
        })
    })
}

fn twisted(mut world: World, number: usize) -> (World, Applied) {
    let mut applied = Applied::default();
    let long = "word ".repeat(1000);
    match number % 8 {
        1 => world.trouble = Some(Obstacle::new("BackendCrashing", long)),
        2 => world.trouble = Some(Obstacle::passing("BackendStarting", "pod starts")),
        3 => world.keys_obstacle = Some(Obstacle::new("SecretInvalid", long)),
        4 => world.references = Some(Obstacle::new("NameConflict", long)),
        5 => {
            world.children = crate::observe::Children::default();
            world.answer = None;
        }
        6 => applied.refused.push(Refused {
            kind: "ConfigMap".to_owned(),
            name: "dev-backend".to_owned(),
            reason: "Forbidden".to_owned(),
            message: long,
        }),
        7 => applied.unheld = Some(long),
        _ => {}
    }
    (world, applied)
}

fn is_one_word(reason: &str) -> bool {
    let first = reason.chars().next().is_some_and(|c| c.is_ascii_uppercase());
    first && reason.len() <= 64 && reason.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_true(instance: &ConvexInstance, type_: &str) -> bool {
    condition(instance, type_).is_some_and(|it| it.status == ConditionStatus::True)
}

#[test]
fn kstatus_is_never_misled() {
    for (instance, world, applied) in looks() {
        let seen = after(instance, &world, &applied);
        let verdict = kstatus(&seen);
        let ready = is_true(&seen, "Ready");
        match crate::observe::phase(&seen) {
            Phase::Pending | Phase::Provisioning | Phase::Upgrading(_) | Phase::Suspended => {
                assert_eq!(verdict, Kstatus::InProgress, "{seen:#?}");
            }
            Phase::Ready if ready => assert_eq!(verdict, Kstatus::Current, "{seen:#?}"),
            Phase::Ready => assert_ne!(verdict, Kstatus::Current, "{seen:#?}"),
            Phase::Degraded => assert_eq!(verdict, Kstatus::Failed, "{seen:#?}"),
            Phase::Deleting => assert_eq!(verdict, Kstatus::Terminating, "{seen:#?}"),
            Phase::Unknown => unreachable!("is left as it is"),
        }
    }
}

#[test]
fn the_conditions_of_one_status_agree() {
    for (instance, world, applied) in looks() {
        let seen = after(instance, &world, &applied);
        let status = seen.status.as_ref().unwrap();
        let abnormal = ["Reconciling", "Stalled"].map(|it| is_true(&seen, it));
        assert!(!(abnormal[0] && abnormal[1]), "both: {status:#?}");
        let ready = condition(&seen, "Ready").unwrap();
        let is_ready = ready.status == ConditionStatus::True;
        assert!(!is_ready || !(abnormal[0] || abnormal[1]), "ready and not: {status:#?}");
        assert!(!is_ready || status.blocked_by.is_empty(), "ready and blocked: {status:#?}");
        assert!(!is_ready || Some(status.observed_generation) == seen.meta().generation);
        for it in &status.conditions {
            assert_eq!(it.observed_generation, status.observed_generation);
            let only_true = matches!(it.type_.as_str(), "Reconciling" | "Stalled");
            assert!(!only_true || it.status == ConditionStatus::True);
        }
        let mut types: Vec<_> = status.conditions.iter().map(|it| &it.type_).collect();
        types.sort();
        types.dedup();
        assert_eq!(types.len(), status.conditions.len(), "a condition is there twice");
    }
}

#[test]
fn everything_fits_into_the_schema() {
    let fits = |message: &str| message.chars().count() <= 1024;
    for (instance, world, applied) in looks() {
        let seen = after(instance, &world, &applied);
        let status = seen.status.as_ref().unwrap();
        assert!(status.message.as_deref().is_some_and(|it| fits(it) && !it.is_empty()));
        for it in &status.conditions {
            assert!(is_one_word(&it.reason), "{}/{:?}", it.type_, it.reason);
            assert!(fits(&it.message), "{}", it.message);
        }
        for it in &status.blocked_by {
            assert!(is_one_word(&it.reason) && is_one_word(&it.guard), "{it:?}");
            assert!(fits(&it.message), "{}", it.message);
        }
        assert!(status.history.iter().all(|it| is_one_word(&it.reason) && fits(&it.message)));
    }
}

#[test]
fn looking_again_at_the_same_changes_nothing_and_a_transition_time_moves_only_with_its_status() {
    for (instance, mut world, applied) in looks() {
        let first = after(instance, &world, &applied);
        let phase = crate::observe::phase(&first);
        let quiet = statemachine::step(phase, &world.facts);
        let quiet = statemachine::Step { taken: None, pins: None, phase, ..quiet };
        world.now += Duration::seconds(90);
        let second = of(&first, &quiet, &world, &applied).status;
        let third = {
            let again = ConvexInstance { status: Some(second.clone()), ..first.clone() };
            world.now += Duration::seconds(90);
            of(&again, &quiet, &world, &applied).status
        };
        assert_eq!(third, second);
        for was in &first.status.as_ref().unwrap().conditions {
            let is = second.conditions.iter().find(|it| it.type_ == was.type_);
            let same = is.filter(|it| it.status == was.status);
            assert!(same.is_none_or(|it| it.last_transition_time == was.last_transition_time));
            let moved = is.filter(|it| it.status != was.status);
            assert!(moved.is_none_or(|it| it.last_transition_time != was.last_transition_time));
        }
    }
}

#[test]
fn only_the_last_ten_edges_are_remembered_oldest_first() {
    let mut instance = at(Phase::Ready);
    let step = statemachine::step(Phase::Ready, &all_is_well());
    let edge = |to| Taken {
        from: Phase::Ready,
        to,
        event: statemachine::Event::Observed,
        reason: statemachine::Reason::Degraded,
    };
    for number in 0..15 {
        let to = if number == 14 { Phase::Deleting } else { Phase::Degraded };
        let step = statemachine::Step { taken: Some(edge(to)), ..step.clone() };
        let seen = world(all_is_well());
        instance.status = Some(of(&instance, &step, &seen, &Applied::default()).status);
    }
    let history = &instance.status.unwrap().history;
    assert_eq!(history.len(), 10);
    assert_eq!((history[0].to.as_str(), history[9].to.as_str()), ("Degraded", "Deleting"));
}

#[test]
fn a_phase_that_is_not_known_keeps_every_other_condition() {
    let mut instance = after(at(Phase::Ready), &world(all_is_well()), &Applied::default());
    let before = instance.status.clone().unwrap();
    let status = instance.status.as_mut().unwrap();
    status.phase = Some("Hibernating".to_owned());
    let step = statemachine::step(crate::observe::phase(&instance), &all_is_well());
    assert_eq!(step.obligations, Vec::<Action>::new());
    let conditions = amended(&instance, conditions::unknown(&step), &before);
    let changed: Vec<_> =
        conditions.iter().zip(&before.conditions).filter(|(now, was)| now != was).collect();
    assert_eq!(changed.len(), 1);
    let (now, _) = changed[0];
    assert_eq!((now.type_.as_str(), now.reason.as_str()), ("Ready", "UnknownPhase"));
    assert_eq!(now.status, ConditionStatus::Unknown);
    let again = ConvexInstanceStatus { conditions: conditions.clone(), ..before };
    assert_eq!(amended(&instance, conditions::unknown(&step), &again), conditions);
}
