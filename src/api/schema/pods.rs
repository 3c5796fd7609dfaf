//! Rules on the pods of a part.

use k8s_openapi::api::{
    core::v1::{
        Affinity, LocalObjectReference, ProjectedVolumeSource, Toleration, TopologySpreadConstraint,
    },
    networking::v1::NetworkPolicyPeer,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{compact, object_name, text::checked};
use crate::api::{ExtraMount, ExtraVolume};

/// Volumes that the operator mounts itself, in any pod.
pub(crate) const OWN_VOLUMES: [&str; 6] =
    ["data", "credentials", "database", "tmp", "copy", "cache"];
/// Where nothing else may be mounted: what the images and the operator need, and everything below; and folders of the
/// system as a whole. `/var/run` is `/run`.
pub(crate) const OWN_PATHS: &str = "^/((convex|app|tmp|proc|sys|dev|run/convex|run/credentials|run/database|var/run)(/.*)?|bin|etc|lib|lib64|run|sbin|usr|var)$";
/// What other namespaces have, a node by its name, and what only a scheduler with newer features understands.
const ELSEWHERE: [&str; 5] =
    ["namespaces", "namespaceSelector", "matchFields", "matchLabelKeys", "mismatchLabelKeys"];
/// What of a projected volume is no file of the namespace.
const NOT_PROJECTED: [&str; 3] = ["serviceAccountToken", "clusterTrustBundle", "podCertificate"];

/// The schema of a Kubernetes type without a word: what its fields mean is described there.
pub(in crate::api) fn terse<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = compact::<T>(generator);
    schema.as_object_mut().into_iter().flat_map(|it| it.values_mut()).for_each(hush);
    schema
}

/// Takes descriptions away, and leaves a field alone that is called so.
fn hush(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("description").is_some_and(Value::is_string) {
                map.remove("description");
            }
            map.values_mut().for_each(hush);
        }
        Value::Array(items) => items.iter_mut().for_each(hush),
        _ => {}
    }
}

/// Takes these fields out of a schema, wherever they are.
fn without(value: &mut Value, fields: &[&str]) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                properties.retain(|name, _| !fields.contains(&name.as_str()));
            }
            map.values_mut().for_each(|it| without(it, fields));
        }
        Value::Array(items) => items.iter_mut().for_each(|it| without(it, fields)),
        _ => {}
    }
}

/// A list of items that are told apart by a key.
fn keyed(item: &Schema, key: &str, most: u32) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": most,
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [key],
    })
}

fn list(item: &Schema, most: u32) -> Schema {
    json_schema!({"type": "array", "maxItems": most, "items": item})
}

fn rule(schema: &mut Value, rule: &str, message: &str) {
    schema["x-kubernetes-validations"] = json!([{"rule": rule, "message": message}]);
}

fn map(most: u32, longest: u32, own: &str) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": most,
        "additionalProperties": {"type": "string", "maxLength": longest},
        "x-kubernetes-validations": [{"rule": own,
            "message": "the operator and Kubernetes find the pods by labels and annotations of their own, and set them themselves: choose another key"}],
    })
}

/// Labels beside those by which pods are found.
pub(in crate::api) fn pod_labels(_: &mut SchemaGenerator) -> Schema {
    let mut labels = map(
        32,
        63,
        "self.all(key, !key.startsWith('convex.icod.de/') && !(key in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component', 'app.kubernetes.io/part-of', 'app.kubernetes.io/managed-by', 'controller-revision-hash', 'pod-template-hash', 'statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index']))",
    )
    .to_value();
    if let Some(rules) = labels["x-kubernetes-validations"].as_array_mut() {
        rules.push(json!({
            "rule": "self.all(key, self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'))",
            "message": "the value of a label is letters, digits, '-', '_' and '.', the first and the last a letter or digit",
        }));
    }
    schema(labels)
}

/// Annotations beside those that the operator reads.
pub(in crate::api) fn pod_annotations(_: &mut SchemaGenerator) -> Schema {
    map(32, 4096, "self.all(key, !key.startsWith('convex.icod.de/'))")
}

/// Labels of nodes.
pub(in crate::api) fn node_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"type": "string", "maxLength": 63},
    })
}

/// Secrets for registries.
pub(in crate::api) fn pull_secrets(generator: &mut SchemaGenerator) -> Schema {
    let mut item = terse::<LocalObjectReference>(generator);
    item.insert("required".into(), json!(["name"]));
    if let Some(properties) = item.get_mut("properties") {
        properties["name"] = object_name(generator).to_value();
    }
    keyed(&item, "name", 16)
}

