mod room;
mod stores;
mod taken;

use std::time::Duration;

use statemachine::{
    Action,
    observed::Kind as Carries,
    pins::{Destination, Direction, Strategy, WayBack},
    worlds::{born, upgrade},
};

use super::*;
use crate::{
    api::ConvexInstance,
    fixtures::{all_is_well, instance, pod, seen, world},
    observe::{
        World,
        jobs::{Jobs, Seen, again::Again},
    },
    plan::owed,
};

const COPIED: Strategy = Strategy::InPlace(WayBack::Copy);
const FRESH: Strategy = Strategy::ExportImport(Destination::FreshStore);
const SAME: Strategy = Strategy::ExportImport(Destination::SameStore);

/// A look in the middle of an upgrade.
fn amid(strategy: Strategy, stage: Stage) -> World {
    let mut world = world(all_is_well());
    world.facts.pins.upgrade = Some(upgrade(strategy, stage, Direction::Forward));
    world
}

fn steps(instance: &ConvexInstance, action: Action, world: &World) -> Vec<Step> {
    owed(instance, &[action], world).steps
}

/// An instance whose status says this of its traffic.
fn told_of(traffic: &str) -> ConvexInstance {
    let mut instance = instance();
    instance.status.get_or_insert_default().traffic = Some(traffic.to_owned());
    instance
}

/// Where the Service leads after these steps, and whether the deployment is to be paused.
fn holds(world: &World) -> (Option<bool>, bool) {
    let steps = steps(&told_of(hold::HELD), Action::EnsureTrafficHeld, world);
    let leads = steps.iter().find_map(|step| match step {
        Step::Ensure(Child::Service(service)) => Some(service::flows(service)),
        _ => None,
    });
    (leads, steps.contains(&Step::Hold))
}

fn told(paused: Option<bool>) -> Hold {
    Hold { paused, pausable: true, ..Hold::default() }
}

fn job(errand: Errand, outcome: Outcome) -> Seen {
    let of = Snapshot { of: statemachine::pins::Revision("7".to_owned()), attempt: 1 };
    seen(errand, of, outcome)
}

#[test]
fn users_of_the_old_version_are_turned_away_by_its_pause_and_the_service_stays_as_it_is() {
    let mut world = amid(SAME, Stage::Exporting);
    world.hold = Some(told(Some(false)));
    assert_eq!(holds(&world), (None, true));
    world.hold = Some(told(Some(true)));
    assert_eq!(holds(&world), (None, false));
    world.hold = Some(Hold { pausable: false, ..Hold::default() });
    assert_eq!(holds(&world), (Some(false), false), "one that knows no pause");
}

#[test]
fn nobody_is_paused_before_it_is_known_whether_the_owner_has_paused() {
    let mut world = amid(SAME, Stage::Exporting);
    world.hold = Some(told(Some(false)));
    assert_eq!(steps(&instance(), Action::EnsureTrafficHeld, &world), []);
}

/// The next pause is ours, and would be taken for the owner's and never be lifted, if that were not on record first.
#[test]
fn a_deployment_that_its_owner_has_resumed_is_paused_once_the_next_pause_is_known_to_be_ours() {
    let pauses = |world: &World, told: &str| {
        steps(&told_of(told), Action::EnsureTrafficHeld, world).contains(&Step::Hold)
    };
    let resumed =
        |strategy, stage| World { hold: Some(told(Some(false))), ..amid(strategy, stage) };
    for (strategy, stage) in [(SAME, Stage::Exporting), (SAME, Stage::Rolling)] {
        assert!(!pauses(&resumed(strategy, stage), hold::PAUSED), "{stage:?}");
        assert!(pauses(&resumed(strategy, stage), hold::HELD), "{stage:?}");
    }
    let born = resumed(FRESH, Stage::Rolling);
    assert!(pauses(&born, hold::PAUSED), "a new store was never paused by anybody");
}

/// A new store knows of no pause, and until its own backend is seen paused anybody could write to it.
#[test]
fn the_service_leads_to_a_fresh_store_only_once_its_own_backend_was_seen_paused() {
    let mut world = amid(FRESH, Stage::Rolling);
    assert_eq!(holds(&world), (Some(false), false), "nobody was asked");
    for unknown in [None, Some(false)] {
        world.hold = Some(told(unknown));
        assert_eq!(holds(&world), (Some(false), true), "{unknown:?}");
    }
    world.hold = Some(told(Some(true)));
    world.facts.pods = vec![statemachine::observed::Pod {
        backend: born(),
        health: statemachine::observed::Health::Serving,
    }];
    assert_eq!(holds(&world), (Some(false), false), "the pause is that of the old store");
    world.facts.pods[0].backend.store = world.facts.pins.upgrade.as_ref().unwrap().to.store.clone();
    assert_eq!(holds(&world), (Some(true), false));
    let mut same = amid(SAME, Stage::Rolling);
    same.hold = Some(told(Some(false)));
    assert_eq!(holds(&same), (None, true), "the old store keeps its pause, whoever opens it");
}

#[test]
fn a_pause_of_the_owner_is_not_ended() {
    let ends = |traffic: Option<&str>, paused: Option<bool>| {
        let mut instance = instance();
        instance.status.get_or_insert_default().traffic = traffic.map(str::to_owned);
        let mut world = world(all_is_well());
        world.hold = Some(told(paused));
        steps(&instance, Action::EnsureTrafficFlowing, &world).contains(&Step::Release)
    };
    assert!(ends(Some(hold::HELD), Some(true)));
    assert!(!ends(Some(hold::PAUSED), Some(true)));
    assert!(!ends(None, Some(true)));
    assert!(!ends(Some(hold::HELD), Some(false)));
}

