use serde_json::json;

use super::*;

fn pod(container: &Value) -> Value {
    json!({"containers": [container, {"name": "sidecar", "args": ["theirs"]}]})
}

fn variable(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// The container as it is left, where anything is taken away.
fn left(live: &Value, wanted: &Value) -> Option<Value> {
    surplus(&pod(live), &pod(wanted)).map(|it| it["containers"][0].clone())
}

fn with(container: &Value, added: &Value) -> Value {
    let mut all = container.clone();
    all.as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
    all
}

#[test]
fn what_decides_what_runs_is_as_it_is_wanted_and_sidecars_are_left_alone() {
    let wanted = json!({"name": "backend", "command": ["a"], "lifecycle": {"preStop": 1}});
    for added in [
        json!({"args": ["b"]}),
        json!({"workingDir": "/b"}),
        json!({"envFrom": [1]}),
        json!({"lifecycle": {"preStop": 1, "postStart": {"exec": {"command": ["b"]}}}}),
    ] {
        assert_eq!(left(&with(&wanted, &added), &wanted), Some(wanted.clone()), "{added}");
    }
    assert_eq!(left(&wanted, &wanted), None);
    let live = json!({"name": "backend", "command": ["b"]});
    assert_eq!(left(&live, &json!({"name": "backend"})), Some(json!({"name": "backend"})));
    assert_eq!(left(&live, &wanted), None, "what differs is a matter of applying");
}

#[test]
fn a_reserved_variable_goes_and_any_other_stays() {
    let right = variable("DATA_DIR", "/d");
    let wanted = json!({"name": "backend", "env": [right]});
    let theirs = variable("THEIRS", "1");
    let live = json!({"name": "backend", "env": [variable("POSTGRES_URL", "x"), right, theirs]});
    assert_eq!(left(&live, &wanted).unwrap()["env"], json!([right, theirs]));
}

/// The API server takes several of one name, and the last one is what the program sees.
#[test]
fn of_several_variables_of_one_name_only_the_wanted_one_is_left_wherever_it_stands() {
    let (right, wrong) = (variable("DATA_DIR", "/d"), variable("DATA_DIR", "/e"));
    let wanted = json!({"name": "backend", "env": [right]});
    for env in [json!([right, wrong]), json!([wrong, right]), json!([right, right])] {
        let live = json!({"name": "backend", "env": env});
        assert_eq!(left(&live, &wanted).unwrap()["env"], json!([right]), "{env}");
    }
    let other = variable("DATA_DIR", "/f");
    let live = json!({"name": "backend", "env": [wrong, other]});
    assert_eq!(left(&live, &wanted).unwrap()["env"], json!([wrong]), "one is left to put right");
    let live = json!({"name": "backend", "env": [wrong]});
    assert_eq!(left(&live, &wanted), None, "what differs is a matter of applying");
}

#[test]
fn what_comes_before_the_backend_is_ours_as_a_whole() {
    let mount = json!({"name": "copy", "mountPath": "/run/c"});
    let gate = json!({"name": "gate", "command": ["sh"], "env": [variable("POD_NAME", "a-0")],
        "volumeMounts": [mount]});
    let gates = |gate: &Value| json!({"initContainers": [gate, {"name": "theirs", "args": [1]}]});
    let left = |live: &Value| surplus(&gates(live), &gates(&gate));
    for added in [
        json!({"restartPolicy": "Always"}),
        json!({"env": [variable("POD_NAME", "a-0"), variable("POD_NAME", "a-1")]}),
        json!({"env": [variable("POD_NAME", "a-0"), variable("LD_DEBUG", "all")]}),
        json!({"lifecycle": {"postStart": 1}}),
        json!({"volumeMounts": [mount, {"name": "theirs", "mountPath": "/bin"}]}),
    ] {
        let back = left(&with(&gate, &added)).unwrap_or_else(|| panic!("{added} stays"));
        assert_eq!(back["initContainers"][0], gate, "{added}");
    }
    let defaults = json!({"imagePullPolicy": "IfNotPresent", "resources": {}});
    assert_eq!(left(&with(&gate, &defaults)), None);
}

#[test]
fn the_data_is_the_whole_volume_and_can_be_written() {
    let mount = json!({"name": "data", "mountPath": "/d"});
    let wanted = json!({"name": "backend", "volumeMounts": [mount]});
    for field in
        [json!({"subPath": "b"}), json!({"subPathExpr": "$(B)"}), json!({"readOnly": true})]
    {
        let live = json!({"name": "backend", "volumeMounts": [with(&mount, &field)]});
        assert_eq!(left(&live, &wanted), Some(wanted.clone()), "{field}");
    }
    let volumes =
        |claim: Value| json!({"volumes": [{"name": "data", "persistentVolumeClaim": claim}]});
    let wanted = volumes(json!({"claimName": "a"}));
    let live = volumes(json!({"claimName": "a", "readOnly": true}));
    assert_eq!(surplus(&live, &wanted), Some(wanted));
}

#[test]
fn nothing_is_mounted_over_a_part_of_the_data_and_beside_it_whatever_one_likes() {
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let wanted = json!({"name": "backend", "volumeMounts": [mount("data", "/c/data")]});
    let beside = mount("theirs", "/c/database");
    let all = [mount("data", "/c/data"), mount("tmp", "/c/data/storage"), beside.clone()];
    let live = json!({"name": "backend", "volumeMounts": all});
    let kept = json!([mount("data", "/c/data"), beside]);
    assert_eq!(left(&live, &wanted).unwrap()["volumeMounts"], kept);
}

/// An empty directory says nothing of itself, and everything else may be put in its place.
#[test]
fn a_volume_has_the_source_that_is_wanted_and_no_other() {
    let volumes = |volume: Value| json!({"volumes": [volume, {"name": "theirs", "hostPath": 1}]});
    let wanted = volumes(json!({"name": "data", "emptyDir": {}}));
    for source in ["hostPath", "persistentVolumeClaim", "configMap"] {
        let live = volumes(json!({"name": "data", (source): {"name": "x"}}));
        assert_eq!(surplus(&live, &wanted), Some(wanted.clone()), "{source}");
    }
    assert_eq!(surplus(&wanted, &wanted), None);
}

/// With it the image would make up a secret of its own where ours cannot be read.
#[test]
fn what_the_backend_cannot_do_without_is_not_optional() {
    let from = |optional: Value| {
        let mut key = json!({"name": "dev", "key": "SECRET"});
        key.as_object_mut().unwrap().extend(optional.as_object().unwrap().clone());
        json!({"name": "backend", "env": [{"name": "SECRET", "valueFrom": {"secretKeyRef": key}}]})
    };
    let wanted = from(json!({}));
    assert_eq!(left(&from(json!({"optional": true})), &wanted), Some(wanted.clone()));
    assert_eq!(left(&from(json!({"optional": false})), &wanted), None);
    let both = json!({"name": "backend", "env": [
        {"name": "SECRET", "value": "x", "valueFrom": wanted["env"][0]["valueFrom"]}]});
    assert_eq!(left(&both, &wanted), Some(wanted));
}

#[test]
fn a_probe_asks_in_one_way_and_ports_have_one_name_each() {
    let wanted = json!({"name": "backend", "livenessProbe": {"httpGet": {"path": "/"}},
        "ports": [{"name": "api", "containerPort": 3210}]});
    let mut live = wanted.clone();
    live["livenessProbe"] = json!({"tcpSocket": {"port": 1}, "periodSeconds": 3});
    let back = left(&live, &wanted).unwrap();
    assert_eq!(back["livenessProbe"], wanted["livenessProbe"]);
    let mut live = wanted.clone();
    live["ports"][0]["containerPort"] = json!(80);
    assert_eq!(left(&live, &wanted).unwrap()["ports"], wanted["ports"]);
}
