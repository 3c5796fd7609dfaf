use std::sync::Arc;

use serde_json::json;
use statemachine::worlds::born;

use super::*;
use crate::{
    fixtures::{all_is_well, claim, instance_with, world},
    plan::Claimed,
};

fn made() -> Store {
    Store::try_from("Made/71".to_owned()).unwrap()
}

fn of_class(store: Store, name: &str, class: &str) -> Claimed {
    let mut claim = claim(name);
    claim.spec.get_or_insert_default().storage_class_name = Some(class.to_owned());
    (store, Arc::new(claim))
}

/// The class that is wanted for a store besides, of an instance that took a claim over, where these claims are there.
fn wanted(asked: Option<&str>, there: Vec<Claimed>) -> Option<String> {
    let instance = instance_with(|spec| {
        spec["backend"]["storage"] = json!({"pvc": {"existingClaim": "theirs",
            "storageClassName": asked}});
    });
    let mut world = world(all_is_well());
    world.children.claims = there;
    let inputs = world.inputs(&instance).unwrap();
    let backend = Backend { store: made(), ..born() };
    stamped(&inputs, &backend).spec.unwrap().storage_class_name
}

#[test]
fn a_claim_that_is_there_keeps_its_class_whatever_became_of_the_one_that_was_taken_over() {
    let there = || of_class(made(), "dev-data-71", "fast");
    let theirs = || of_class(Store::Original, "theirs", "slow");
    assert_eq!(wanted(None, vec![theirs(), there()]).as_deref(), Some("fast"));
    assert_eq!(wanted(None, vec![there()]).as_deref(), Some("fast"));
    assert_eq!(wanted(Some("other"), vec![there()]).as_deref(), Some("fast"));
}

/// By the seal a lost status is rebuilt: a store that nobody was let in to must not be taken for the one that holds the data.
#[test]
fn a_store_that_was_made_is_sealed_once_it_is_home_and_then_no_more() {
    let instance = instance_with(|_| ());
    let backend = Backend { store: made(), ..born() };
    let mut world = world(all_is_well());
    world.children.claims = vec![(made(), Arc::new(claim("dev-data-71")))];
    let seals = |world: &crate::observe::World| {
        sealed(&world.inputs(&instance).unwrap(), &backend).map(|it| it.metadata)
    };
    let marks = seals(&world).expect("it is not sealed yet").annotations.unwrap();
    assert!(marks.contains_key(labels::SEALED));
    let opens = stamped(&world.inputs(&instance).unwrap(), &backend).metadata.annotations;
    assert!(!opens.unwrap().contains_key(labels::SEALED), "opened is not served from");
    let mut there = claim("dev-data-71");
    there.metadata.annotations = Some(marks);
    world.children.claims = vec![(made(), Arc::new(there))];
    assert_eq!(seals(&world), None);
}

#[test]
fn a_store_besides_is_of_the_class_that_is_asked_for_or_else_of_that_of_the_others() {
    let theirs = || of_class(Store::Original, "theirs", "slow");
    assert_eq!(wanted(None, vec![theirs()]).as_deref(), Some("slow"));
    assert_eq!(wanted(Some("other"), vec![theirs()]).as_deref(), Some("other"));
    assert_eq!(wanted(None, Vec::new()), None);
}
