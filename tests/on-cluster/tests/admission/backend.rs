//! Rules on the backend's identity, images and environment, and on the dashboard's.

use on_cluster::{Case, Instance, rule};
use serde_json::json;

use crate::{complete, everywhere};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub fn cases() -> Vec<Case> {
    let names = everywhere(
        &["backend.db.secretRef", "backend.db.caSecretRef", "backend.instance.secretRef"],
        "must be the name of an object",
        "some.other-name",
        "Some_Name",
    );
    let keys = everywhere(
        &["backend.db.urlKey", "backend.db.caKey"],
        "must be a key of a Secret",
        "some.Key_of-it",
        "a key",
    );
    [names, keys, images(), identity(), environment()].concat()
}

fn images() -> Vec<Case> {
    let image = |field: &str| {
        let with = |value: &str| complete().with(field, value);
        rule(
            &format!("spec.{field}"),
            "must be an image with a tag or a sha256 digest, and not both",
        )
        .accepts(with("registry.example.com:5000/team/convex_backend:v1"))
        .accepts(with(&format!("convex-backend@{DIGEST}")))
        .refuses(with(&format!("convex-backend:v1@{DIGEST}")))
        .refuses(with("convex-backend"))
        .refuses(with("user:secret@registry.example.com/convex-backend:v1"))
        .refuses(with("https://registry.example.com/convex-backend:v1"))
    };
    vec![image("backend.image"), image("dashboard.image")]
}

fn identity() -> Vec<Case> {
    let named = Instance::dev("named").with("backend.instance.name", "orders");
    let unnamed = Instance::dev("unnamed");
    let sealed = |key: &str| {
        Instance::dev("a").with("backend.instance", json!({"secretRef": "s", "secretKey": key}))
    };
    vec![
        rule("spec.backend.instance.secretKey", "must be a key of a Secret")
            .accepts(sealed("tls.key"))
            .refuses(sealed("a key")),
        rule("spec.backend.instance", "set spec.backend.instance.secretRef too")
            .accepts(Instance::dev("a").with("backend.instance.secretRef", "sealed"))
            .refuses(Instance::dev("a").with("backend.instance.secretKey", "KEY")),
        rule("spec.backend.instance.name", "must be a-z, 0-9, '-' and '_'")
            .accepts(Instance::dev("a").with("backend.instance.name", "a_b-1"))
            .refuses(Instance::dev("a").with("backend.instance.name", "a|b")),
        rule("spec.backend.instance", "name is part of every admin key and of the stored data")
            .after(named.clone())
            .accepts(named.clone().with("backend.instance.secretRef", "sealed"))
            .refuses(named.clone().with("backend.instance.name", "invoices"))
            .refuses(named.clone().without("backend.instance.name"))
            .refuses(named.without("backend.instance")),
        rule("spec.backend.instance", "name is part of every admin key and of the stored data")
            .after(unnamed.clone())
            .accepts(unnamed.clone().with("version", "v2"))
            .refuses(unnamed.with("backend.instance.name", "orders")),
    ]
}

fn environment() -> Vec<Case> {
    let variable =
        |name: &str| Instance::dev("a").with("backend.env", json!([{"name": name, "value": "1"}]));
    let mut reserved =
        rule("spec.backend.env[].name", "use the field of the spec that it belongs to")
            .accepts(variable("RUST_LOG"));
    for name in ["INSTANCE_SECRET", "DATABASE_URL", "LD_PRELOAD", "CONVEX_RELEASE_VERSION_DEV"] {
        reserved = reserved.refuses(variable(name));
    }
    let spelled = rule("spec.backend.env[].name", "must be the name of an environment variable")
        .accepts(variable("_mixed_Case1"))
        .refuses(variable("1ST"))
        .refuses(variable("A=B"))
        .refuses(variable("A\nINSTANCE_SECRET"));
    let says = |value: &str| {
        Instance::dev("a").with("backend.env", json!([{"name": "URL", "value": value}]))
    };
    let literal =
        rule("spec.backend.env[].value", "may not refer to another variable with $(NAME)")
            .accepts(says("costs $5 (or $$(NAME)) and $"))
            .refuses(says("$(INSTANCE_SECRET)"))
            .refuses(says("http://logs.example.com/?k=$(INSTANCE_SECRET)"))
            .refuses(says("$$$(INSTANCE_SECRET)"))
            .refuses(says("a\n$(INSTANCE_SECRET)"));
    let taken = |from: &str, of: &str| {
        let from = json!({from: {"name": of, "key": "a"}});
        Instance::dev("a").with("backend.env", json!([{"name": "A", "valueFrom": from}]))
    };
    let named = ["secretKeyRef", "configMapKeyRef"].map(|from| {
        rule(&format!("spec.backend.env[].valueFrom.{from}.name"), "must be the name of an object")
            .accepts(taken(from, "app"))
            .refuses(taken(from, "other/app"))
    });
    [reserved, spelled, literal].into_iter().chain(named).collect()
}
