//! The desired objects of some instances, as files that a reviewer can read; and in `laws` what holds of all.
//!
//! `UPDATE_GENERATED=1 cargo test --test plan_golden` writes the files anew.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "plan_golden/laws.rs"]
mod laws;
#[path = "support/planned.rs"]
mod planned;
#[path = "support/restricted.rs"]
mod restricted;

use std::{fs, path::Path, sync::LazyLock};

use convex_operator::{
    api::ConvexInstance,
    observe::{Keys, Sources},
    plan::{
        Inputs, Step,
        exports::{Exports, Place},
        host::Schemes,
        jobs::{self, Carried},
        names::Names,
        outside,
        outside::{Server, Settings, Values},
    },
};
use kube::ResourceExt;
use serde_json::{Value, json};
use statemachine::pins::{Revision, Snapshot, Store};

use self::planned::{ADMIN_KEY, SECRET, instance, keys, objects, steps, steps_reading, yaml};

fn compare(name: &str, instance: &ConvexInstance, stopped: bool) {
    compare_steps(name, &steps(instance, stopped));
}

fn compare_steps(name: &str, steps: &[Step]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/goldens/{name}.yaml"));
    let now = yaml(steps);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == now,
        "stale: UPDATE_GENERATED=1 cargo test --test plan_golden, then read {}",
        path.display()
    );
}

#[test]
fn a_dev_instance_with_sqlite_on_a_volume() {
    compare("dev", &instance("dev", |_| {}), false);
}

#[test]
fn a_prod_instance() {
    let prod = instance("orders", |spec| {
        spec["environment"] = json!("prod");
        spec["backend"]["storage"] = json!({"pvc": {"size": "100Gi", "storageClassName": "fast"}});
        spec["networking"] = json!({"cloudOrigin": "https://api.example.com",
            "siteOrigin": "https://site.example.com"});
    });
    compare("prod", &prod, false);
}

