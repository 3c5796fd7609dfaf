use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn source(prefix: &str) -> EnvFromSource {
    serde_json::from_value(json!({"prefix": prefix, "secretRef": {"name": "app"}})).unwrap()
}

fn of(prefix: &str, keys: &[(&str, &str)]) -> Result<Sources, Obstacle> {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
    Ok(sources(variables(&source(prefix), keys.collect())?.into_iter().collect(), &BTreeMap::new()))
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
