//! Server-side apply, as far as the children of an instance need it: who set which field, and what
//! goes when its only owner leaves it out.

use serde_json::{Map, Value, json};

/// What of the metadata nobody owns.
const IDENTITY: [&str; 6] =
    ["name", "namespace", "uid", "resourceVersion", "managedFields", "generation"];

/// The sets of fields of an object, in the form of `managedFields`.
pub fn of(object: &Value) -> Value {
    let mut top = object.as_object().cloned().unwrap_or_default();
    top.retain(|key, _| !["apiVersion", "kind", "status"].contains(&key.as_str()));
    if let Some(meta) = top.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.retain(|key, _| !IDENTITY.contains(&key.as_str()));
    }
    below("", &Value::Object(top))
}

fn below(field: &str, value: &Value) -> Value {
    let mut set = Map::new();
    match (value, keys(field)) {
        (Value::Object(map), _) if field != "resources" && field != "selector" => {
            set.extend(map.iter().map(|(key, value)| (format!("f:{key}"), below(key, value))));
        }
        (Value::Array(items), Some(keys)) => {
            set.extend(
                items.iter().map(|item| (format!("k:{}", key(item, keys)), below("", item))),
            );
        }
        _ => {}
    }
    Value::Object(set)
}

/// What tells the items of a list apart; none where the list is one thing.
fn keys(field: &str) -> Option<&'static [&'static str]> {
    Some(match field {
        "containers" | "initContainers" | "env" | "volumes" => &["name"],
        "ports" => &["containerPort", "port", "protocol"],
        "volumeMounts" => &["mountPath"],
        "ownerReferences" => &["uid"],
        _ => return None,
    })
}

fn key(item: &Value, keys: &[&str]) -> String {
    let present = keys.iter().filter(|it| !item[**it].is_null());
    let key: Map<_, _> = present.map(|it| ((*it).to_owned(), item[*it].clone())).collect();
    serde_json::to_string(&key).unwrap()
}

/// Lays what is applied over what is there.
pub fn merge(field: &str, live: &mut Value, applied: &Value) {
    match (live, applied, keys(field)) {
        (Value::Object(live), Value::Object(applied), _) => {
            for (key, value) in applied {
                merge(key, live.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(live), Value::Array(applied), Some(keys)) => {
            for item in applied {
                let same = live.iter_mut().find(|it| key(it, keys) == key(item, keys));
                match same {
                    Some(there) => merge("", there, item),
                    None => live.push(item.clone()),
                }
            }
        }
        (live, applied, _) => *live = applied.clone(),
    }
}

/// Takes away what `before` owned and neither `after` nor anybody else does.
pub fn prune(live: &mut Value, before: &Value, after: &Value, others: &[Value]) {
    let Some(owned) = before.as_object() else { return };
    for (path, set) in owned {
        let theirs: Vec<Value> =
            others.iter().map(|it| it[path.as_str()].clone()).filter(|it| !it.is_null()).collect();
        let gone = after[path.as_str()].is_null() && theirs.is_empty();
        match path.split_once(':') {
            Some(("f", name)) if gone => {
                live.as_object_mut().map(|it| it.remove(name));
            }
            Some(("k", key)) if gone => {
                let of = move |it: &Value| matches(it, key);
                live.as_array_mut().unwrap().retain(|it| !of(it));
            }
            Some(("f", name)) => prune(&mut live[name], set, &after[path.as_str()], &theirs),
            Some(("k", key)) => {
                let item = live.as_array_mut().unwrap().iter_mut().find(|it| matches(it, key));
                if let Some(item) = item {
                    prune(item, set, &after[path.as_str()], &theirs);
                }
            }
            _ => {}
        }
    }
}

fn matches(item: &Value, key: &str) -> bool {
    let key: Value = serde_json::from_str(key).unwrap();
    key.as_object().unwrap().iter().all(|(name, value)| item[name.as_str()] == *value)
}

/// RFC 7386.
pub fn merge_patch(live: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *live = patch.clone();
        return;
    };
    if !live.is_object() {
        *live = json!({});
    }
    let live = live.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            live.remove(key);
        } else {
            merge_patch(live.entry(key).or_insert(Value::Null), value);
        }
    }
}
