use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PodSpec;
use regex::Regex;
use serde_json::json;
use statemachine::worlds::born;

use super::*;
use crate::{
    api::{ConvexInstance, crd},
    fixtures::{built_for, built_reading, instance, instance_with},
    plan::{
        backend, dashboard,
        outside::{self, Server, Settings, Values},
    },
};

fn pods(instance: &ConvexInstance) -> Vec<PodSpec> {
    let authorities = Values::default().with(outside::AUTHORITIES, "-----BEGIN CERTIFICATE-----");
    let server = Settings::from([(Server::Database, authorities)]);
    let set = built_reading(&server, instance, |it| backend::stateful_set(it, &born(), false));
    let deployment = built_for(instance, dashboard::deployment);
    let templates = [set.spec.unwrap().template, deployment.spec.unwrap().template];
    templates.into_iter().map(|it| it.spec.unwrap()).collect()
}

fn is_own(path: &str) -> bool {
    Regex::new(OWN_PATHS).unwrap().is_match(path)
}

#[test]
fn every_volume_and_every_mount_of_the_operator_is_its_own() {
    let plain = instance_with(|spec| spec["backend"]["security"] = json!({"profile": "Image"}));
    let pods = [pods(&instance()), pods(&plain)].concat();
    let mut seen = BTreeSet::new();
    for pod in pods {
        seen.extend(pod.volumes.into_iter().flatten().map(|it| it.name));
        let containers = pod.init_containers.into_iter().flatten().chain(pod.containers);
        for mount in containers.flat_map(|it| it.volume_mounts.unwrap_or_default()) {
            assert!(is_own(&mount.mount_path), "{}", mount.mount_path);
        }
    }
    assert_eq!(seen, OWN_VOLUMES.map(str::to_owned).into());
}

#[test]
fn nothing_is_mounted_over_what_is_needed_and_much_beside_it() {
    for own in ["/convex", "/convex/data", "/convex/data/tmp", "/run", "/tmp/x", "/etc", "/usr"] {
        assert!(is_own(own), "{own}");
    }
    for own in [
        "/run/database/x",
        "/var/run/convex",
        "/var/run/secrets/kubernetes.io/serviceaccount",
        "/dev/x",
    ] {
        assert!(is_own(own), "{own}");
    }
    for other in ["/etc/app", "/convexity", "/mnt", "/run/app", "/var/lib/app", "/usr/share/x"] {
        assert!(!is_own(other), "{other}");
    }
}

/// What is not in the definition the API server takes out or refuses, so that nobody can ask for it.
#[test]
fn what_would_lead_out_of_the_pod_or_its_namespace_is_not_in_the_definition() {
    let definition = serde_json::to_value(crd()).unwrap();
    let spec =
        &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut names = BTreeSet::new();
    for part in ["backend", "dashboard"] {
        fields(&spec["properties"][part]["properties"]["pod"], &mut names);
    }
    for there in ["configMap", "nodeAffinity", "podAntiAffinity", "secret", "topologyKey"] {
        assert!(names.contains(there), "{there}");
    }
    for absent in [
        "hostPath",
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "hostUsers",
        "nodeName",
        "nodeSelectorTerm",
        "namespaces",
        "namespaceSelector",
        "matchFields",
        "serviceAccountToken",
        "clusterTrustBundle",
        "podCertificate",
        "automountServiceAccountToken",
        "initContainers",
        "containers",
        "subPathExpr",
        "mountPropagation",
        "nfs",
        "iscsi",
        "ephemeral",
        "hostAliases",
    ] {
        assert!(!names.contains(absent), "{absent}");
    }
}

fn fields(schema: &Value, names: &mut BTreeSet<String>) {
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        fields(below, names);
    }
    fields_of(&schema["items"], names);
}

fn fields_of(items: &Value, names: &mut BTreeSet<String>) {
    if items.is_object() {
        fields(items, names);
    }
}

/// `hush` takes words away, and `without` fields: neither takes a field that is called like a word.
#[test]
fn a_field_called_description_is_no_description() {
    let mut schema =
        json!({"description": "words", "properties": {"description": {"type": "string"}}});
    hush(&mut schema);
    assert_eq!(schema, json!({"properties": {"description": {"type": "string"}}}));
}