#[test]
fn imports_are_cancelled_where_they_are_not_those_of_the_attempt() {
    let all = |world: &World, except: Option<(Carries, Snapshot)>| {
        steps(&instance(), Action::EnsureJobsStopped { except }, world)
    };
    let mut world = amid(SAME, Stage::Rolling);
    let performed = vec!["i1".to_owned()];
    world.hold = Some(Hold { imports: performed.clone(), ..told(Some(true)) });
    let import = job(Errand::Import, Outcome::Running);
    let own = Some((Carries::Import, import.of.clone()));
    let removed = Step::Remove(Kind::Job, import.name.clone());
    world.jobs = Jobs(vec![import.clone()]);
    assert_eq!(all(&world, None), [removed, Step::CancelImports(performed.clone())]);
    assert_eq!(all(&world, own.clone()), []);
    let older = Seen { of: Snapshot { attempt: 9, ..import.of.clone() }, ..import.clone() };
    world.jobs = Jobs(vec![older.clone()]);
    let ends = Step::Remove(Kind::Job, older.name);
    assert_eq!(
        all(&world, own.clone()),
        [ends, Step::CancelImports(performed.clone())],
        "another attempt's"
    );
    world.jobs = Jobs(vec![Seen { outcome: Outcome::Failed, ..import }]);
    assert_eq!(all(&world, own), [Step::CancelImports(performed)], "its Job has given up");
}

/// A leader that is woken may hear of a Job before it hears of its pod.
#[test]
fn a_job_that_is_complete_is_not_ended_though_its_pod_seems_to_run() {
    let stop = || Action::EnsureJobsStopped { except: None };
    let mut world = amid(COPIED, Stage::Rolling);
    let running = job(Errand::Copy, Outcome::Running);
    world.jobs = Jobs(vec![running.clone()]);
    assert_eq!(steps(&instance(), stop(), &world), [Step::Remove(Kind::Job, running.name.clone())]);
    world.jobs = Jobs(vec![Seen { complete: true, ..running }]);
    assert_eq!(steps(&instance(), stop(), &world), []);
}

#[test]
fn a_job_is_ended_that_talks_to_a_pod_which_is_gone_and_made_anew_for_the_one_that_is_there() {
    let mut world = amid(SAME, Stage::Exporting);
    let export = job(Errand::Export, Outcome::Running);
    let action = || Action::EnsureExported(export.of.clone());
    let seen = |stale, outcome| Jobs(vec![Seen { outcome, stale, ..export.clone() }]);
    world.jobs = seen(true, Outcome::Running);
    let gone = [Step::Remove(Kind::Job, export.name.clone())];
    assert_eq!(steps(&instance(), action(), &world), gone);
    world.jobs = seen(true, Outcome::Succeeded);
    assert_eq!(steps(&instance(), action(), &world), [], "what it has made is there");
    world.jobs = seen(false, Outcome::Failed);
    assert_eq!(steps(&instance(), action(), &world), [], "another attempt makes another one");
}

#[test]
fn the_next_worker_of_an_attempt_is_started_once_its_time_has_come() {
    let failed = job(Errand::Copy, Outcome::Running);
    let copy = |pause, number| {
        let mut world = amid(COPIED, Stage::Exporting);
        world.jobs = Jobs(vec![failed.clone()]);
        let (errand, of) = (Errand::Copy, failed.of.clone());
        world.again = Some(Again { errand, of, number, pause: Duration::from_secs(pause) });
        let (from, to) = (Store::Original, Store::Copied(failed.of.clone()));
        let action = Action::EnsureCopied { attempt: failed.of.clone(), from, to };
        let steps = steps(&instance(), action, &world);
        let started = steps.into_iter().find_map(|step| match step {
            Step::Start(job) => job.metadata.name,
            _ => None,
        });
        started.unwrap_or_default()
    };
    assert_eq!([copy(1, 2), copy(0, 2), copy(0, 3)], ["", "dev-copy-7-1-2", "dev-copy-7-1-3"]);
}

/// The arguments of the worker that an attempt starts.
fn arguments(world: &World, action: Action) -> Vec<String> {
    let steps = steps(&instance(), action, world);
    let job = steps.into_iter().find_map(|step| match step {
        Step::Start(job) => Some(job),
        _ => None,
    });
    let pod = job.unwrap().spec.unwrap().template.spec.unwrap();
    pod.containers.into_iter().next().unwrap().args.unwrap()
}

#[test]
fn an_export_is_told_to_spare_the_one_that_the_upgrade_still_needs() {
    let mut world = amid(SAME, Stage::Exporting);
    let served = pod("dev-backend-0");
    let served = crate::fixtures::PodWords::of(served, "v1");
    let mut served = crate::fixtures::PodWords::ready(served);
    served.status.as_mut().unwrap().pod_ip = Some("10.0.0.7".to_owned());
    world.children.pods = vec![std::sync::Arc::new(served)];
    let of = world.facts.pins.upgrade.as_ref().unwrap().next_snapshot();
    let spares = |world: &World| {
        let all = arguments(world, Action::EnsureExported(of.clone()));
        let at = all.iter().position(|it| it == "--keep");
        at.map(|at| all[at + 1].clone())
    };
    assert_eq!(spares(&world), None);
    let held = |world: &World| {
        arguments(world, Action::EnsureExported(of.clone())).contains(&"--held".to_owned())
    };
    assert!(!held(&world), "nobody can be held who does not know how");
    world.hold = Some(told(Some(true)));
    assert!(held(&world));
    let needed = Snapshot { attempt: 4, ..of.clone() };
    world.facts.pins.upgrade.as_mut().unwrap().snapshot = Some(needed.clone());
    assert_eq!(spares(&world), Some(attempt(&needed)));
}
