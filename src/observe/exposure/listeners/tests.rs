use serde_json::{Value, json};

use super::*;
use crate::fixtures::gateways::{gateway, listener, serving};

fn parent(section: Option<&str>) -> ParentRef {
    ParentRef {
        name: "public".to_owned(),
        namespace: Some("infra".to_owned()),
        section_name: section.map(str::to_owned),
    }
}

fn asked(from: &str) -> Asked<'_> {
    Asked { host: "api.example.com", from }
}

fn names(listeners: &Value, section: Option<&str>) -> Vec<String> {
    let gateway = gateway(listeners, &serving());
    let open = open(&gateway, asked("shop"), &parent(section)).unwrap();
    open.iter().map(|it| it.name.clone()).collect()
}

fn refused(listeners: &Value, section: Option<&str>, from: &str) -> (&'static str, String) {
    let gateway = gateway(listeners, &serving());
    let it = open(&gateway, asked(from), &parent(section)).unwrap_err();
    (it.reason, it.message)
}

#[test]
fn a_host_comes_in_by_every_listener_that_admits_it() {
    let all = json!([
        listener("web", "HTTP", None, "All"),
        listener("wild", "HTTPS", Some("*.example.com"), "All"),
        listener("exact", "HTTPS", Some("api.example.com"), "Selector"),
        listener("other", "HTTPS", Some("*.example.org"), "All"),
        listener("apex", "HTTPS", Some("example.com"), "All"),
        listener("same", "HTTPS", None, "Same"),
        listener("tcp", "TCP", None, "All"),
    ]);
    assert_eq!(names(&all, None), ["web", "wild", "exact"]);
    assert_eq!(names(&all, Some("wild")), ["wild"], "a section that is named is the only one");
}

#[test]
fn a_host_that_is_not_let_in_is_told_why_and_what_to_write() {
    let elsewhere = json!([listener("wild", "HTTPS", Some("*.example.org"), "All")]);
    let (reason, message) = refused(&elsewhere, None, "shop");
    assert_eq!(reason, "NoMatchingListenerHostname");
    assert!(message.contains("infra/public") && message.contains("api.example.com"), "{message}");
    let same = json!([listener("web", "HTTP", None, "Same")]);
    let (reason, message) = refused(&same, None, "shop");
    assert_eq!(reason, "NotAllowedByListeners");
    assert!(message.contains("matchLabels: {kubernetes.io/metadata.name: shop}"), "{message}");
    assert!(open(&gateway(&same, &[]), asked("infra"), &parent(None)).is_ok());
    let (reason, message) = refused(&same, Some("https"), "shop");
    assert_eq!(reason, "ListenerNotFound");
    assert!(message.contains("no listener \"https\""), "{message}");
}

#[test]
fn what_else_is_on_a_gateway_is_told_to_those_alone_who_live_where_it_does() {
    let theirs = json!([listener("secret-plan", "HTTPS", Some("plan.example.org"), "All")]);
    for section in [None, Some("web")] {
        let (_, message) = refused(&theirs, section, "shop");
        assert!(!message.contains("plan"), "{message}");
        let (_, message) = refused(&theirs, section, "infra");
        assert!(message.contains("plan"), "{message}");
    }
}
