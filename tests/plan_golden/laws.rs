//! What holds of the objects of every instance.

use std::collections::BTreeSet;

use convex_operator::plan::labels;
use k8s_openapi::api::core::v1::PodSpec;

use super::*;

#[test]
fn children_have_valid_names_that_differ_for_every_name_of_an_instance() {
    let is_label = |name: &str| {
        let inner = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let ends = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
        inner && ends && name.len() <= 63
    };
    let pattern = "ab-c9-";
    let mut seen = BTreeSet::new();
    for length in 1..=52 {
        for shift in 0..pattern.len() {
            let tail = pattern.chars().cycle().skip(shift).take(length - 1);
            let name: String = std::iter::once('x').chain(tail).collect();
            if name.ends_with('-') || !seen.insert(name.clone()) {
                continue;
            }
            let names = Names::of(&name);
            let secrets = [names.instance_secret(), names.admin_secret()];
            let services = [names.backend_service(), names.dashboard()];
            let all = [names.gate(), names.claim(), names.backend()];
            for child in secrets.iter().chain(&services).chain(&all) {
                assert!(is_label(child), "{name}: {child}");
            }
            assert_ne!(secrets[0], secrets[1]);
            assert_ne!(services[0], services[1]);
            // A StatefulSet's name, a dash and ten characters are the value of a label.
            assert!(names.backend().len() + 11 <= 63, "{name}");
        }
    }
}

fn pods(instance: &ConvexInstance) -> Vec<PodSpec> {
    let templates = objects(&steps(instance, false)).into_iter().filter_map(|it| {
        let pod = it["spec"]["template"]["spec"].clone();
        (!pod.is_null()).then(|| serde_json::from_value(pod).unwrap())
    });
    templates.collect()
}

#[test]
fn pods_pass_the_restricted_pod_security_standard() {
    for change in [|_: &mut Value| {}, overrides, settled] {
        let pods = pods(&instance("dev", change));
        assert_eq!(pods.len(), 2);
        for pod in pods {
            assert_eq!(restricted::violations(&pod), Vec::<String>::new());
            assert_eq!(pod.automount_service_account_token, Some(false));
        }
    }
}

#[test]
fn the_check_of_the_standard_notices_what_it_is_for() {
    let root = instance("dev", |spec| spec["backend"]["security"] = json!({"profile": "Image"}));
    assert!(!restricted::violations(&pods(&root)[0]).is_empty());
    let mut shared = pods(&instance("dev", |_| {}))[0].clone();
    shared.host_network = Some(true);
    assert_eq!(restricted::violations(&shared), ["shares a namespace of its host"]);
}

#[test]
fn secrets_are_in_secrets_alone() {
    for instance in [instance("dev", |_| {}), instance("dev", overrides)] {
        let steps = steps(&instance, false);
        for object in objects(&steps).iter().filter(|it| it["kind"] != "Secret") {
            let text = object.to_string();
            assert!(!text.contains(SECRET) && !text.contains(ADMIN_KEY), "{text}");
        }
        let printed = format!("{:?}", keys(&instance));
        assert!(!printed.contains(SECRET) && !printed.contains(ADMIN_KEY), "{printed}");
        assert!(steps.iter().any(|it| matches!(it, Step::Create(_))));
        let printed = format!("{steps:?}");
        let bytes = format!("{:?}", ADMIN_KEY.as_bytes());
        assert!(!printed.contains(bytes.trim_matches(['[', ']'])) && !printed.contains(ADMIN_KEY));
    }
}

#[test]
fn what_a_pod_reads_at_its_start_changes_when_a_value_of_its_environment_does_and_only_then() {
    let reading = |outside: &Settings, change: &dyn Fn(&mut Value)| {
        let steps = steps_reading(&instance("dev", change), false, outside.clone());
        let set = objects(&steps).into_iter().find(|it| it["kind"] == "StatefulSet").unwrap();
        let template = &set["spec"]["template"];
        let mut env = template["spec"]["containers"][0]["env"].as_array().unwrap().clone();
        env.retain(|it| it["name"] != "CONVEX_RELEASE_VERSION_DEV");
        (env, template["metadata"]["annotations"][labels::CONFIG_HASH].clone())
    };
    let read = |change: &dyn Fn(&mut Value)| reading(&Settings::new(), change);
    let before = read(&|_| {});
    let moves: [(&str, Value); 13] = [
        ("/backend/pod", json!({"serviceAccount": {"annotations": {"a": "b"}}})),
        ("/backend/tuning", json!({"documentRetention": "72h"})),
        ("/backend/tuning", json!({"maxConcurrentQueries": 17})),
        ("/backend/tuning", json!({"maxConcurrentMutations": 17})),
        ("/backend/tuning", json!({"maxConcurrentActions": 17})),
        ("/backend/tuning", json!({"maxConcurrentNodeActions": 17})),
        ("/backend/logging", json!({"level": "trace"})),
        ("/backend/metrics", json!({"enabled": true})),
        ("/environment", json!("prod")),
        ("/backend/telemetry", json!({"disableBeacon": true})),
        ("/backend/logging", json!({"redactLogsToClient": true})),
        ("/networking", json!({"cloudOrigin": "https://api.example.com"})),
        ("/networking", json!({"siteOrigin": "https://site.example.com"})),
    ];
    for (place, value) in moves {
        assert_ne!(read(&|spec| planned::set(spec, place, value.clone())), before, "{place}");
    }
    let of = |password| reading(&servers(password), &|_| {});
    assert!(of("one") != of("other") && of("one") == of("one") && of("one") != before);
    let stays: [(&str, Value); 10] = [
        ("/backend/tuning", json!({"documentRetention": "48h", "maxConcurrentActions": 16})),
        ("/backend/metrics", json!({"enabled": false})),
        ("/networkPolicy", json!({"enabled": true})),
        ("/version", json!("v2")),
        ("/dashboard", json!({"enabled": false})),
        ("/suspend", json!(true)),
        ("/deletionPolicy", json!("Delete")),
        ("/backend/resources", json!({"requests": {"cpu": "1"}})),
        ("/backend/logging", json!({"redactLogsToClient": false})),
        ("/networking", json!({"deploymentUrl": "https://api.example.com"})),
    ];
    for (place, value) in stays {
        assert_eq!(read(&|spec| planned::set(spec, place, value.clone())), before, "{place}");
    }
}
