//! What an upgrade does with stores: who may move data, what is copied, and what is left behind.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    api::StoreStatus,
    fixtures::{gate, instance_with},
    plan::gate::Record,
};

/// What the record permits that this look writes.
fn permits(world: &World, action: Action) -> Option<String> {
    let steps = steps(&instance(), action, world);
    let record = steps.iter().find_map(|step| match step {
        Step::Ensure(Child::ConfigMap(it)) => Record::of(it),
        _ => None,
    });
    record.unwrap().permit
}

#[test]
fn a_copy_is_permitted_behind_a_gate_that_is_shut_and_an_import_before_an_open_one() {
    let of = Some("7-1".to_owned());
    let mut world = amid(COPIED, Stage::Exporting);
    world.children.gate = Some(Arc::new(gate("v1", true)));
    assert_eq!(permits(&world, Action::EnsureBackendStopped(born())), of);
    assert_eq!(permits(&world, Action::EnsureBackendRolled(born())), None);
    let mut world = amid(SAME, Stage::Exporting);
    world.children.gate = Some(Arc::new(gate("v1", true)));
    assert_eq!(permits(&world, Action::EnsureBackendRolled(born())), None, "an export reads");
    for (strategy, stage, rolled, stopped) in [
        (SAME, Stage::Rolling, of.clone(), None),
        (SAME, Stage::Importing, of.clone(), None),
        (COPIED, Stage::Rolling, None, None),
    ] {
        let mut world = amid(strategy, stage);
        world.children.gate = Some(Arc::new(gate("v1", true)));
        assert_eq!(permits(&world, Action::EnsureBackendRolled(born())), rolled, "{stage:?}");
        assert_eq!(permits(&world, Action::EnsureBackendStopped(born())), stopped, "{stage:?}");
    }
}

#[test]
fn a_copy_was_opened_by_whoever_opened_the_original_and_is_marked_as_a_copy() {
    let mut world = amid(COPIED, Stage::Exporting);
    let mut record = Record::of(&gate("v2", false)).unwrap();
    record.opened.insert("Original".to_owned(), vec!["v0".to_owned(), "1".to_owned()]);
    let config = crate::plan::gate::config_map(&instance(), &record, "5");
    world.children.gate = Some(Arc::new(config));
    let attempt = world.facts.pins.upgrade.as_ref().unwrap().next_snapshot();
    let (from, to) = (Store::Original, Store::Copied(attempt.clone()));
    let action = Action::EnsureCopied { attempt, from, to: to.clone() };
    let claim = steps(&instance(), action, &world).into_iter().find_map(|step| match step {
        Step::Ensure(Child::Claim(claim)) => Some(*claim),
        _ => None,
    });
    let claim = claim.unwrap();
    assert_eq!(claim::opened_by(Some(&claim.metadata)), ["v0", "1"]);
    assert!(claim::is_copy(&claim));
    // The record learns it from the claim when the copy is opened, and the mark stays.
    world.children.claims.push((to.clone(), Arc::new(claim)));
    let copied = Backend { store: to.clone(), ..born() };
    let opens = steps(&instance(), Action::EnsureBackendRolled(copied.clone()), &world);
    let record = opens.iter().find_map(|step| match step {
        Step::Ensure(Child::ConfigMap(it)) => Record::of(it),
        _ => None,
    });
    assert_eq!(record.unwrap().opened_by(&to), ["v0", "1"]);
    let stamped = steps(&instance(), Action::EnsureStoreStamped(copied), &world);
    let stamped = stamped.iter().any(|step| match step {
        Step::Ensure(Child::Claim(claim)) => claim::is_copy(claim),
        _ => false,
    });
    assert!(stamped);
    let checks = |step: &Step| match step {
        Step::Ensure(Child::StatefulSet(set)) => json!(set).to_string().contains("--copied"),
        _ => false,
    };
    assert!(opens.iter().any(checks), "opened without a look at whether it is whole");
}

/// The claims that go where a store was left at the beginning of time.
fn outdated(store: Store, world: &World, retention: &Value) -> Vec<Step> {
    let mut instance = instance_with(|spec| {
        spec["maintenance"] = json!({ "oldStoreRetention": retention });
    });
    let since = serde_json::from_value(json!("1970-01-02T00:00:00Z")).ok();
    let left = StoreStatus {
        store: store.into(),
        claim: "dev-data-6".to_owned(),
        since,
        ..StoreStatus::default()
    };
    instance.status.get_or_insert_default().stores = vec![left];
    let steps = steps(&instance, Action::EnsureTrafficFlowing, world);
    steps.into_iter().filter(|it| matches!(it, Step::Remove(..))).collect()
}

#[test]
fn a_store_that_was_left_goes_when_it_is_due_but_not_in_use_and_not_amid_an_upgrade() {
    let old = || Store::Made(statemachine::pins::Revision("6".to_owned()));
    let home = world(all_is_well());
    let goes = [Step::Remove(Kind::Claim, "dev-data-6".to_owned())];
    assert_eq!(outdated(old(), &home, &json!("1s")), goes);
    assert_eq!(outdated(old(), &home, &json!("900000h")), []);
    assert_eq!(outdated(old(), &home, &Value::Null), []);
    assert_eq!(outdated(home.children.store.clone(), &home, &json!("1s")), [], "in use");
    assert_eq!(outdated(old(), &amid(FRESH, Stage::Rolling), &json!("1s")), [], "the way back");
}

#[test]
fn what_others_have_imported_is_spared_in_the_store_that_the_snapshot_was_taken_of() {
    let spares = |strategy| {
        let mut world = amid(strategy, Stage::Importing);
        let pod = Arc::make_mut(&mut world.children.pods[0]);
        pod.status.get_or_insert_default().pod_ip = Some("192.0.2.7".to_owned());
        let (attempt, into) = (Snapshot::default(), born());
        let action = Action::EnsureImported { snapshot: attempt.clone(), attempt, into };
        let steps = steps(&instance(), action, &world);
        let started = steps.iter().find_map(|it| match it {
            Step::Start(job) => Some(job.spec.clone()?.template.spec?.containers.remove(0).args?),
            _ => None,
        });
        started.expect("a Job").iter().any(|it| it == "--same-store")
    };
    assert!(spares(SAME));
    assert!(!spares(FRESH));
}
