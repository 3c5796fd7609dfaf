//! Rules on how an instance is upgraded.

use on_cluster::{Case, Instance, rule};
use serde_json::json;

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
}
