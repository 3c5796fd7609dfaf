//! The definition of the resource as a file: committed, small, bounded and described.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{fs, path::Path};

use convex_operator::api::{ConvexInstance, crd, crd_yaml};
use serde_json::Value;

const COMMITTED: &str = "crds/convexinstances.yaml";
const COMPLETE: &str = "tests/on-cluster/fixtures/complete.yaml";
/// What is not beside another field of the fixture: the other one of two ways.
const OTHER_WAYS: [&str; 5] = [
    "spec.backend.s3.buckets",
    "spec.backend.pod.serviceAccount.name",
    "spec.backend.podDisruptionBudget.minAvailable",
    "spec.dashboard.podDisruptionBudget.maxUnavailable",
    "spec.maintenance.snapshots.bucket",
];
/// `kubectl apply` keeps a copy as JSON in an annotation, which all together may have 256 KiB, and etcd takes 1.5 MB: this stays
/// far from both.
const LARGEST: usize = 128 * 1024;
/// Descriptions of types that come from Kubernetes are not ours to judge.
const BORROWED: [&str; 12] = [
    ".resources.",
    ".env[]",
    ".envFrom[]",
    ".security.pod.",
    ".security.container.",
    ".imagePullSecrets[]",
    ".affinity.",
    ".tolerations[]",
    ".topologySpreadConstraints[]",
    ".emptyDir.",
    ".persistentVolumeClaim.",
    ".networkPolicy.from[]",
];
/// The same of volumes, which are told of by their kind.
const VOLUMES: [&str; 4] = [".configMap.", ".secret.", ".projected.", ".csi."];

/// Every node of the schema of `spec` and `status`, with its path.
fn nodes() -> Vec<(String, Value)> {
    let definition = serde_json::to_value(crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut nodes = Vec::new();
    for part in ["spec", "status"] {
        collect(part, &schema["properties"][part], &mut nodes);
    }
    nodes
}

fn collect(path: &str, schema: &Value, nodes: &mut Vec<(String, Value)>) {
    nodes.push((path.to_owned(), schema.clone()));
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        collect(&format!("{path}.{name}"), below, nodes);
    }
    for (below, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[below].is_object() {
            collect(&format!("{path}{suffix}"), &schema[below], nodes);
        }
    }
}

/// What is written at a path of the schema: an item of a list that has it is enough.
fn written<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let Some((name, below)) = path.split_first() else { return Some(value) };
    match name.strip_suffix("[]") {
        Some(name) => value[name].as_array()?.iter().find_map(|it| written(it, below)),
        None => written(value.get(name)?, below),
    }
}

/// A suite beside it has the API server take it; a field that is not in it is tried by nobody there.
#[test]
fn the_complete_fixture_has_every_field_of_ours_and_the_operator_reads_all_of_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMPLETE);
    let complete: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let read: ConvexInstance = serde_json::from_value(complete.clone()).unwrap();
    let read = serde_json::to_value(read).unwrap();
    let paths = nodes().into_iter().map(|(path, _)| path);
    let ours =
        paths.filter(|it| it.starts_with("spec.") && !it.ends_with("[]") && !it.ends_with("{}"));
    let ours = ours.filter(|it| !BORROWED.iter().any(|borrowed| it.contains(borrowed)));
    let ours = ours.filter(|it| !VOLUMES.iter().any(|of| it.contains(&format!(".volumes[]{of}"))));
    // The same as the backend's.
    let ours = ours.filter(|it| !it.starts_with("spec.dashboard.pod."));
    let lacking: Vec<_> = ours
        .filter(|it| !OTHER_WAYS.iter().any(|other| it.starts_with(other)))
        .filter(|it| {
            let path: Vec<_> = it.split('.').collect();
            written(&complete, &path).is_none()
                || written(&read, &path) != written(&complete, &path)
        })
        .collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
}

/// `UPDATE_GENERATED=1` writes the file instead.
#[test]
fn the_committed_definition_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED);
    let generated = crd_yaml().unwrap();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap();
    assert!(committed == generated, "stale: run `UPDATE_GENERATED=1 cargo test --test crd`");
}

#[test]
fn the_definition_is_small() {
    let size = serde_json::to_string(&crd()).unwrap().len();
    assert!(size < LARGEST, "{size} bytes");
}

#[test]
fn every_field_of_ours_is_described_in_a_sentence_or_a_few() {
    let odd: Vec<_> = nodes()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("[]") && !path.ends_with("{}"))
        .filter(|(path, _)| !BORROWED.iter().any(|borrowed| path.contains(borrowed)))
        .filter(|(path, _)| !VOLUMES.iter().any(|it| path.contains(&format!(".volumes[]{it}"))))
        .filter_map(|(path, schema)| {
            let described = schema["description"].as_str().unwrap_or_default();
            let length = described.chars().count();
            (!(15..=400).contains(&length)).then(|| format!("{path}: {described:?}"))
        })
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

#[test]
fn every_string_list_and_map_has_an_upper_end() {
    let endless: Vec<_> = nodes()
        .into_iter()
        .filter(|(_, schema)| match schema["type"].as_str() {
            _ if schema["x-kubernetes-int-or-string"] == true => schema["maxLength"].is_null(),
            Some("string") => {
                let closed = ["enum", "format", "maxLength"];
                closed.iter().all(|key| schema[*key].is_null())
            }
            Some("array") => schema["maxItems"].is_null(),
            Some("object") => {
                !schema["additionalProperties"].is_null() && schema["maxProperties"].is_null()
            }
            _ => false,
        })
        .map(|(path, _)| path)
        .collect();
    assert!(endless.is_empty(), "{endless:#?}");
}

#[test]
fn every_rule_says_what_to_do_in_words() {
    for (path, schema) in nodes() {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(message.len() > 40, "{path}: {rule}");
        }
    }
}
