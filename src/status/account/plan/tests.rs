//! What people read before they approve.

use chrono::TimeDelta;
use serde_json::json;
use statemachine::Phase;

use super::*;
use crate::{
    api::SnapshotStatus,
    fixtures::{all_is_well, instance, instance_with, world},
    observe::{Control, Hours},
};

/// A world at v1 in which v2 is wished for by this strategy, and waits.
fn waiting(strategy: Strategy) -> World {
    let mut facts = all_is_well();
    facts.wish.release.version = "v2".to_owned();
    facts.wish.release.image = "example.com/backend:v2".to_owned();
    facts.wish.strategy = strategy;
    facts.leave = Leave::ForApproval;
    let control = Control {
        leave: Leave::ForApproval,
        plan: Some("0123456789".to_owned()),
        ..Control::default()
    };
    World { control, ..world(facts) }
}

fn plan(strategy: Strategy) -> UpgradePlan {
    of(&instance(), &waiting(strategy), &ConvexInstanceStatus::default()).unwrap()
}

#[test]
fn a_plan_says_what_is_done_in_the_order_of_the_law() {
    let copy = plan(Strategy::InPlace(WayBack::Copy));
    let begins = ["prove image", "pause", "stop", "copy claim dev-data", "start v2", "end"];
    assert_eq!(copy.steps.len(), begins.len());
    for (step, begin) in copy.steps.iter().zip(begins) {
        assert!(step.starts_with(begin), "{step}");
    }
    let fresh = plan(Strategy::ExportImport(Destination::FreshStore)).steps.join("; ");
    assert!(fresh.contains("new and empty claim; claim dev-data stays as it is"), "{fresh}");
    assert!(fresh.contains("wait until functions are deployed on v2"), "{fresh}");
}

#[test]
fn a_plan_for_a_database_on_a_server_says_that_nobody_goes_back_by_himself() {
    let served = instance_with(|spec| spec["backend"]["db"]["engine"] = json!("postgres"));
    let world = waiting(Strategy::InPlace(WayBack::Export));
    let plan = of(&served, &world, &ConvexInstanceStatus::default()).unwrap().steps.join("; ");
    assert!(plan.contains("start v2 on its database"), "{plan}");
    assert!(plan.contains("the export, into a new database, by hand"), "{plan}");
}

#[test]
fn a_plan_without_a_way_back_says_that_there_is_none_and_proves_nothing() {
    let off = plan(Strategy::InPlace(WayBack::None));
    assert_eq!(off.steps.len(), 2);
    assert!(off.steps[1].ends_with("there is no way back"), "{:?}", off.steps);
    assert!(off.expected_downtime.starts_with("the replacement of one pod"), "{off:?}");
}

/// What was rolled back is not about to be done again.
#[test]
fn a_release_that_is_refused_has_no_plan_until_another_try_is_asked_for() {
    let mut world = waiting(Strategy::InPlace(WayBack::Copy));
    let planned = |world: &World| of(&instance(), world, &ConvexInstanceStatus::default());
    let (release, retry) = (world.facts.wish.release.clone(), world.facts.wish.retry.clone());
    world.facts.pins.refused = Some(statemachine::pins::Refused { release, retry });
    assert_eq!(planned(&world), None);
    world.facts.wish.retry = "once more".to_owned();
    assert!(planned(&world).is_some());
}

#[test]
fn the_downtime_names_what_takes_the_time() {
    let copy = plan(Strategy::InPlace(WayBack::Copy)).expected_downtime;
    assert!(copy.contains("copying the volume of 10Gi at most"), "{copy}");
    let snapshot = SnapshotStatus { bytes: 4711, ..SnapshotStatus::default() };
    let before =
        ConvexInstanceStatus { snapshots: vec![snapshot], ..ConvexInstanceStatus::default() };
    let world = waiting(Strategy::InPlace(WayBack::Export));
    let export = of(&instance(), &world, &before).unwrap();
    assert_eq!(export.snapshot_bytes, Some(4711));
    assert!(export.expected_downtime.contains("4711 bytes"), "{}", export.expected_downtime);
}

#[test]
fn every_plan_fits_into_the_status() {
    let before = ConvexInstanceStatus {
        snapshots: vec![SnapshotStatus { bytes: i64::MAX, ..SnapshotStatus::default() }],
        ..ConvexInstanceStatus::default()
    };
    let long = instance_with(|spec| {
        spec["backend"]["storage"]["pvc"] = json!({"existingClaim": "c".repeat(253)});
    });
    for strategy in Strategy::ALL {
        let mut world = waiting(strategy);
        world.facts.wish.release.version = "w".repeat(100);
        world.facts.wish.release.image = "i".repeat(512);
        let plan = of(&long, &world, &before).unwrap();
        assert!(plan.steps.len() <= 16);
        assert!(plan.steps.iter().all(|it| it.len() <= 1024), "{plan:?}");
        assert!(plan.expected_downtime.len() <= 256, "{}", plan.expected_downtime);
    }
}

#[test]
fn there_is_no_plan_where_nothing_is_planned_and_none_once_it_has_begun() {
    let before = ConvexInstanceStatus::default();
    assert_eq!(of(&instance(), &world(all_is_well()), &before), None);
    let mut begins = waiting(Strategy::InPlace(WayBack::None));
    begins.facts.leave = Leave::Given;
    let step = statemachine::step(Phase::Ready, &begins.facts);
    assert!(matches!(step.phase, Phase::Upgrading(_)));
    assert_eq!(of(&instance(), &begins.after(&step), &before), None);
}

#[test]
fn the_next_opening_is_told_only_to_who_waits_for_it() {
    let mut world = waiting(Strategy::InPlace(WayBack::None));
    let later = world.now + TimeDelta::hours(1);
    world.control.hours = Hours { is_open: false, opens: Some(later) };
    assert_eq!(opens(&world), None);
    world.control.leave = Leave::ForWindow;
    assert_eq!(opens(&world), Some(later));
}
