use statemachine::worlds::born;

use super::*;
use crate::fixtures::{all_is_well, instance_with, world};

fn makes_a_claim(existing: Option<&str>, there: bool) -> bool {
    let instance = instance_with(|spec| {
        if let Some(name) = existing {
            spec["backend"]["storage"] = serde_json::json!({"pvc": {"existingClaim": name}});
        }
    });
    let mut world = world(all_is_well());
    if !there {
        world.children.claims.clear();
    }
    let plan = owed(&instance, &[Action::EnsureStoreStamped(born())], &world);
    plan.steps.iter().any(|step| matches!(step, Step::Ensure(Child::Claim(_))))
}

/// The sizes that are asked for, in the order of the steps, of a claim that has 10Gi.
fn sizes(wanted: &str) -> Vec<String> {
    let instance = instance_with(|spec| {
        spec["backend"]["storage"] = serde_json::json!({"pvc": {"size": wanted}});
    });
    let world = world(all_is_well());
    let actions = [Action::EnsureStoreStamped(born()), Action::EnsureBackendRolled(born())];
    let plan = owed(&instance, &actions, &world);
    let grows_last =
        |(at, step): (usize, &Step)| !matches!(step, Step::Grow(_)) || at + 1 == plan.steps.len();
    assert!(plan.steps.iter().enumerate().all(grows_last), "something depends on it");
    let claims = plan.steps.iter().filter_map(|step| match step {
        Step::Ensure(Child::Claim(it)) | Step::Grow(it) => Some(it),
        _ => None,
    });
    let size = |it: &Box<_>| {
        serde_json::to_value(it).unwrap()["spec"]["resources"]["requests"]["storage"].clone()
    };
    claims.map(|it| size(it).as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_claim_keeps_its_size_and_asks_for_more_last() {
    assert_eq!(sizes("20Gi"), ["10Gi", "20Gi"]);
    assert_eq!(sizes("10Gi"), ["10Gi"]);
    assert_eq!(sizes("10240Mi"), ["10Gi"]);
    assert_eq!(sizes("1Gi"), ["10Gi"]);
}

#[test]
fn a_claim_of_our_own_is_made_and_one_that_the_spec_names_is_only_ever_stamped() {
    assert!(makes_a_claim(None, false));
    assert!(makes_a_claim(Some("dev-data"), true));
    assert!(!makes_a_claim(Some("dev-data"), false));
}

/// A copy of a volume would be beside the same database, which a later version may have migrated. A store that is made has a
/// database of its own.
#[test]
fn a_backend_of_a_database_on_a_server_is_started_on_no_copy_of_a_volume() {
    let looked = |engine: &str, store: &str, asked: &str| {
        let instance = instance_with(|spec| spec["backend"]["db"]["engine"] = engine.into());
        let of = |store: &str| Store::try_from(store.to_owned()).unwrap();
        let (store, asked) = (of(store), of(asked));
        let backend = Backend { store, ..born() };
        let mut world = world(all_is_well());
        let keys = world.keys.as_mut().unwrap();
        keys.deployment = crate::plan::deployment::name(&instance, &keys.name, &asked);
        let steps = owed(&instance, &[Action::EnsureBackendRolled(backend)], &world);
        let is_set = |it: &&Step| matches!(it, Step::Ensure(Child::StatefulSet(_)));
        steps.steps.iter().filter(is_set).count()
    };
    let sets = |engine: &str, store: &str| looked(engine, store, store);
    assert_eq!(looked("postgres", "Made/71", "Original"), 0, "whose its database is was not asked");
    assert_eq!(sets("postgres", "Original"), 1);
    assert_eq!((sets("postgres", "Made/71"), sets("postgres", "Copied/71/1")), (1, 0));
    assert_eq!(sets("sqlite", "Made/71"), 1);
}
