use serde_json::{Value, json};

use super::*;
use crate::fixtures::instance_with;

/// An instance of this name and age, which asks for this.
fn asking((namespace, name, born): (&str, &str, &str), networking: Value) -> ConvexInstance {
    let mut instance = instance_with(|spec| spec["networking"] = networking);
    let meta = json!({"namespace": namespace, "name": name, "uid": format!("{namespace}/{name}"),
        "creationTimestamp": format!("2026-01-0{born}T00:00:00Z")});
    instance.metadata = serde_json::from_value(meta).unwrap();
    instance
}

fn told(instance: &ConvexInstance, other: &ConvexInstance) -> Option<&'static str> {
    taken(instance, [instance, other].into_iter()).map(|it| it.reason)
}

#[test]
fn the_older_of_two_keeps_a_host_in_whatever_namespace_it_is() {
    let host = || json!({"host": "api.example.com", "ingress": {}});
    let older = asking(("shop", "zoo", "1"), host());
    let younger = asking(("bank", "dev", "2"), host());
    assert_eq!(told(&older, &younger), None);
    assert_eq!(told(&younger, &older), Some("HostConflict"));
    let message = taken(&younger, [&older].into_iter()).unwrap().message;
    assert!(message.contains("api.example.com") && message.contains("shop/zoo"), "{message}");
    let twin = asking(("shop", "zoo2", "1"), host());
    assert_eq!((told(&older, &twin), told(&twin, &older)), (None, Some("HostConflict")));
}

#[test]
fn a_host_is_taken_by_any_purpose_and_by_nobody_who_lets_nobody_in() {
    let younger = asking(("shop", "dev", "2"), json!({"host": "a.example.com", "ingress": {}}));
    let site = json!({"host": "b.example.com", "siteHost": "a.example.com", "ingress": {}});
    assert_eq!(told(&younger, &asking(("shop", "old", "1"), site)), Some("HostConflict"));
    let inside = json!({"host": "a.example.com"});
    assert_eq!(told(&younger, &asking(("shop", "old", "1"), inside)), None);
    let other = json!({"host": "c.example.com", "ingress": {}});
    assert_eq!(told(&younger, &asking(("shop", "old", "1"), other)), None);
}
