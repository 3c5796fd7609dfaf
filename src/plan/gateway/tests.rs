use serde_json::{Value, json};

use super::*;
use crate::fixtures::{built_for, hosts_of, instance_with};

fn made(networking: Value) -> Value {
    let instance = instance_with(|spec| spec["networking"] = networking);
    let hosts = hosts_of(&instance);
    built_for(&instance, |inputs| serde_json::to_value(gateway(inputs, "public", &hosts)).unwrap())
}

#[test]
fn every_host_has_a_listener_and_with_tls_a_second_one() {
    let hosts = json!({"host": "api.example.com", "siteHost": "site.example.com"});
    let names = |made: &Value| {
        let all = made["spec"]["listeners"].as_array().unwrap().clone();
        all.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&made(hosts.clone())), ["api-http", "site-http"]);
    let mut secured = hosts;
    secured["tlsSecretRef"] = "wildcard".into();
    let secured = made(secured);
    assert_eq!(names(&secured), ["api-http", "api-https", "site-http", "site-https"]);
    let https = &secured["spec"]["listeners"][1];
    assert_eq!((&https["port"], &https["protocol"]), (&json!(443), &json!("HTTPS")));
    assert_eq!(https["hostname"], "api.example.com");
    let certificates = json!([{"name": "wildcard"}]);
    assert_eq!(https["tls"], json!({"mode": "Terminate", "certificateRefs": certificates}));
}

#[test]
fn class_and_annotations_are_the_users() {
    let made = made(json!({"host": "api.example.com",
        "gatewayAnnotations": {"cert-manager.io/issuer": "ours"}}));
    assert_eq!(made["spec"]["gatewayClassName"], "public");
    assert_eq!(made["metadata"]["annotations"], json!({"cert-manager.io/issuer": "ours"}));
}
