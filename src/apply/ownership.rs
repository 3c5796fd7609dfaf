//! What we own of a child and no longer want, read from its `managedFields`.
//!
//! Server-side apply removes what a manager applied before and leaves out now. What was set by the POST
//! that created the child belongs to the same manager under another operation, "Update", and would stay
//! for ever; [`adoption`] turns it into something applied.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use serde_json::{Value, json};

use crate::plan::labels::MANAGER;

/// Something that we own and no longer want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surplus {
    /// It was applied: the next apply takes it away.
    Applied,
    /// It was set by the creation.
    FromCreation,
}

/// Whether we own a field of the child that is not wanted.
#[must_use]
pub fn surplus(live: &Value, wanted: &Value) -> Option<Surplus> {
    let of = |operation: &'static str| {
        entries(live)
            .filter(move |it| it["manager"] == MANAGER && it["operation"] == operation && it["subresource"].is_null())
            .any(|it| has_surplus(&it["fieldsV1"], wanted, live))
    };
    if of("Update") {
        return Some(Surplus::FromCreation);
    }
    of("Apply").then_some(Surplus::Applied)
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

/// Walks the set of owned fields beside what is wanted and what is there.
fn has_surplus(fields: &Value, wanted: &Value, live: &Value) -> bool {
    let Some(fields) = fields.as_object() else { return false };
    fields.iter().any(|(path, below)| {
        let (wanted, live) = match path.split_once(':') {
            Some(("f", name)) => (wanted.get(name), live.get(name)),
            Some(("k", key)) => (item(wanted, key), item(live, key)),
            // "." is the thing itself, and "v:" an item of a set, which goes with its list.
            _ => return false,
        };
        match (wanted, live) {
            (_, None) => false,
            (None, Some(live)) => !is_empty(live),
            (Some(wanted), Some(live)) => has_surplus(below, wanted, live),
        }
    })
}

fn item<'a>(list: &'a Value, key: &str) -> Option<&'a Value> {
    let key: Value = serde_json::from_str(key).ok()?;
    let key = key.as_object()?;
    // A key may name what the API server has filled in, such as the protocol of a port.
    let same = |it: &&Value| key.iter().all(|(name, value)| it.get(name).is_none_or(|it| it == value));
    list.as_array()?.iter().find(same)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
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
    fn a_field_of_ours_that_is_no_longer_wanted_is_surplus() {
        let wanted = json!({"data": {"A": "1"}});
        assert_eq!(surplus(&live("Apply"), &wanted), Some(Surplus::Applied));
        assert_eq!(surplus(&live("Update"), &wanted), Some(Surplus::FromCreation));
    }

    #[test]
    fn fields_of_others_and_wanted_fields_are_not() {
        assert_eq!(surplus(&live("Update"), &json!({"data": {"A": "1", "B": "9"}})), None);
    }

    #[test]
    fn items_of_lists_are_found_by_their_keys() {
        let live = json!({
            "metadata": {"managedFields": [{"manager": MANAGER, "operation": "Apply", "fieldsV1":
                {"f:env": {r#"k:{"name":"A"}"#: {".": {}, "f:value": {}}, r#"k:{"name":"B"}"#: {".": {}}}}}]},
            "env": [{"name": "A", "value": "1"}, {"name": "B"}],
        });
        assert_eq!(surplus(&live, &json!({"env": [{"name": "A", "value": "1"}]})), Some(Surplus::Applied));
        assert_eq!(surplus(&live, &json!({"env": [{"name": "A", "value": "1"}, {"name": "B"}]})), None);
    }

    #[test]
    fn the_adoption_is_held_to_what_was_read_and_unites_what_we_own() {
        let mut live = live("Update");
        let applied = json!({"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:data": {"f:D": {}}}});
        live["metadata"]["managedFields"].as_array_mut().unwrap().push(applied);
        let patch = adoption(&live);
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        let managed = patch["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(managed.len(), 2);
        assert_eq!((&managed[0]["manager"], &managed[1]["operation"]), (&json!("kubectl-edit"), &json!("Apply")));
        assert_eq!(managed[1]["fieldsV1"]["f:data"], json!({".": {}, "f:A": {}, "f:B": {}, "f:D": {}}));
    }
}
