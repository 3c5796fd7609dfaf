//! What somebody added where nothing may be besides what is wanted.
//!
//! Fields that are not ours are left alone, but for those that decide what the Service leads to, what runs
//! in our containers, and what it takes for its data.

use serde_json::{Map, Value, json};

use crate::api::RESERVED;

/// What decides which program runs, and with what environment.
const PROGRAM: [&str; 4] = ["command", "args", "workingDir", "envFrom"];
/// What makes another folder of a volume.
const ELSEWHERE: [&str; 2] = ["subPath", "subPathExpr"];

/// Whether it can no longer be changed, not even back.
pub(super) fn is_sealed(live: &Value) -> bool {
    live["immutable"] == true
}

/// A merge patch that takes away what has no place in what is ours alone; none where there is nothing of
/// the kind. Lists are in it as a whole, so it is good for exactly the object that was seen.
pub(super) fn of(kind: &str, live: &Value, wanted: &Value) -> Option<Value> {
    match kind {
        "Service" => service(&live["spec"], &wanted["spec"]),
        "StatefulSet" | "Deployment" => {
            let pod = |object: &Value| object["spec"]["template"]["spec"].clone();
            let spec = pod_spec(&pod(live), &pod(wanted))?;
            Some(json!({"spec": {"template": {"spec": spec}}}))
        }
        _ => None,
    }
}

/// What else a Service selects by turns traffic away, and an external name turns it elsewhere.
fn service(live: &Value, wanted: &Value) -> Option<Value> {
    let mut spec = Map::new();
    if live["type"] == "ExternalName" {
        spec.insert("type".to_owned(), json!("ClusterIP"));
        spec.insert("externalName".to_owned(), Value::Null);
    }
    let selector = live["selector"].as_object();
    let besides = selector.into_iter().flatten().map(|(key, _)| key.clone());
    let besides: Map<_, _> = besides
        .filter(|key| wanted["selector"].get(key).is_none())
        .map(|key| (key, Value::Null))
        .collect();
    if !besides.is_empty() {
        spec.insert("selector".to_owned(), Value::Object(besides));
    }
    (!spec.is_empty()).then(|| json!({"spec": spec}))
}

fn pod_spec(live: &Value, wanted: &Value) -> Option<Value> {
    let lists = [
        ("containers", stripped(live, wanted, "containers", container)),
        ("initContainers", stripped(live, wanted, "initContainers", container)),
        ("volumes", stripped(live, wanted, "volumes", volume)),
    ];
    let changed = lists.into_iter().filter(|(list, now)| *now != live[*list]);
    let changed: Map<_, _> = changed.map(|(list, now)| (list.to_owned(), now)).collect();
    (!changed.is_empty()).then_some(Value::Object(changed))
}

/// The list as it is, without what has no place in those items that are wanted.
fn stripped(live: &Value, wanted: &Value, list: &str, strip: fn(&mut Value, &Value)) -> Value {
    let mut now = live[list].clone();
    for item in now.as_array_mut().into_iter().flatten() {
        if let Some(wanted) = same(&wanted[list], "name", item) {
            strip(item, wanted);
        }
    }
    now
}

fn container(live: &mut Value, wanted: &Value) {
    without(live, wanted, &PROGRAM);
    let unwanted = |variable: &Value| {
        let reserved = variable["name"].as_str().is_some_and(|it| RESERVED.contains(&it));
        reserved && same(&wanted["env"], "name", variable).is_none()
    };
    if let Some(env) = list(live, "env") {
        env.retain(|variable| !unwanted(variable));
    }
    for mount in list(live, "volumeMounts").into_iter().flatten() {
        if let Some(wanted) = same(&wanted["volumeMounts"], "mountPath", mount) {
            without(mount, wanted, &ELSEWHERE);
        }
    }
}

fn volume(live: &mut Value, wanted: &Value) {
    let claim = "persistentVolumeClaim";
    if let (Some(live), Some(wanted)) = (live.get_mut(claim), wanted.get(claim)) {
        without(live, wanted, &["readOnly"]);
    }
}

fn without(live: &mut Value, wanted: &Value, fields: &[&str]) {
    let Some(live) = live.as_object_mut() else { return };
    live.retain(|field, _| !fields.contains(&field.as_str()) || wanted.get(field).is_some());
}

fn list<'a>(live: &'a mut Value, name: &str) -> Option<&'a mut Vec<Value>> {
    live.get_mut(name)?.as_array_mut()
}

fn same<'a>(list: &'a Value, key: &str, item: &Value) -> Option<&'a Value> {
    list.as_array()?.iter().find(|it| it[key] == item[key])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(container: &Value) -> Value {
        json!({"spec": {"template": {"spec": {
            "containers": [container, {"name": "sidecar", "args": ["theirs"]}],
        }}}})
    }

    fn containers(live: &Value, wanted: &Value) -> Option<Value> {
        of("StatefulSet", &set(live), &set(wanted))
            .map(|it| it["spec"]["template"]["spec"]["containers"][0].clone())
    }

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
    fn a_service_leads_to_no_other_name() {
        let live = json!({"spec": {"type": "ExternalName", "externalName": "example.org"}});
        let back = json!({"spec": {"type": "ClusterIP", "externalName": null}});
        assert_eq!(of("Service", &live, &json!({"spec": {}})), Some(back));
    }

    #[test]
    fn what_decides_what_runs_is_as_it_is_wanted_and_sidecars_are_left_alone() {
        let wanted = json!({"name": "backend", "command": ["a"]});
        for added in [json!({"args": ["b"]}), json!({"workingDir": "/b"}), json!({"envFrom": [1]})]
        {
            let mut live = wanted.clone();
            live.as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
            assert_eq!(containers(&live, &wanted), Some(wanted.clone()), "{added}");
        }
        assert_eq!(containers(&wanted, &wanted), None);
        let live = json!({"name": "backend", "command": ["b"]});
        assert_eq!(
            containers(&live, &json!({"name": "backend"})),
            Some(json!({"name": "backend"}))
        );
        assert_eq!(containers(&live, &wanted), None, "what differs is a matter of applying");
    }

    #[test]
    fn a_reserved_variable_goes_and_any_other_stays() {
        let variable = |name: &str| json!({"name": name, "value": "1"});
        let wanted = json!({"name": "backend", "env": [variable("DATA_DIR")]});
        let live = json!({"name": "backend", "env":
            [variable("POSTGRES_URL"), variable("DATA_DIR"), variable("THEIRS")]});
        let kept = json!([variable("DATA_DIR"), variable("THEIRS")]);
        assert_eq!(containers(&live, &wanted).unwrap()["env"], kept);
    }

    #[test]
    fn the_data_is_the_whole_volume_and_can_be_written() {
        let wanted =
            json!({"name": "backend", "volumeMounts": [{"name": "data", "mountPath": "/d"}]});
        let mut live = wanted.clone();
        live["volumeMounts"][0]["subPath"] = json!("other");
        assert_eq!(containers(&live, &wanted), Some(wanted));
        let volumes = |claim: Value| {
            json!({"spec": {"template": {"spec": {"volumes":
                [{"name": "data", "persistentVolumeClaim": claim}]}}}})
        };
        let wanted = volumes(json!({"claimName": "a"}));
        let live = volumes(json!({"claimName": "a", "readOnly": true}));
        assert_eq!(of("StatefulSet", &live, &wanted), Some(wanted));
    }
}
