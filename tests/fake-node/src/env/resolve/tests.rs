//! Environments as manifests say them.

use serde_json::{Value, json};

use super::*;

fn resolved(container: Value) -> Result<BTreeMap<String, String>, String> {
    let container: Container = serde_json::from_value(container).unwrap();
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "acme-backend-0", "namespace": "shop"}, "spec": {"containers": []}
    }))
    .unwrap();
    let facts = PodFacts { pod_ip: "127.0.0.9".into(), host_ip: "127.0.0.1".into() };
    let objects = Objects::default()
        .with(Kind::ConfigMap, "settings", &[("DATA_DIR", "/convex/data"), ("HOST", "db")])
        .with(Kind::Secret, "instance", &[("INSTANCE_SECRET", "aa\n")]);
    resolve(&container, &pod, &facts, &objects)
        .map(|found| found.into_iter().map(|(k, v)| (k, String::from_utf8(v).unwrap())).collect())
        .map_err(|error| error.to_string())
}

#[test]
fn whole_objects_come_first_and_single_variables_win_and_may_use_them() {
    let found = resolved(json!({
        "name": "backend",
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "instance"}, "prefix": "X_"}],
        "env": [
            {"name": "DATA_DIR", "value": "/other"},
            {"name": "URL", "value": "http://$(HOST)$(DATA_DIR)"},
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "instance", "key": "INSTANCE_SECRET"}}},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "EMPTY"}
        ]
    }))
    .unwrap();
    for (name, value) in [
        ("DATA_DIR", "/other"),
        ("URL", "http://db/other"),
        ("X_INSTANCE_SECRET", "aa\n"),
        ("SECRET", "aa\n"),
        ("POD", "acme-backend-0"),
        ("EMPTY", ""),
    ] {
        assert_eq!(found[name], value);
    }
}

#[test]
fn what_is_missing_is_named_in_a_kubelets_words() {
    for (container, words) in [
        (json!({"envFrom": [{"secretRef": {"name": "gone"}}]}), "secret \"gone\" not found"),
        (json!({"envFrom": [{"configMapRef": {"name": "gone"}}]}), "configmap \"gone\" not found"),
        (
            json!({"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "instance", "key": "K"}}}]}),
            "couldn't find key K in Secret shop/instance",
        ),
        (
            json!({"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "K"}}}]}),
            "couldn't find key K in ConfigMap shop/settings",
        ),
    ] {
        let mut container = container;
        container["name"] = json!("backend");
        assert_eq!(resolved(container).unwrap_err(), words);
    }
}

#[test]
fn what_is_optional_may_be_missing() {
    let found = resolved(json!({
        "name": "backend",
        "envFrom": [{"secretRef": {"name": "gone", "optional": true}}],
        "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "instance", "key": "K", "optional": true}}}]
    }));
    assert_eq!(found, Ok(BTreeMap::new()));
}

#[test]
fn a_container_needs_every_object_that_it_mentions() {
    let container: Container = serde_json::from_value(json!({
        "name": "backend",
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "instance", "key": "K"}}}]
    }))
    .unwrap();
    let names: Vec<_> = needs(&container).into_iter().map(|key| (key.kind, key.name)).collect();
    assert_eq!(
        names,
        [(Kind::ConfigMap, "settings".to_owned()), (Kind::Secret, "instance".to_owned())]
    );
}
