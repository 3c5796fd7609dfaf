//! The way in from outside: what is made for it, and what is told of it.

use serde_json::{Value, json};

use crate::copies::until;
use crate::support::{
    instance::{foreign, instance, set, with},
    rig::Rig,
};

/// An instance with three hosts behind an Ingress.
fn exposed(name: &str) -> Value {
    let networking = json!({"host": "api.example.com", "siteHost": "site.example.com",
        "dashboardHost": "dashboard.example.com", "tlsSecretRef": "wildcard",
        "ingress": {"className": "nginx"}});
    with(instance(name), "/networking", networking)
}

fn ingress(rig: &Rig, name: &str) -> Option<Value> {
    rig.server.get("ingresses", &format!("{name}-public"))
}

#[tokio::test]
async fn an_instance_with_hosts_has_an_ingress_and_tells_everybody_how_it_is_reached() {
    let rig = Rig::with(exposed("dev")).await;
    rig.run("dev", 12).await;
    let made = ingress(&rig, "dev").expect("an Ingress");
    let hosts: Vec<_> =
        made["spec"]["rules"].as_array().unwrap().iter().map(|it| it["host"].clone()).collect();
    assert_eq!(hosts, ["api.example.com", "site.example.com", "dashboard.example.com"]);
    let told = rig.environment("dev");
    assert_eq!(told["CONVEX_CLOUD_ORIGIN"], "https://api.example.com");
    assert_eq!(told["CONVEX_SITE_ORIGIN"], "https://site.example.com");
    assert_eq!(
        rig.status("dev")["endpoints"],
        json!({"apiUrl": "https://api.example.com", "siteUrl": "https://site.example.com",
            "dashboardUrl": "https://dashboard.example.com"})
    );
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "who serves it may never say so");
    assert_eq!(rig.condition("dev", "Exposed"), "False/AddressNotAssigned");
    rig.server.edit("ingresses", "dev-public", |it| {
        it["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    });
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Exposed"), "True/AddressAssigned");
}

#[tokio::test]
async fn a_way_in_that_is_not_asked_for_any_more_goes() {
    let rig = Rig::ready(exposed("dev")).await;
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networking/mode", json!("None")));
    rig.run("dev", 2).await;
    assert_eq!(ingress(&rig, "dev"), None);
    assert_eq!(rig.condition("dev", "Exposed"), "True/NotRequested");
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn an_ingress_that_somebody_changes_is_put_right() {
    let rig = Rig::ready(exposed("dev")).await;
    rig.server
        .edit("ingresses", "dev-public", |it| it["spec"]["rules"][0]["host"] = json!("evil.test"));
    rig.pass("dev").await.unwrap();
    assert_eq!(ingress(&rig, "dev").unwrap()["spec"]["rules"][0]["host"], "api.example.com");
}

#[tokio::test]
async fn the_younger_of_two_waits_for_a_host_and_has_it_once_it_is_free() {
    let rig = Rig::new().await;
    for (name, born) in [("dev", "2"), ("old", "1")] {
        let mut it = exposed(name);
        it["metadata"]["creationTimestamp"] = json!(format!("2026-01-0{born}T00:00:00Z"));
        rig.server.put("convexinstances", it);
    }
    for name in ["dev", "old"] {
        rig.run(name, 12).await;
    }
    rig.pass("dev").await.unwrap();
    assert_eq!(ingress(&rig, "dev"), None, "all of its hosts are the other's");
    assert!(ingress(&rig, "old").is_some());
    assert_eq!(rig.phase("dev"), "Ready", "its data is none of it");
    assert_eq!(rig.condition("dev", "Exposed"), "False/HostConflict");
    assert_eq!(rig.condition("dev", "Ready"), "False/HostConflict");
    assert_ne!(rig.condition("old", "Exposed"), "False/HostConflict");
    rig.server.edit("convexinstances", "old", |it| {
        set(it, "/networking/host", json!("old.example.com"));
        set(it, "/networking/siteHost", Value::Null);
        set(it, "/networking/dashboardHost", Value::Null);
    });
    rig.run("dev", 2).await;
    assert!(ingress(&rig, "dev").is_some());
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// Such as one that a newer operator has written, before this one was put back.
#[tokio::test]
async fn an_older_one_that_cannot_be_decoded_keeps_its_hosts() {
    let rig = Rig::new().await;
    for (name, born) in [("dev", "2"), ("old", "1")] {
        let mut it = exposed(name);
        it["metadata"]["creationTimestamp"] = json!(format!("2026-01-0{born}T00:00:00Z"));
        rig.server.put("convexinstances", it);
    }
    rig.server.edit("convexinstances", "old", |it| set(it, "/networking/mode", json!("Mesh")));
    rig.run("dev", 12).await;
    assert!(rig.pass("old").await.is_err(), "it can be decoded");
    assert_eq!(ingress(&rig, "dev"), None, "all of its hosts are the other's");
    assert_eq!(rig.condition("dev", "Exposed"), "False/HostConflict");
    rig.server.edit("convexinstances", "old", |it| {
        set(it, "/networking/siteHost", Value::Null);
        set(it, "/networking/dashboardHost", Value::Null);
    });
    rig.run("dev", 2).await;
    let rules = ingress(&rig, "dev").unwrap()["spec"]["rules"].clone();
    let hosts: Vec<_> = rules.as_array().unwrap().iter().map(|it| it["host"].clone()).collect();
    assert_eq!(hosts, ["site.example.com", "dashboard.example.com"], "what is free, and no more");
}

/// It serves nobody while it cannot be decoded, and still what leads to it is not led away.
#[tokio::test]
async fn who_serves_a_host_keeps_it_though_it_cannot_be_decoded_any_more() {
    let rig = Rig::new().await;
    for (name, born) in [("dev", "1"), ("young", "2")] {
        let mut it = exposed(name);
        it["metadata"]["creationTimestamp"] = json!(format!("2026-01-0{born}T00:00:00Z"));
        if name == "dev" {
            set(&mut it, "/networking", Value::Null);
        }
        rig.server.put("convexinstances", it);
    }
    rig.run("young", 12).await;
    rig.server.edit("convexinstances", "young", |it| it["spec"]["environment"] = json!("moon"));
    let asked = exposed("dev")["spec"]["networking"].clone();
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networking", asked));
    rig.run("dev", 12).await;
    assert_eq!(ingress(&rig, "dev"), None, "the other's Ingress leads to the younger");
    assert_eq!(rig.condition("dev", "Exposed"), "False/HostConflict");
}

#[tokio::test]
async fn who_serves_a_host_keeps_it_when_an_older_one_comes_to_want_it() {
    let rig = Rig::new().await;
    for (name, born) in [("dev", "2"), ("old", "1")] {
        let mut it = exposed(name);
        it["metadata"]["creationTimestamp"] = json!(format!("2026-01-0{born}T00:00:00Z"));
        if name == "old" {
            set(&mut it, "/networking", json!({"host": "old.example.com", "ingress": {}}));
        }
        rig.server.put("convexinstances", it);
    }
    for name in ["dev", "old"] {
        rig.run(name, 12).await;
    }
    rig.server.edit("convexinstances", "old", |it| {
        set(it, "/networking/siteHost", json!("api.example.com"));
    });
    for name in ["dev", "old", "dev"] {
        rig.run(name, 2).await;
    }
    assert_eq!(rig.condition("old", "Exposed"), "False/HostConflict");
    let rules = |name| ingress(&rig, name).unwrap()["spec"]["rules"].as_array().unwrap().len();
    assert_eq!((rules("dev"), rules("old")), (3, 1), "each keeps what it has");
    assert_ne!(rig.condition("dev", "Exposed"), "False/HostConflict");
}

#[tokio::test]
async fn an_ingress_of_somebody_else_is_not_touched() {
    let rig = Rig::with(exposed("dev")).await;
    let theirs = foreign("Ingress", "dev-public");
    rig.server.put("ingresses", theirs.clone());
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
    assert_eq!(ingress(&rig, "dev").unwrap()["spec"], theirs["spec"]);
}

/// Whoever cannot get in from outside is no reason to turn everybody else away.
#[tokio::test]
async fn an_upgrade_lets_users_in_again_though_the_way_in_is_somebody_elses() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.put("ingresses", foreign("Ingress", "dev-public"));
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/networking", json!({"host": "api.example.com", "ingress": {}}));
        set(it, "/maintenance/preUpgradeSnapshot", json!("Copy"));
        set(it, "/version", json!("v2"));
    });
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    rig.backend.says("v2");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 2).await;
    assert_eq!(rig.status("dev")["runningVersion"], "v2");
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
}
