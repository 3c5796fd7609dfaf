//! What an instance and its objects say, in lines, without what is another in every run.

use kube::{ResourceExt, api::DynamicObject};
use serde_json::{Value, json};

/// What is compared and too much to be read begins with this.
pub const SAYS: &str = "says ";
/// UIDs and digests, also such as are told shortened, are as long, and no word has only such letters.
const LONG: usize = 8;
/// In the address of a pod.
const DOTS: usize = 3;

/// What an object says. Of a Secret only the keys do: its values are minted for every instance.
pub fn of(kind: &str, object: &DynamicObject, namespace: &str) -> Vec<String> {
    let meta = &object.metadata;
    let owners = meta.owner_references.iter().flatten();
    let mut told = json!({
        "labels": meta.labels,
        "annotations": meta.annotations,
        "finalizers": meta.finalizers,
        "owners": owners.map(|it| format!("{} {}", it.kind, it.name)).collect::<Vec<_>>(),
        "spec": object.data["spec"],
        "data": object.data["data"],
    });
    if kind == "Secret" {
        let keys = object.data["data"].as_object().cloned().unwrap_or_default();
        told["data"] = json!(keys.keys().collect::<Vec<_>>());
    }
    lines(&format!("{kind} {}", object.name_any()), &told, namespace)
}

/// What is told, a line for every word of it. The namespace goes first: what ends its name is drawn by lot, and may look
/// like anything that is masked.
pub fn lines(of: &str, told: &Value, namespace: &str) -> Vec<String> {
    let mut lines = Vec::new();
    flatten(&mut lines, "", told);
    let line = |it: String| format!("{SAYS}{of}{it}").replace(namespace, "NAMESPACE");
    lines.into_iter().map(|it| masked(&line(it))).collect()
}

fn flatten(lines: &mut Vec<String>, path: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, it)| flatten(lines, &format!("{path} {key}"), it));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, it)| flatten(lines, &format!("{path} {at}"), it));
        }
        Value::Null => {}
        value => lines.push(format!("{path}: {value}")),
    }
}

/// A line without UIDs, digests, addresses, and how long something took.
fn masked(line: &str) -> String {
    let line = without(
        line,
        |it| it.is_ascii_digit() || it == '.',
        |run| run.matches('.').count() == DOTS && !run.ends_with('.'),
    );
    let clock = |it: char| it.is_ascii_digit() || it == 'm' || it == 's';
    let took = |run: &str| run.starts_with(|it: char| it.is_ascii_digit()) && run.ends_with('s');
    let line = without(&line, clock, took);
    let hexadecimal = |it: char| matches!(it, '0'..='9' | 'a'..='f' | '-');
    // The name of a Job ends with a number for each try, and its errand may end with such a letter.
    without(&line, hexadecimal, |run| run.split('-').any(|part| part.len() >= LONG))
}

/// A text with `#` for every run of such letters that is like this.
fn without(text: &str, letter: impl Fn(char) -> bool, like_this: impl Fn(&str) -> bool) -> String {
    let (mut masked, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let inside = letter(first);
        let end = rest.find(|it| letter(it) != inside).unwrap_or(rest.len());
        let (run, later) = rest.split_at(end);
        masked.push_str(if inside && like_this(run) { "#" } else { run });
        rest = later;
    }
    masked
}

#[test]
fn what_an_object_says_is_the_same_in_every_run_and_another_where_something_was_changed() {
    let object = |uid: &str, image: &str| -> DynamicObject {
        let owner = json!({"apiVersion": "v1", "kind": "Cvx", "name": "run7", "uid": uid});
        serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "run7-a", "uid": uid, "labels": {"of": uid}, "ownerReferences": [owner]},
            "spec": {
                "address": "http://127.0.0.7:3210", "image": image, "told": format!("1m{}s", &uid[..1]),
                "host": "run7-backend.kills3-9mg4s.svc:3210",
            },
        }))
        .expect("an object")
    };
    let of = |it: &DynamicObject| of("Pod", it, "kills3-9mg4s");
    let one = of(&object("0f0e7e3a-aaaa-4bbb-8ccc-0123456789ab", "backend:v1"));
    let expected = [
        "says Pod run7-a labels of: \"#\"",
        "says Pod run7-a owners 0: \"Cvx run7\"",
        "says Pod run7-a spec address: \"http://#:3210\"",
        "says Pod run7-a spec host: \"run7-backend.NAMESPACE.svc:3210\"",
        "says Pod run7-a spec image: \"backend:v1\"",
        "says Pod run7-a spec told: \"#\"",
    ];
    assert_eq!(one, expected);
    let named = "says Job run7-proof-123456-1 spec suspend: false";
    assert_eq!(
        lines("Job run7-proof-123456-1", &json!({"spec": {"suspend": false}}), "ns"),
        [named]
    );
    assert_eq!(one, of(&object("1a2b3c4d-aaaa-4bbb-8ccc-aaaaaaaaaaaa", "backend:v1")));
    assert_ne!(one, of(&object("0f0e7e3a-aaaa-4bbb-8ccc-0123456789ab", "backend:v2")));
}
