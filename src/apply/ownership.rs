//! What we own of a child and no longer want.
//!
//! Server-side apply removes what a manager applied before and leaves out now. What was set by the POST
//! that created the child belongs to the same manager under another operation, "Update", together with
//! the defaults that the API server filled in, and would stay for ever; [`adoption`] turns it into
//! something applied, and is made only once something that was wanted no longer is.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use std::collections::HashSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::plan::labels::MANAGER;

/// Where a child carries the [`shape`] of what was last wanted of it.
pub const SHAPE: &str = "convex.icod.de/applied-fields";

/// A digest of which fields are wanted, whatever their values: where it differs from the one that the
/// child carries, there may be fields of ours that are no longer wanted.
#[must_use]
pub fn shape(wanted: &Value) -> String {
    digest(&paths(wanted))
}

/// Whether something that was last wanted may be wanted no longer, so that it has to go.
#[must_use]
pub fn takes_away(live: &Value, wanted: &Value) -> bool {
    let there: HashSet<_> = paths(live).into_iter().collect();
    let mut now = paths(wanted);
    now.retain(|path| !path.ends_with(SHAPE));
    let before: Vec<_> = now.iter().filter(|path| there.contains(*path)).cloned().collect();
    let last = &live["metadata"]["annotations"][SHAPE];
    *last != digest(&now) && *last != digest(&before)
}

fn digest(paths: &[String]) -> String {
    let mut all = Sha256::new();
    for path in paths {
        all.update(path.as_bytes());
        all.update([0]);
    }
    hex::encode(&all.finalize()[..6])
}

fn paths(value: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    walk(value, &mut String::new(), &mut paths);
    paths
}

fn walk(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    let length = path.len();
    let mut below = |name: &str, value: &Value| {
        path.push('/');
        path.push_str(name);
        walk(value, path, paths);
        path.truncate(length);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        // Items of lists are told apart by their names, where they have one.
        Value::Array(list) => {
            for item in list {
                below(item["name"].as_str().unwrap_or("-"), item);
            }
        }
        _ => paths.push(path.clone()),
    }
}

/// Whether what we set by creating the child is not yet something that we apply.
#[must_use]
pub fn is_as_created(live: &Value) -> bool {
    entries(live).any(|it| {
        it["manager"] == MANAGER && it["operation"] == "Update" && it["subresource"].is_null()
    })
}

/// The patch that turns what we set by creating into what we apply.
#[must_use]
pub fn adoption(live: &Value) -> Value {
    let (ours, mut others): (Vec<Value>, Vec<Value>) = entries(live)
        .cloned()
        .partition(|it| it["manager"] == MANAGER && it["subresource"].is_null());
    let adopted = ours.into_iter().reduce(|mut one, other| {
        unite(&mut one["fieldsV1"], &other["fieldsV1"]);
        one
    });
    if let Some(mut adopted) = adopted {
        adopted["operation"] = json!("Apply");
        others.push(adopted);
    }
    json!({"metadata": {
        "uid": live["metadata"]["uid"],
        "resourceVersion": live["metadata"]["resourceVersion"],
        "managedFields": others,
    }})
}

fn unite(one: &mut Value, other: &Value) {
    let (Some(one), Some(other)) = (one.as_object_mut(), other.as_object()) else { return };
    for (path, below) in other {
        unite(one.entry(path).or_insert_with(|| json!({})), below);
    }
}

fn entries(live: &Value) -> impl Iterator<Item = &Value> {
    live["metadata"]["managedFields"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(operation: &str) -> Value {
        json!({
            "metadata": {"uid": "u", "resourceVersion": "7", "managedFields": [
                {"manager": MANAGER, "operation": operation, "fieldsV1": {"f:data": {".": {}, "f:A": {}, "f:B": {}}}},
                {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:C": {}}}},
            ]},
            "data": {"A": "1", "B": "2", "C": "3"},
        })
    }

    #[test]
    fn the_shape_is_about_which_fields_there_are_and_not_about_their_values() {
        let one = shape(&json!({"env": [{"name": "A", "value": "1"}], "replicas": 1}));
        assert_eq!(one, shape(&json!({"env": [{"name": "A", "value": "2"}], "replicas": 0})));
        assert_ne!(one, shape(&json!({"env": [{"name": "B", "value": "1"}], "replicas": 1})));
        assert_ne!(one, shape(&json!({"env": [{"name": "A", "value": "1"}]})));
    }

    #[test]
    fn what_is_only_added_to_is_told_from_what_something_has_to_go_from() {
        let wanted = |labels: Value| json!({"metadata": {"labels": labels}, "modes": ["A"]});
        let mut live = wanted(json!({"a": "1", "theirs": "2"}));
        live["metadata"]["annotations"][SHAPE] = shape(&wanted(json!({"a": "1"}))).into();
        assert!(!takes_away(&live, &wanted(json!({"a": "1", "b": "2"}))));
        assert!(!takes_away(&live, &wanted(json!({"a": "other"}))));
        assert!(takes_away(&live, &wanted(json!({"b": "2"}))));
        assert!(takes_away(&live, &wanted(json!({"a": "1", "theirs": "3"}))), "was it ours?");
        assert!(takes_away(&json!({}), &wanted(json!({"a": "1"}))));
        live["metadata"]["labels"] = json!({});
        assert!(!takes_away(&live, &wanted(json!({"a": "1"}))), "somebody else has taken it away");
    }

    #[test]
    fn a_creation_is_told_from_what_is_applied() {
        assert!(is_as_created(&live("Update")));
        assert!(!is_as_created(&live("Apply")));
    }

    #[test]
    fn the_adoption_is_held_to_what_was_read_and_unites_what_we_own() {
        let mut live = live("Update");
        let applied =
            json!({"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:data": {"f:D": {}}}});
        live["metadata"]["managedFields"].as_array_mut().unwrap().push(applied);
        let patch = adoption(&live);
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        let managed = patch["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(managed.len(), 2);
        assert_eq!(
            (&managed[0]["manager"], &managed[1]["operation"]),
            (&json!("kubectl-edit"), &json!("Apply"))
        );
        assert_eq!(
            managed[1]["fieldsV1"]["f:data"],
            json!({".": {}, "f:A": {}, "f:B": {}, "f:D": {}})
        );
    }
}
