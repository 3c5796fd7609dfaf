//! Instances as users write them.

use serde_json::{Value, json};

/// The namespace of every instance here.
pub const NAMESPACE: &str = "shop";

/// The smallest instance there is: SQLite on a volume, version v1.
pub fn instance(name: &str) -> Value {
    json!({
        "apiVersion": "convex.icod.de/v1alpha1", "kind": "ConvexInstance",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "environment": "dev", "version": "v1",
            "backend": {"db": {"engine": "sqlite"}},
            "maintenance": {"preUpgradeSnapshot": "Off"},
        },
    })
}

/// The same instance after somebody has waited for what it refers to: its edge and its children are not
/// one pass.
pub fn looked_at(name: &str) -> Value {
    let mut instance = instance(name);
    instance["metadata"]["finalizers"] = json!(["convex.icod.de/finalizer"]);
    instance
}

/// The same instance with something else at a place of its spec, such as `/backend/env`.
pub fn with(mut instance: Value, place: &str, value: Value) -> Value {
    set(&mut instance, place, value);
    instance
}

/// Sets a place of the spec, making the maps above it.
pub fn set(instance: &mut Value, place: &str, value: Value) {
    let mut at = &mut instance["spec"];
    for part in place.trim_start_matches('/').split('/') {
        at = &mut at[part];
    }
    *at = value;
}

/// An object of somebody else.
pub fn foreign(kind: &str, name: &str) -> Value {
    let workload = matches!(kind, "StatefulSet" | "Deployment");
    let version = match kind {
        "Ingress" => "networking.k8s.io/v1",
        _ if workload => "apps/v1",
        _ => "v1",
    };
    let template = json!({"selector": {}, "serviceName": "any", "template": {}});
    let spec = if workload { template } else { json!({}) };
    json!({"apiVersion": version, "kind": kind, "spec": spec,
        "metadata": {"name": name, "namespace": NAMESPACE}})
}