/// On a server of `CloudNativePG` with its own authority, with object storage and without a volume.
#[test]
fn an_instance_on_servers_outside() {
    let served = instance("orders", |spec| {
        spec["backend"]["db"] = json!({"engine": "postgres", "secretRef": "pg-app",
            "urlKey": "uri", "caSecretRef": "pg-ca"});
        spec["backend"]["storage"] = json!({"mode": "external", "pvc": {"enabled": false}});
        spec["backend"]["s3"] = json!({"enabled": true});
        spec["backend"]["pod"] = json!({"serviceAccount": {"annotations":
            {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/orders"}}});
    });
    let steps = steps_reading(&served, false, servers("canary"));
    compare_steps("servers", &steps);
    for object in objects(&steps).iter().filter(|it| it["kind"] != "Secret") {
        assert!(!object.to_string().contains("canary"), "{object}");
    }
    assert!(!format!("{:?}", servers("canary")).contains("canary"));
}

fn servers(password: &str) -> Settings {
    let database = Values::default()
        .with("POSTGRES_URL", format!("postgresql://app:{password}@pg-rw:5432"))
        .with("PG_CA_FILE", outside::authorities())
        .with(outside::AUTHORITIES, "-----BEGIN CERTIFICATE-----");
    let storage = Values::default()
        .with("AWS_SECRET_ACCESS_KEY", password)
        .with("S3_STORAGE_FILES_BUCKET", "orders");
    [(Server::Database, database), (Server::Storage, storage)].into()
}

/// What looks at the bucket first, what fills it and what reads it.
#[test]
fn jobs_whose_exports_are_in_a_bucket() {
    let stored = instance("orders", |spec| spec["backend"]["s3"] = json!({"enabled": true}));
    let (keys, outside) = (keys(&stored), servers("canary"));
    let inputs = inputs(&stored, &keys, &outside);
    let of = Snapshot { of: Revision("71".to_owned()), attempt: 1 };
    let place = Place::of(&stored, Some("orders-exports"), "71-1");
    let backend = "10.0.0.7:3210".parse().unwrap();
    let carried = Carried { attempt: &of, number: 1, backend, seconds: 3600 };
    let release = planned::release(&stored);
    let jobs = [
        jobs::proof(&inputs, &of, 1, (&release, Some(&place))),
        jobs::export(&inputs, carried, "v1", true, &[], (&Exports::default(), &place)),
        jobs::import(&inputs, carried, (&of, &place), false),
    ];
    let steps = jobs.map(|it| Step::Start(Box::new(it)));
    compare_steps("exports-in-a-bucket", &steps);
    assert!(!yaml(&steps).contains("canary"));
}

#[test]
fn an_instance_that_runs_the_image_as_it_is() {
    let plain = instance("dev", |spec| spec["backend"]["security"] = json!({"profile": "Image"}));
    compare("image-profile", &plain, false);
}

#[test]
fn an_instance_without_dashboard() {
    let bare = instance("dev", |spec| spec["dashboard"] = json!({"enabled": false}));
    compare("without-dashboard", &bare, false);
}

#[test]
fn a_suspended_instance() {
    compare("suspended", &instance("dev", |spec| spec["suspend"] = json!(true)), true);
}

#[test]
fn an_instance_with_much_of_its_own() {
    compare("overrides", &instance("dev", overrides), false);
}

fn overrides(spec: &mut Value) {
    let backend = &mut spec["backend"];
    backend["image"] = json!("registry.example.com/convex@sha256:0123");
    backend["env"] = json!([{"name": "RUST_LOG", "value": "info"}, {"name": "NODE",
        "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]);
    backend["resources"] = json!({"limits": {"memory": "4Gi"}});
    backend["security"] = json!({"pod": {"runAsUser": 2000, "supplementalGroups": [5]},
        "container": {"readOnlyRootFilesystem": true}});
    backend["instance"] = json!({"name": "orders", "secretRef": "sealed", "secretKey": "key"});
    backend["telemetry"] = json!({"disableBeacon": true});
    backend["logging"] = json!({"redactLogsToClient": true});
    backend["storage"] = json!({"pvc": {"existingClaim": "old-data", "size": "20Gi"}});
    spec["dashboard"] = json!({"replicas": 2, "prefillAdminKey": true,
        "resources": {"requests": {"cpu": "10m"}}});
}

#[test]
fn an_instance_whose_pods_are_settled_by_its_spec() {
    compare("pods", &instance("dev", settled), false);
}

/// Everything that the spec says of pods and of what stands beside them.
fn settled(spec: &mut Value) {
    spec["backend"]["pod"] = json!({
        "labels": {"team": "shop", "azure.workload.identity/use": "true"},
        "annotations": {"mesh.example.com/inject": "false"},
        "imagePullSecrets": [{"name": "mirror"}],
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "data",
            "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms":
                [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {"matchLabels": {"team": "shop"}}}]},
        },
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
            "whenUnsatisfiable": "ScheduleAnyway"}],
        "priorityClassName": "important",
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}},
        "volumes": [
            {"name": "ca", "configMap": {"name": "ca"}},
            {"name": "all", "projected": {"sources": [{"secret": {"name": "tls"}}]}},
            {"name": "store", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": true}},
        ],
        "volumeMounts": [
            {"name": "ca", "mountPath": "/etc/ssl/extra.pem", "subPath": "ca.pem", "readOnly": true},
            {"name": "all", "mountPath": "/etc/tls"},
            {"name": "store", "mountPath": "/mnt/secrets"},
        ],
    });
    spec["backend"]["podDisruptionBudget"] = json!({"maxUnavailable": 0});
    spec["backend"]["tuning"] = json!({"documentRetention": "1h30m", "maxConcurrentQueries": 1,
        "maxConcurrentMutations": 2, "maxConcurrentActions": 3, "maxConcurrentNodeActions": 4});
    spec["backend"]["logging"] = json!({"level": "debug", "format": "json"});
    spec["backend"]["metrics"] = json!({"enabled": true});
    spec["dashboard"] = json!({"replicas": 2, "podDisruptionBudget": {"minAvailable": 1},
        "pod": {"nodeSelector": {"pool": "web"}, "serviceAccount": {"name": "web"},
            "annotations": {"a": "b"}}});
    spec["networkPolicy"] = json!({"enabled": true, "from": [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}}]});
}

#[test]
fn an_instance_with_the_longest_name() {
    compare("longest-name", &instance(&format!("a{}", "-b".repeat(25) + "c"), |_| {}), false);
}

#[test]
fn an_instance_whose_data_dies_with_its_pod() {
    let brief = instance("dev", |spec| {
        spec["backend"]["storage"] = json!({"pvc": {"enabled": false}});
    });
    compare("ephemeral", &brief, false);
}

fn inputs<'a>(instance: &'a ConvexInstance, keys: &'a Keys, outside: &'a Settings) -> Inputs<'a> {
    static SOURCES: LazyLock<Sources> = LazyLock::new(Sources::default);
    Inputs {
        names: Names::of(&instance.name_any()),
        keys,
        outside,
        store: Store::Original,
        release: planned::release(instance),
        dashboard_repository: "example.com/dashboard",
        worker_image: "example.com/operator:v0",
        operator_namespace: "convex-system",
        sources: &SOURCES,
        fence: "5",
        claims: &[],
        schemes: Schemes::default(),
        restarted: None,
        instance,
    }
}
