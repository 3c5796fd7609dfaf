//! Whether what is there is what is wanted, in everything that is wanted.

use serde_json::{Map, Value};

use super::quantity;

/// What tells the items of a Kubernetes list apart, the first that the wanted items have.
const KEYS: [&str; 6] = ["uid", "mountPath", "containerPort", "port", "name", "key"];
/// The maps whose values are quantities.
const QUANTITIES: [&str; 3] = ["requests", "limits", "capacity"];
/// The fields that are quantities by themselves: of an environment variable, and of an empty folder.
const QUANTITY: [&str; 2] = ["divisor", "sizeLimit"];
/// What the API server leaves out where it is false, for nothing else can be meant.
const FALSE: &str = "readOnly";

/// Whether everything that is wanted is there; what is there besides is somebody else's.
#[must_use]
pub fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| field_covers(key, live.get(key), value))
        }
        (Value::Array(live), Value::Array(wanted)) => list_covers(live, wanted),
        (live, wanted) => live == wanted,
    }
}

fn field_covers(key: &str, live: Option<&Value>, wanted: &Value) -> bool {
    if let (Some(Value::Object(live)), Value::Object(wanted), true) =
        (live, wanted, QUANTITIES.contains(&key))
    {
        return wanted
            .iter()
            .all(|(of, much)| live.get(of).is_some_and(|it| same_amount(it, much)));
    }
    let amount = |live: &Value| QUANTITY.contains(&key) && same_amount(live, wanted);
    let left_out = || is_empty(wanted) || (key == FALSE && *wanted == Value::Bool(false));
    live.map_or_else(left_out, |live| amount(live) || covers(live, wanted))
}

fn same_amount(live: &Value, wanted: &Value) -> bool {
    let amount = |value: &Value| value.as_str().and_then(quantity::milli);
    live == wanted || (amount(live).is_some() && amount(live) == amount(wanted))
}

/// The API server leaves empty things out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn list_covers(live: &[Value], wanted: &[Value]) -> bool {
    let Some(key) = key(wanted) else {
        return live.len() == wanted.len()
            && live.iter().zip(wanted).all(|(live, wanted)| covers(live, wanted));
    };
    wanted.iter().all(|item| {
        let same = |it: &&Value| {
            it.get(key) == item.get(key)
                && it
                    .get("protocol")
                    .is_none_or(|protocol| item.get("protocol").is_none_or(|it| it == protocol))
        };
        live.iter().find(same).is_some_and(|live| covers(live, item))
    })
}

/// The key of a list of objects, where every wanted item has one and they differ.
fn key(items: &[Value]) -> Option<&'static str> {
    let objects: Option<Vec<&Map<_, _>>> = items.iter().map(Value::as_object).collect();
    let objects = objects.filter(|it| !it.is_empty())?;
    let tells_apart = |key: &&str| {
        let values: Option<Vec<_>> = objects.iter().map(|it| it.get(*key)).collect();
        values.is_some_and(|it| it.iter().enumerate().all(|(at, value)| !it[..at].contains(value)))
    };
    KEYS.into_iter().find(tells_apart)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_and_foreign_fields_are_no_drift() {
        let live = json!({"spec": {"replicas": 1, "revisionHistoryLimit": 10}, "status": {"x": 1}});
        assert!(covers(&live, &json!({"spec": {"replicas": 1}})));
        assert!(!covers(&live, &json!({"spec": {"replicas": 0}})));
    }

    #[test]
    fn quantities_are_compared_by_value_and_only_where_they_are_quantities() {
        let live = json!({"resources": {"requests": {"memory": "1Gi", "cpu": "500m"}}});
        assert!(covers(
            &live,
            &json!({"resources": {"requests": {"memory": "1024Mi", "cpu": "0.5"}}})
        ));
        assert!(!covers(&live, &json!({"resources": {"requests": {"memory": "2Gi"}}})));
        assert!(!covers(&json!({"data": {"a": "1000m"}}), &json!({"data": {"a": "1"}})));
        let finest = json!({"resources": {"requests": {"cpu": "1m"}}});
        assert!(covers(&finest, &json!({"resources": {"requests": {"cpu": "0.0001"}}})));
        assert!(covers(&json!({"divisor": "1"}), &json!({"divisor": "1000m"})));
    }

    #[test]
    fn what_the_api_server_writes_otherwise_or_leaves_out_is_no_drift() {
        let folder = |size: &str| json!({"emptyDir": {"sizeLimit": size}});
        assert!(covers(&folder("1Gi"), &folder("1024Mi")));
        assert!(!covers(&folder("1Gi"), &folder("2Gi")));
        let mount = |read_only: bool| json!({"mountPath": "/a", "readOnly": read_only});
        assert!(covers(&json!({"mountPath": "/a"}), &mount(false)));
        assert!(!covers(&json!({"mountPath": "/a"}), &mount(true)));
        assert!(!covers(&mount(true), &mount(false)));
        // Left out this one means yes.
        assert!(!covers(&json!({}), &json!({"automountServiceAccountToken": false})));
    }

    #[test]
    fn items_are_found_by_their_key_whatever_their_order() {
        let live = json!({"env": [{"name": "SIDE", "value": "car"}, {"name": "B", "value": "2"}, {"name": "A", "value": "1"}]});
        assert!(covers(
            &live,
            &json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]})
        ));
        assert!(!covers(&live, &json!({"env": [{"name": "A", "value": "3"}]})));
        assert!(!covers(&live, &json!({"env": [{"name": "C", "value": "1"}]})));
    }

    #[test]
    fn lists_without_a_key_are_compared_whole() {
        let live = json!({"command": ["a", "b"]});
        assert!(covers(&live, &json!({"command": ["a", "b"]})));
        assert!(!covers(&live, &json!({"command": ["a"]})));
        assert!(!covers(&live, &json!({"command": ["b", "a"]})));
    }

    #[test]
    fn what_is_empty_may_be_left_out() {
        assert!(covers(
            &json!({}),
            &json!({"annotations": {}, "args": [], "none": null, "emptyDir": {}, "value": ""})
        ));
        assert!(!covers(&json!({}), &json!({"on": false})));
    }
}
