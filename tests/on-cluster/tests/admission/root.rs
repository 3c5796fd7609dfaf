//! Rules that span the parts of an instance.

use on_cluster::{Case, Instance, rule};
use serde_json::json;

pub fn cases() -> Vec<Case> {
    let dev = Instance::dev;
    let unkept = |environment: &str| {
        dev("unkept").with("environment", environment).with("backend.storage.pvc.enabled", false)
    };
    let keyless = |name: &str| {
        let s3 = json!({"enabled": true, "bucket": "all", "endpoint": "https://s3.example.com"});
        dev(name).with("backend.s3", s3)
    };
    let fresh = |it: Instance| {
        it.with("maintenance.upgradeStrategy", "exportImport")
            .with("maintenance.exportImport.into", "FreshStore")
    };
    vec![
        rule("", "metadata.name must be at most 52 characters")
            .accepts(dev(&"a".repeat(52)))
            .refuses(dev(&"a".repeat(53)))
            .refuses(dev(&"a".repeat(253)))
            .refuses(dev("with.dots"))
            .refuses(dev("1st")),
        rule("", "environment prod refuses a store that would not survive its pod")
            .accepts(unkept("dev"))
            .accepts(dev("kept").with("environment", "prod"))
            .refuses(unkept("prod")),
        rule("spec", "set spec.backend.storage.mode to sqlite")
            .accepts(dev("on-a-volume"))
            .refuses(dev("nowhere").with("backend.storage.mode", "external")),
        rule("spec", "set spec.backend.storage.mode to external")
            .accepts(Instance::postgres("in-a-server"))
            .refuses(Instance::postgres("in-both").with("backend.storage.mode", "sqlite")),
        rule("spec", "a copy of the volume is no way back for a database on a server")
            .accepts(Instance::postgres("a").with("maintenance.preUpgradeSnapshot", "Export"))
            .accepts(dev("a").with("maintenance.preUpgradeSnapshot", "Copy"))
            .refuses(Instance::postgres("a").with("maintenance.preUpgradeSnapshot", "Copy")),
        rule("spec", "a fresh store on a server is a new database")
            .accepts(fresh(dev("a")))
            .accepts(fresh(Instance::postgres("a").with("backend.db.createDatabase", "IfMissing")))
            .refuses(fresh(Instance::postgres("a").with("backend.db.createDatabase", "Never")))
            .accepts(Instance::postgres("a").with("maintenance.upgradeStrategy", "exportImport"))
            .refuses(fresh(Instance::postgres("a"))),
        rule("spec.backend", "object storage without keys knows the backend by its ServiceAccount")
            .accepts(keyless("a").with("backend.pod.serviceAccount", json!({"name": "web"})))
            .accepts(keyless("a").with("backend.pod.serviceAccount.annotations", json!({"a": "b"})))
            .refuses(keyless("a").with("backend.pod.labels", json!({"team": "shop"})))
            .refuses(keyless("a")),
        rule("spec.version", "must be an image tag: letters, digits")
            .accepts(dev("a").with("version", "v1.0_rc-2"))
            .refuses(dev("a").with("version", "v1; rm -rf /"))
            .refuses(dev("a").with("version", "convex-backend:v1"))
            .refuses(dev("a").with("version", "-v1")),
        rule("spec.version", "name the tag of a release")
            .accepts(dev("a").with("version", "latest-1"))
            .refuses(dev("a").with("version", "latest")),
    ]
}
