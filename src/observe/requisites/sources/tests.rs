use std::{collections::BTreeSet, slice::from_ref};

use serde_json::{Value, json};

use super::*;
use crate::plan::labels::VARIABLES_HASH;

fn source(prefix: &str) -> EnvFromSource {
    serde_json::from_value(json!({"prefix": prefix, "secretRef": {"name": "app"}})).unwrap()
}

fn holding(keys: &[(&str, &str)]) -> Keys {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
    keys.collect()
}

fn app(keys: &[(&str, &str)]) -> Found {
    Found::from([(("Secret", "app".to_owned()), Some(holding(keys)))])
}

fn of(prefix: &str, keys: &[(&str, &str)]) -> Result<Sources, Obstacle> {
    gathered(&[source(prefix)], &[], &app(keys))
}

fn variable(from: &Value) -> EnvVar {
    serde_json::from_value(json!({"name": "A", "valueFrom": from})).unwrap()
}

#[test]
fn every_reserved_name_is_refused_whether_by_its_key_or_by_prefix_and_key() {
    for name in RESERVED {
        let refused = of("", &[("A", "1"), (name, "canary")]).unwrap_err();
        assert_eq!(refused.reason, "VariableReserved");
        assert!(refused.message.contains(name) && !refused.message.contains("canary"));
        let (prefix, key) = name.split_at(2);
        assert!(of(prefix, &[(key, "1")]).is_err(), "{name}");
        assert!(of("MY_", &[(name, "1")]).is_ok(), "{name}");
    }
}

#[test]
fn each_variable_is_taken_by_its_key_and_what_makes_no_name_is_passed_over() {
    let found = of("P_", &[("A", "1"), ("b.c", "2"), ("1", "3")]).unwrap();
    let names: BTreeSet<_> = found.variables().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["P_1", "P_A"]));
    let from = found.variables()[1].value_from.clone().unwrap().secret_key_ref.unwrap();
    assert_eq!((from.name.as_str(), from.key.as_str()), ("app", "A"));
}

#[test]
fn the_digest_tells_names_and_values_apart_and_nothing_prints_a_value() {
    let digest = |keys: &[(&str, &str)]| of("", keys).unwrap().digested().to_vec();
    let one = digest(&[("A", "1"), ("B", "2")]);
    assert_eq!(one, digest(&[("B", "2"), ("A", "1")]));
    for other in [[("A", "1"), ("B", "3")], [("A", "12"), ("B", "")], [("A1", ""), ("B", "2")]] {
        assert_ne!(one, digest(&other), "{other:?}");
    }
    assert_eq!(digest(&[]), Vec::<u8>::new());
    assert_eq!(format!("{:?}", of("", &[("A", "canary")]).unwrap()), r#"["A"]"#);
}

#[test]
fn what_the_spec_says_itself_hides_what_a_source_says() {
    let literal: EnvVar = serde_json::from_value(json!({"name": "A", "value": "own"})).unwrap();
    let hidden = |value: &str| {
        let keys = [("A", value), ("B", "2")];
        gathered(&[source("")], from_ref(&literal), &app(&keys)).unwrap()
    };
    assert!(hidden("1") == hidden("3"), "nobody takes A from there");
    let taken = variable(&json!({"configMapKeyRef": {"name": "set", "key": "a"}}));
    let of = |value: &str, other: &str| {
        let mut found = app(&[("A", other), ("B", "2")]);
        found.insert(("ConfigMap", "set".to_owned()), Some(holding(&[("a", value)])));
        gathered(&[source("")], from_ref(&taken), &found).unwrap()
    };
    assert!(of("1", "x") == of("1", "y"));
    assert!(of("1", "x").digested() != of("2", "x").digested());
    let names: Vec<_> = of("1", "x").variables().iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["B"], "the variable of the spec is in the template already");
}

#[test]
fn what_is_missing_is_told_unless_it_may_be() {
    for (from, object) in [
        (json!({"secretKeyRef": {"name": "app", "key": "t"}}), "Secret"),
        (json!({"configMapKeyRef": {"name": "app", "key": "t"}}), "ConfigMap"),
    ] {
        let there = |keys| Found::from([((object, "app".to_owned()), keys)]);
        let lacks = [there(None), there(Some(holding(&[("other", "1")])))];
        for (found, words) in lacks.iter().zip([" is not in this namespace", "no key \"t\""]) {
            let told = gathered(&[], &[variable(&from)], found).unwrap_err();
            assert_eq!(told.reason, "ReferenceMissing");
            let names = told.message.contains(&format!("{object} \"app\""));
            assert!(names && told.message.contains(words), "{}", told.message);
            assert!(told.message.contains("spec.backend.env (A)"), "{}", told.message);
            let mut may = from.clone();
            may.as_object_mut().unwrap().values_mut().next().unwrap()["optional"] = json!(true);
            assert_eq!(gathered(&[], &[variable(&may)], found).unwrap().digested(), b"");
        }
    }
    let gone = Found::from([(("Secret", "app".to_owned()), None)]);
    assert!(gathered(&[source("")], &[], &gone).is_err());
    let mut optional = source("");
    optional.secret_ref.as_mut().unwrap().optional = Some(true);
    assert!(gathered(&[optional], &[], &gone).unwrap().variables().is_empty());
}

/// Another variable is in the template by itself.
#[test]
fn an_upgrade_keeps_what_its_template_said_of_the_same_variables() {
    let kept = |said: &str, keys: &[(&str, &str)]| {
        let mut set = crate::fixtures::stateful_set("v1");
        let template = &mut set.spec.as_mut().unwrap().template;
        let marks = template.metadata.get_or_insert_default().annotations.get_or_insert_default();
        marks.insert(VARIABLES_HASH.to_owned(), said.to_owned());
        of("", keys).unwrap().unmoved(Some(&set)).kept().map(str::to_owned)
    };
    let said = format!("{}.before", of("", &[("A", "1")]).unwrap().places());
    assert_eq!(kept(&said, &[("A", "2")]), Some(said.clone()));
    assert_eq!(kept(&said, &[("A", "2"), ("B", "1")]), None);
    assert_eq!(kept("other", &[("A", "2")]), None);
}
