use serde_json::{Value, json};

use super::*;
use crate::{api::ParentRef, fixtures::instance_with, plan::route::Listener};

/// An instance behind a shared Gateway that was told this URL of its API.
fn told(url: Option<&str>) -> ConvexInstance {
    let mut instance = instance_with(|spec| {
        spec["networking"] = json!({"host": "api.example.com", "parentRefs": [{"name": "public"}]});
    });
    let status = json!({"phase": "Ready", "endpoints": {"apiUrl": url}});
    instance.status = Some(serde_json::from_value(status).unwrap());
    instance
}

fn api(url: Option<&str>, tls: &[bool], complete: bool) -> bool {
    let parent = || ParentRef { name: "public".to_owned(), namespace: None, section_name: None };
    let listeners = tls.iter().map(|tls| Listener { parent: parent(), tls: *tls }).collect();
    let way = Way { listeners, complete, ..Way::default() };
    of(&told(url), &[(Purpose::Api, "api.example.com".to_owned(), way)]).api
}

#[test]
fn the_listeners_tell_by_which_scheme_a_host_is_reached() {
    let before = Some("https://api.example.com");
    assert!(!api(before, &[false], true));
    assert!(api(Some("http://api.example.com"), &[false, true], true));
}

#[test]
fn a_gateway_that_is_away_changes_no_scheme() {
    for tls in [&[][..], &[false], &[true]] {
        assert!(api(Some("https://api.example.com"), tls, false));
        assert!(!api(Some("http://api.example.com"), tls, false));
    }
}

#[test]
fn while_nothing_was_told_of_a_host_it_is_what_can_be_seen_or_the_safe_one() {
    for url in [None, Some("http://dev-backend.shop.svc:3210"), Some("http://other.example.com")] {
        assert!(api(url, &[], false), "{url:?}");
        assert!(!api(url, &[false], false), "{url:?}");
    }
}

#[test]
fn what_is_made_here_has_https_where_there_is_a_certificate_for_it() {
    let with = |secret: Value| {
        let instance = instance_with(|spec| {
            spec["networking"] =
                json!({"host": "api.example.com", "ingress": {}, "tlsSecretRef": secret});
        });
        of(&instance, &[])
    };
    assert_eq!(with("wildcard".into()), Schemes::all(true));
    assert_eq!(with(Value::Null), Schemes::all(false));
}
