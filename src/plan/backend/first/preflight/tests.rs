use serde_json::json;

use super::*;
use crate::{
    api::ConvexInstance,
    fixtures::{built_reading, instance_with},
    plan::outside::{AUTHORITIES, Server, Settings, Values},
};
use statemachine::worlds::born;

fn on_postgres(change: impl FnOnce(&mut serde_json::Value)) -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["db"] = json!({"engine": "postgres", "secretRef": "pg", "urlKey": "uri"});
        change(spec);
    })
}

fn settings() -> Settings {
    let values = Values::default().with("POSTGRES_URL", "canary").with(AUTHORITIES, "canary");
    Settings::from([(Server::Database, values)])
}

fn gate(instance: &ConvexInstance, settings: &Settings) -> Container {
    built_reading(settings, instance, |it| with(it, &born(), Container::default()))
}

fn names(gate: &Container) -> Vec<&str> {
    gate.env.iter().flatten().map(|it| it.name.as_str()).collect()
}

#[test]
fn without_servers_the_gate_stays_what_it_is() {
    assert_eq!(gate(&instance_with(|_| {}), &Settings::new()), Container::default());
}

#[test]
fn it_gets_what_the_backend_gets_about_servers_and_nothing_as_an_argument() {
    let gate = gate(&on_postgres(|_| {}), &settings());
    assert_eq!(gate.args.as_deref(), Some(&["--preflight".to_owned()][..]));
    assert_eq!(names(&gate), ["POD_UID", "TOLD", "INSTANCE_NAME", "POSTGRES_URL"]);
    let mounts: Vec<_> = gate.volume_mounts.iter().flatten().map(|it| &*it.mount_path).collect();
    assert_eq!(mounts, ["/tmp", "/run/database"]);
}

#[test]
fn the_secret_of_the_instance_is_not_among_it() {
    let gate = gate(&on_postgres(|_| {}), &settings());
    assert!(!names(&gate).contains(&"INSTANCE_SECRET"));
}

#[test]
fn a_database_is_made_only_where_the_spec_says_so() {
    let of = |word: &str| {
        let instance = on_postgres(|spec| spec["backend"]["db"]["createDatabase"] = json!(word));
        names(&gate(&instance, &settings())).contains(&"CREATE_DATABASE")
    };
    assert!(of("IfMissing") && !of("Never"));
}

#[test]
fn files_that_variables_name_are_there_too() {
    let instance = on_postgres(|spec| {
        spec["backend"]["env"] = json!([{"name": "SSL_CERT_FILE", "value": "/etc/ours/ca.crt"},
            {"name": "OTHER", "value": "/etc/else/file"}]);
        spec["backend"]["pod"] = json!({
            "volumes": [{"name": "ours", "configMap": {"name": "ours"}}],
            "volumeMounts": [{"name": "ours", "mountPath": "/etc/ours"},
                {"name": "ours", "mountPath": "/etc/else"}]});
    });
    let gate = gate(&instance, &settings());
    assert!(names(&gate).contains(&"SSL_CERT_FILE") && !names(&gate).contains(&"OTHER"));
    let mounts: Vec<_> = gate.volume_mounts.iter().flatten().map(|it| &*it.mount_path).collect();
    assert_eq!(mounts, ["/tmp", "/run/database", "/etc/ours"]);
}
