//! What somebody added to a selector: by it something of ours would be about fewer pods, or about none.

use serde_json::{Map, Value, json};

/// The keys that are not wanted, as what takes them away.
pub(super) fn besides(live: &Value, wanted: &Value) -> Map<String, Value> {
    let keys = live.as_object().into_iter().flatten().map(|(key, _)| key);
    let besides = keys.filter(|key| wanted.get(key).is_none());
    besides.map(|key| (key.clone(), Value::Null)).collect()
}

/// Who is let in besides is not let in.
pub(super) fn policy(live: &Value, wanted: &Value) -> Map<String, Value> {
    let mut spec = selector("podSelector", live, wanted);
    let rules = live["ingress"].as_array().into_iter().flatten();
    let wants = wanted["ingress"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ports = |rule: &Value| rule["ports"].as_array().map_or(0, Vec::len);
    if rules.zip(wants).any(|(live, wanted)| ports(live) > ports(wanted)) {
        spec.insert("ingress".to_owned(), wanted["ingress"].clone());
    }
    spec
}

pub(super) fn budget(live: &Value, wanted: &Value) -> Map<String, Value> {
    selector("selector", live, wanted)
}

fn selector(field: &str, live: &Value, wanted: &Value) -> Map<String, Value> {
    let (live, wanted) = (&live[field], &wanted[field]);
    let mut away = besides(live, wanted);
    let labels = besides(&live["matchLabels"], &wanted["matchLabels"]);
    if !labels.is_empty() {
        away.insert("matchLabels".to_owned(), Value::Object(labels));
    }
    let changed = (!away.is_empty()).then(|| (field.to_owned(), json!(away)));
    changed.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Value {
        json!({"podSelector": {"matchLabels": {"a": "1"}},
            "ingress": [{"from": [], "ports": [{"port": 3210, "protocol": "TCP"}]}]})
    }

    #[test]
    fn a_selector_is_about_no_fewer_pods_than_it_was_made_for() {
        let mut live = wanted();
        live["podSelector"]["matchLabels"]["b"] = json!("2");
        live["podSelector"]["matchExpressions"] = json!([{"key": "c", "operator": "Exists"}]);
        let away = json!({"matchLabels": {"b": null}, "matchExpressions": null});
        assert_eq!(Value::Object(policy(&live, &wanted())), json!({ "podSelector": away }));
        let of = |it: &Value| json!({"selector": it["podSelector"], "minAvailable": 1});
        let back = Value::Object(budget(&of(&live), &of(&wanted())));
        assert_eq!(back, json!({ "selector": away }));
        assert!(policy(&wanted(), &wanted()).is_empty());
    }

    #[test]
    fn no_other_port_is_opened() {
        let mut live = wanted();
        live["ingress"][0]["ports"].as_array_mut().unwrap().push(json!({"port": 22}));
        let back = json!({"ingress": wanted()["ingress"]});
        assert_eq!(Value::Object(policy(&live, &wanted())), back);
    }
}
