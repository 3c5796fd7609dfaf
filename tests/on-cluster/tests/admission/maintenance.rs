//! Rules on how an instance is upgraded.

use on_cluster::{Case, Instance, rule};
use serde_json::{Value, json};

pub fn cases() -> Vec<Case> {
    let dev = |path: &str, value: &str| Instance::dev("a").with(path, value);
    let length = |field: &str| {
        rule(&format!("spec.{field}"), "must be a length of time above zero")
            .accepts(dev(field, "1h30m"))
            .refuses(dev(field, "1d"))
            .refuses(dev(field, "90"))
            .refuses(dev(field, "0s"))
    };
    let window = |duration: &str| {
        let window = json!({"schedule": "0 3 * * *", "duration": duration});
        Instance::dev("a").with("maintenance.window", window)
    };
    let snapshots = "maintenance.snapshots";
    vec![
        length("maintenance.oldStoreRetention"),
        length("maintenance.restartInterval"),
        rule("spec.maintenance.window.duration", "must be a length of time above zero")
            .accepts(window("2h"))
            .refuses(window("-2h")),
        rule("spec.maintenance.snapshots.size", "must be a quantity above zero")
            .accepts(dev(&format!("{snapshots}.size"), "100Gi"))
            .refuses(dev(&format!("{snapshots}.size"), "much"))
            .refuses(dev(&format!("{snapshots}.size"), "0")),
        rule("spec.maintenance.snapshots.storageClassName", "must be the name of an object")
            .accepts(dev(&format!("{snapshots}.storageClassName"), "fast"))
            .refuses(dev(&format!("{snapshots}.storageClassName"), "Fast SSD")),
    ]
    .into_iter()
    .chain(destinations())
    .collect()
}

/// Where exports may go.
fn destinations() -> Vec<Case> {
    let dev = |snapshots: Value| Instance::dev("a").with("maintenance.snapshots", snapshots);
    let stored = |snapshots: Value| {
        let s3 = json!({"enabled": true, "secretRef": "b", "accessKeyIdKey": "id", "secretAccessKeyKey": "key",
            "bucket": "orders", "endpoint": "https://s3.example.com"});
        dev(snapshots).with("backend.s3", s3)
    };
    let storage = "ObjectStorage";
    vec![
        rule("spec", "exports go to a bucket by spec.backend.s3")
            .accepts(stored(json!({"destination": storage})))
            .accepts(stored(json!({"destination": storage, "bucket": "vault"})))
            .accepts(stored(json!({"bucket": "vault"})))
            .accepts(dev(json!({"destination": "Claim"})))
            .refuses(dev(json!({"destination": storage})))
            .refuses(dev(json!({"bucket": "vault"}))),
        rule("spec.maintenance.snapshots.bucket", "must be the name of a bucket")
            .accepts(stored(json!({"bucket": "vault-2"})))
            .refuses(stored(json!({"bucket": "secret/a/b"}))),
        rule("spec.maintenance.snapshots", "exports on a claim are in no bucket")
            .accepts(stored(json!({"destination": "Claim"})))
            .refuses(stored(json!({"destination": "Claim", "bucket": "vault"}))),
        rule("spec.maintenance.snapshots", "size and storageClassName are those of a claim")
            .accepts(stored(json!({"size": "1Gi"})))
            .accepts(stored(json!({"destination": "Claim", "size": "1Gi"})))
            .refuses(stored(json!({"destination": storage, "size": "1Gi"})))
            .refuses(stored(json!({"destination": storage, "storageClassName": "fast"}))),
    ]
}
