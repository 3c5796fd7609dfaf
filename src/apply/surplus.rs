//! What somebody added where nothing may be besides what is wanted.
//!
//! Fields that are not ours are left alone, but for those that decide what the Service leads to, what runs
//! in our containers, with what environment, and what it takes for its data; where clients come from and are led to; which pods a
//! `NetworkPolicy` and a budget are about; and what would keep ours from being applied beside it.

mod pod;
mod selectors;
mod way_in;

use serde_json::{Map, Value, json};

/// What keeps a changed template from its pod, or gives it another name.
const ROLLING: [&str; 3] = ["ordinals", "minReadySeconds", "paused"];

/// Whether it can no longer be changed, not even back.
pub(super) fn is_sealed(live: &Value) -> bool {
    live["immutable"] == true
}

/// A merge patch that takes away what has no place in what is ours alone; none where there is nothing of
/// the kind. Lists are in it as a whole, so it is good for exactly the object that was seen.
pub(super) fn of(kind: &str, live: &Value, wanted: &Value) -> Option<Value> {
    let (live, wanted) = (&live["spec"], &wanted["spec"]);
    let spec = match kind {
        "Service" => service(live, wanted),
        "StatefulSet" | "Deployment" => workload(live, wanted),
        "HTTPRoute" => way_in::route(live, wanted),
        "Ingress" => way_in::ingress(live, wanted),
        "Gateway" => way_in::gateway(live, wanted),
        "NetworkPolicy" => selectors::policy(live, wanted),
        "PodDisruptionBudget" => selectors::budget(live, wanted),
        _ => Map::new(),
    };
    (!spec.is_empty()).then(|| json!({ "spec": spec }))
}

/// What else a Service selects by turns traffic away, and an external name turns it elsewhere.
fn service(live: &Value, wanted: &Value) -> Map<String, Value> {
    let mut spec = Map::new();
    if live["type"] == "ExternalName" {
        spec.insert("type".to_owned(), json!("ClusterIP"));
        spec.insert("externalName".to_owned(), Value::Null);
    }
    let besides = selectors::besides(&live["selector"], &wanted["selector"]);
    if !besides.is_empty() {
        spec.insert("selector".to_owned(), Value::Object(besides));
    }
    let mut ports = live["ports"].as_array().cloned().unwrap_or_default();
    pod::one_of_each(&mut ports, &wanted["ports"], "port");
    if live["ports"].is_array() && live["ports"] != json!(ports) {
        spec.insert("ports".to_owned(), Value::Array(ports));
    }
    spec
}

fn workload(live: &Value, wanted: &Value) -> Map<String, Value> {
    let added = |field: &&&str| live.get(**field).is_some() && wanted.get(**field).is_none();
    let mut spec: Map<_, _> =
        ROLLING.iter().filter(added).map(|field| ((*field).to_owned(), Value::Null)).collect();
    let pod = |object: &Value| object["template"]["spec"].clone();
    if let Some(pod) = pod::surplus(&pod(live), &pod(wanted)) {
        spec.insert("template".to_owned(), json!({ "spec": pod }));
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_put_into_a_selector_is_taken_away() {
        let live = json!({"spec": {"selector": {"a": "1", "b": "2"}, "type": "LoadBalancer"}});
        let wanted = json!({"spec": {"selector": {"a": "1"}}});
        let away = json!({"spec": {"selector": {"b": null}}});
        assert_eq!(of("Service", &live, &wanted), Some(away));
        assert_eq!(of("Service", &wanted, &wanted), None);
        assert_eq!(of("ConfigMap", &live, &wanted), None);
    }

    #[test]
    fn a_port_that_was_edited_gives_way_and_one_of_somebody_else_stays() {
        let port = |name: &str, port: u16| json!({"name": name, "port": port});
        let spec = |ports: Value| json!({"spec": {"ports": ports}});
        let wanted = spec(json!([port("api", 3210), port("site", 3211)]));
        let theirs = port("theirs", 99);
        let live = spec(json!([port("api", 80), port("site", 3211), theirs]));
        let back = spec(json!([port("api", 3210), port("site", 3211), theirs]));
        assert_eq!(of("Service", &live, &wanted), Some(back.clone()));
        let renamed = spec(json!([port("other", 3210), port("site", 3211), theirs]));
        assert_eq!(of("Service", &renamed, &wanted), Some(back.clone()));
        assert_eq!(of("Service", &back, &wanted), None);
    }

    #[test]
    fn a_service_leads_to_no_other_name() {
        let live = json!({"spec": {"type": "ExternalName", "externalName": "example.org"}});
        let back = json!({"spec": {"type": "ClusterIP", "externalName": null}});
        assert_eq!(of("Service", &live, &json!({"spec": {}})), Some(back));
    }

    #[test]
    fn nothing_keeps_a_changed_template_from_its_pod() {
        for (kind, field, value) in [
            ("StatefulSet", "ordinals", json!({"start": 1})),
            ("StatefulSet", "minReadySeconds", json!(9999)),
            ("Deployment", "paused", json!(true)),
        ] {
            let live = json!({"spec": {"replicas": 1, (field): value}});
            let away = json!({"spec": {(field): null}});
            assert_eq!(of(kind, &live, &json!({"spec": {"replicas": 1}})), Some(away));
        }
    }
}
