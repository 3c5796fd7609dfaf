//! What has no place in the pods of a template of ours. A container that we do not know is somebody else's.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::{api::RESERVED, plan::compare};

/// What decides which program runs in a container, and with what environment.
const PROGRAM: [&str; 6] =
    ["command", "args", "workingDir", "envFrom", "restartPolicy", "restartPolicyRules"];
/// What is asked of a container, and in which way: one way for each.
const PROBES: [&str; 3] = ["startupProbe", "livenessProbe", "readinessProbe"];
const WAYS: [&str; 4] = ["exec", "grpc", "httpGet", "tcpSocket"];
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
    for probe in PROBES {
        if let Some(live) = live.get_mut(probe)
            && WAYS.iter().any(|way| live.get(way).is_some() && wanted[probe].get(way).is_none())
        {
            live.clone_from(&wanted[probe]);
        }
    }
    if let Some(ports) = list(live, "ports") {
        one_of_each(ports, &wanted["ports"], "containerPort");
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
    let wanted = |it: &Value| same(&wanted["env"], "name", it);
    let right = |it: &Value| wanted(it).is_some_and(|wanted| compare::covers(it, wanted));
    let named = |it: &Value| it["name"].as_str().unwrap_or_default().to_owned();
    let good: BTreeSet<_> = env.iter().filter(|it| right(it)).map(named).collect();
    let mut seen = BTreeSet::new();
    env.retain(|it| match wanted(it) {
        None => !is_ours(&named(it)),
        // Where none is right, the first is kept to be put right.
        Some(_) => (right(it) || !good.contains(&named(it))) && seen.insert(named(it)),
    });
    for variable in env {
        if let Some(wanted) = wanted(variable) {
            exactly(variable, wanted);
        }
    }
}

/// A mount of somebody else's below one of ours hides a part of it.
fn mounts(live: &mut Value, wanted: &Value) {
    let ours = &wanted["volumeMounts"];
    let Some(mounts) = list(live, "volumeMounts") else { return };
    // Components, for the runtime takes /a//b and /a/./b for /a/b.
    let path = |it: &Value| -> PathBuf {
        Path::new(it["mountPath"].as_str().unwrap_or_default()).components().collect()
    };
    let hides = |it: &Value| {
        ours.as_array().into_iter().flatten().any(|own| path(it).starts_with(path(own)))
    };
    mounts.retain(|it| same(ours, "mountPath", it).is_some() || !hides(it));
    for mount in mounts {
        if let Some(wanted) = same(ours, "mountPath", mount) {
            without(mount, wanted, &ELSEWHERE);
        }
    }
}

fn volume(live: &mut Value, wanted: &Value) {
    exactly(live, wanted);
}

/// What has more than is wanted, such as another source, is as it is wanted.
fn exactly(live: &mut Value, wanted: &Value) {
    if !has_no_more(live, wanted) {
        *live = wanted.clone();
    }
}

/// Whether everything that is there is wanted too, with whatever value, but for what the API server adds.
fn has_no_more(live: &Value, wanted: &Value) -> bool {
    let Value::Object(live) = live else { return true };
    let added = |key: &str, value: &Value| {
        matches!(key, "apiVersion" | "divisor" | "defaultMode") || *value == Value::Bool(false)
    };
    live.iter().all(|(key, value)| {
        wanted.get(key).map_or_else(|| added(key, value), |wanted| has_no_more(value, wanted))
    })
}

/// A port whose number was edited would stand beside ours under the same name, which no list may have: those
/// that clash give way, and the others stay.
pub(super) fn one_of_each(ports: &mut Vec<Value>, wanted: &Value, number: &str) {
    let ours: Vec<_> = wanted.as_array().into_iter().flatten().cloned().collect();
    let is = |it: &Value, own: &Value| it[number] == own[number] && it["name"] == own["name"];
    let clashes = |it: &Value| {
        let with = |own: &Value| (it[number] == own[number]) != (it["name"] == own["name"]);
        ours.iter().any(with)
    };
    if !ports.iter().any(clashes) {
        return;
    }
    ports.retain(|it| !clashes(it));
    let missing = ours.iter().filter(|own| !ports.iter().any(|it| is(it, own)));
    let missing: Vec<_> = missing.cloned().collect();
    ports.splice(0..0, missing);
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
