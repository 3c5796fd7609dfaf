//! What has no place in the pods of a template of ours. A container that we do not know is somebody else's.

use serde_json::{Map, Value};

use crate::{api::RESERVED, apply::compare};

/// What decides which program runs in a container, and with what environment.
const PROGRAM: [&str; 5] = ["command", "args", "workingDir", "envFrom", "restartPolicy"];
/// What of a container is not wanted and is there all the same: what the API server adds, and what decides nothing.
const HARMLESS: [&str; 4] =
    ["imagePullPolicy", "resources", "terminationMessagePath", "terminationMessagePolicy"];
/// What makes another folder of a volume, or one that cannot be written.
const ELSEWHERE: [&str; 4] = ["subPath", "subPathExpr", "readOnly", "recursiveReadOnly"];

/// The lists of a pod's spec as they should be, where they are not.
pub(super) fn surplus(live: &Value, wanted: &Value) -> Option<Value> {
    let lists = [
        ("containers", stripped(live, wanted, "containers", container)),
        ("initContainers", stripped(live, wanted, "initContainers", first)),
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
    variables(live, wanted, |name| RESERVED.contains(&name));
    let there = ["preStop", "postStart", "stopSignal"];
    if let Some(lifecycle) = live.get_mut("lifecycle") {
        without(lifecycle, &wanted["lifecycle"], &there);
    }
    mounts(live, wanted);
}

/// What stands before the data is ours as a whole.
fn first(live: &mut Value, wanted: &Value) {
    if let Some(live) = live.as_object_mut() {
        live.retain(|field, _| wanted.get(field).is_some() || HARMLESS.contains(&field.as_str()));
    }
    variables(live, wanted, |_| true);
    if let Some(mounts) = list(live, "volumeMounts") {
        mounts.retain(|it| same(&wanted["volumeMounts"], "mountPath", it).is_some());
    }
    mounts(live, wanted);
}

/// Of several variables of one name the last one counts: none is left but the one that is wanted.
fn variables(live: &mut Value, wanted: &Value, is_ours: impl Fn(&str) -> bool) {
    let Some(env) = list(live, "env") else { return };
    let mut seen = Vec::new();
    let right = |it: &Value| {
        same(&wanted["env"], "name", it).is_some_and(|wanted| compare::covers(it, wanted))
    };
    let named = |it: &Value| it["name"].as_str().unwrap_or_default().to_owned();
    let wrong: Vec<_> = env.iter().filter(|it| !right(it)).map(named).collect();
    let there: Vec<_> = env.iter().filter(|it| right(it)).map(named).collect();
    env.retain(|it| {
        let name = named(it);
        if same(&wanted["env"], "name", it).is_none() {
            return !is_ours(&name);
        }
        // Where none is right, one is kept to be put right.
        let good = right(it) || (wrong.contains(&name) && !there.contains(&name));
        let first = !seen.contains(&name);
        if good && first {
            seen.push(name);
            return true;
        }
        false
    });
}

/// A mount of somebody else's below one of ours hides a part of it.
fn mounts(live: &mut Value, wanted: &Value) {
    let ours = &wanted["volumeMounts"];
    let Some(mounts) = list(live, "volumeMounts") else { return };
    let path = |it: &Value| it["mountPath"].as_str().unwrap_or_default().to_owned();
    let below = |it: &Value| {
        let inside = |own: &Value| path(it).starts_with(&format!("{}/", path(own)));
        ours.as_array().is_some_and(|all| all.iter().any(inside))
    };
    mounts.retain(|it| same(ours, "mountPath", it).is_some() || !below(it));
    for mount in mounts {
        if let Some(wanted) = same(ours, "mountPath", mount) {
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
mod tests;