/// Taints that may be put up with. Whoever puts up with all of them puts up with those of the control plane.
pub(in crate::api) fn tolerations(generator: &mut SchemaGenerator) -> Schema {
    let mut item = terse::<Toleration>(generator).to_value();
    item["properties"]["key"]["maxLength"] = json!(317);
    rule(
        &mut item,
        "has(self.key) && size(self.key) > 0 && !(self.key in ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'])",
        "name the key of a taint other than that of the control plane, where no instance belongs; without a key all taints are put up with",
    );
    list(&schema(item), 16)
}

/// Affinity within the namespace.
pub(in crate::api) fn affinity(generator: &mut SchemaGenerator) -> Schema {
    let mut whole = terse::<Affinity>(generator).to_value();
    without(&mut whole, &ELSEWHERE);
    schema(whole)
}

/// How pods are spread.
pub(in crate::api) fn spread(generator: &mut SchemaGenerator) -> Schema {
    let mut item = terse::<TopologySpreadConstraint>(generator).to_value();
    without(&mut item, &ELSEWHERE);
    list(&schema(item), 8)
}

/// A priority that is not the cluster's own.
pub(in crate::api) fn priority_class(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$') && !self.startsWith('system-')",
        "must be the name of a PriorityClass that does not begin with system-: those are for what the cluster itself needs",
        253,
    )
}

/// Further volumes.
pub(in crate::api) fn volumes(generator: &mut SchemaGenerator) -> Schema {
    let item = generator.subschema_for::<ExtraVolume>();
    keyed(&item, "name", 16)
}

/// Further mounts.
pub(in crate::api) fn volume_mounts(generator: &mut SchemaGenerator) -> Schema {
    let item = generator.subschema_for::<ExtraMount>();
    keyed(&item, "mountPath", 16)
}

/// The name of a further volume.
pub(in crate::api) fn volume_name(_: &mut SchemaGenerator) -> Schema {
    let own = OWN_VOLUMES.map(|name| format!("'{name}'")).join(", ");
    checked(
        &format!("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && !(self in [{own}])"),
        "must be a-z, 0-9 and '-', and none of the operator's own volumes data, credentials, database, tmp, copy and cache",
        63,
    )
}

/// Where a further volume may be mounted.
pub(in crate::api) fn mount_path(_: &mut SchemaGenerator) -> Schema {
    checked(
        &format!(
            "self.matches('^(/[.]?[-A-Za-z0-9_@][-A-Za-z0-9._@]*)+$') && !self.matches('{OWN_PATHS}')"
        ),
        "must be an absolute path without '..', outside of what Convex, the operator and the system keep there (/convex, /app, /tmp, /run/convex, /run/credentials, /run/database, /var/run, /proc, /sys, /dev): for example /etc/app",
        512,
    )
}

/// A path within a volume.
pub(in crate::api) fn sub_path(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[.]?[-A-Za-z0-9_@][-A-Za-z0-9._@]*(/[.]?[-A-Za-z0-9_@][-A-Za-z0-9._@]*)*$')",
        "must be a path within the volume, without '..' and without a slash at its ends",
        512,
    )
}

/// Files from several objects of the namespace.
pub(in crate::api) fn projected(generator: &mut SchemaGenerator) -> Schema {
    let mut whole = terse::<ProjectedVolumeSource>(generator).to_value();
    without(&mut whole, &NOT_PROJECTED);
    let sources = &mut whole["properties"]["sources"];
    sources["maxItems"] = json!(16);
    rule(
        &mut sources["items"],
        "has(self.configMap) || has(self.secret) || has(self.downwardAPI)",
        "a source is a configMap, a secret or a downwardAPI: a token of a service account is not to be had, for no pod talks to the cluster",
    );
    schema(whole)
}

/// Who may come in.
pub(in crate::api) fn peers(generator: &mut SchemaGenerator) -> Schema {
    let mut item = terse::<NetworkPolicyPeer>(generator).to_value();
    rule(
        &mut item,
        "has(self.podSelector) || has(self.namespaceSelector) || has(self.ipBlock)",
        "a peer without podSelector, namespaceSelector and ipBlock is nobody: give one of them",
    );
    list(&schema(item), 16)
}

fn schema(value: Value) -> Schema {
    Schema::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
