use serde_json::{Value, json};

use super::*;
use crate::fixtures::{built_for, hosts_of, instance_with};

fn made(networking: Value) -> Value {
    let instance = instance_with(|spec| spec["networking"] = networking);
    let wanted = instance.spec.networking.ingress.clone().unwrap_or_default();
    let hosts = hosts_of(&instance);
    built_for(&instance, |inputs| serde_json::to_value(ingress(inputs, &wanted, &hosts)).unwrap())
}

#[test]
fn every_host_leads_to_its_port() {
    let made = made(json!({"host": "api.example.com", "siteHost": "site.example.com",
        "dashboardHost": "dashboard.example.com", "tlsSecretRef": "wildcard",
        "ingress": {"className": "nginx", "annotations": {"a": "b"}}}));
    let to = |at: usize| {
        let rule = &made["spec"]["rules"][at];
        let service = &rule["http"]["paths"][0]["backend"]["service"];
        json!([rule["host"], service["name"], service["port"]["number"]])
    };
    assert_eq!(to(0), json!(["api.example.com", "dev-backend", 3210]));
    assert_eq!(to(1), json!(["site.example.com", "dev-backend", 3211]));
    assert_eq!(to(2), json!(["dashboard.example.com", "dev-dashboard", 6791]));
    let tls = json!([{"hosts": ["api.example.com", "site.example.com", "dashboard.example.com"],
        "secretName": "wildcard"}]);
    assert_eq!(made["spec"]["tls"], tls);
    assert_eq!(made["spec"]["ingressClassName"], "nginx");
    assert_eq!(made["metadata"]["annotations"], json!({"a": "b"}));
}

#[test]
fn without_a_secret_there_is_no_tls_and_without_a_class_the_clusters_own() {
    let made = made(json!({"host": "api.example.com", "ingress": {}}));
    assert_eq!(made["spec"].get("tls"), None);
    assert_eq!(made["spec"].get("ingressClassName"), None);
}
