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

/// What leads to an instance now.
fn leading(instance: &ConvexInstance, host: &str) -> Led {
    let (namespace, uid) = (instance.namespace(), instance.uid());
    let owner =
        json!({"apiVersion": "v1", "kind": "X", "name": "x", "uid": uid, "controller": true});
    let meta = json!({"name": "way", "namespace": namespace, "ownerReferences": [owner]});
    Led { meta: serde_json::from_value(meta).unwrap(), hosts: vec![host.to_owned()] }
}

fn told(instance: &ConvexInstance, other: &ConvexInstance, led: &[Led]) -> Option<&'static str> {
    divided(instance, &[instance, other].map(Asking::decoded), led).1.map(|it| it.reason)
}

fn host() -> Value {
    json!({"host": "api.example.com", "ingress": {}})
}

#[test]
fn the_older_of_two_keeps_a_host_in_whatever_namespace_it_is() {
    let older = asking(("shop", "zoo", "1"), host());
    let younger = asking(("bank", "dev", "2"), host());
    assert_eq!(told(&older, &younger, &[]), None);
    assert_eq!(told(&younger, &older, &[]), Some("HostConflict"));
    let twin = asking(("shop", "zoo2", "1"), host());
    let both = (told(&older, &twin, &[]), told(&twin, &older, &[]));
    assert_eq!(both, (None, Some("HostConflict")));
}

#[test]
fn traffic_is_not_taken_away_by_an_older_one_that_comes_to_want_it() {
    let older = asking(("shop", "zoo", "1"), host());
    let younger = asking(("bank", "dev", "2"), host());
    let led = [leading(&younger, "api.example.com")];
    assert_eq!(told(&younger, &older, &led), None);
    assert_eq!(told(&older, &younger, &led), Some("HostConflict"));
    let elsewhere = [leading(&younger, "other.example.com")];
    assert_eq!(told(&older, &younger, &elsewhere), None);
    let mut strangers = leading(&younger, "api.example.com");
    strangers.meta.namespace = Some("shop".to_owned());
    assert_eq!(told(&older, &younger, &[strangers]), None);
}

#[test]
fn a_neighbour_is_named_and_somebody_of_another_namespace_is_not() {
    let younger = asking(("bank", "dev", "2"), host());
    let message = |holder: (&str, &str, &str)| {
        divided(&younger, &[Asking::decoded(&asking(holder, host()))], &[]).1.unwrap().message
    };
    let near = message(("bank", "zoo", "1"));
    assert!(near.contains("\"zoo\"") && near.contains("api.example.com"), "{near}");
    let far = message(("secret-plan", "zoo", "1"));
    assert!(!far.contains("secret-plan") && !far.contains("zoo"), "{far}");
}

#[test]
fn a_host_is_taken_by_any_purpose_and_by_nobody_who_lets_nobody_in() {
    let younger = asking(("shop", "dev", "2"), json!({"host": "a.example.com", "ingress": {}}));
    let site = json!({"host": "b.example.com", "siteHost": "a.example.com", "ingress": {}});
    assert_eq!(told(&younger, &asking(("shop", "old", "1"), site), &[]), Some("HostConflict"));
    let inside = json!({"host": "a.example.com"});
    assert_eq!(told(&younger, &asking(("shop", "old", "1"), inside), &[]), None);
    let other = json!({"host": "c.example.com", "ingress": {}});
    assert_eq!(told(&younger, &asking(("shop", "old", "1"), other), &[]), None);
}

#[test]
fn the_other_hosts_of_an_instance_stay_its_own() {
    let both = json!({"host": "api.example.com", "siteHost": "taken.example.com", "ingress": {}});
    let younger = asking(("shop", "dev", "2"), both);
    let holder = asking(("shop", "old", "1"), json!({"host": "taken.example.com", "ingress": {}}));
    let (own, conflict) = divided(&younger, &[Asking::decoded(&holder)], &[]);
    assert_eq!(own, [(Purpose::Api, "api.example.com".to_owned())]);
    assert!(conflict.unwrap().message.contains("taken.example.com"));
}
