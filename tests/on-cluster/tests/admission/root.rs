//! Rules that span the parts of an instance.

use on_cluster::{Case, Instance, rule};

pub fn cases() -> Vec<Case> {
    let dev = Instance::dev;
    let unkept = |environment: &str| {
        dev("unkept").with("environment", environment).with("backend.storage.pvc.enabled", false)
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
