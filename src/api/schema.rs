//! What the derive cannot say: bounds on everything, rules on shared kinds of strings, and short
//! descriptions for the types that come from Kubernetes.

mod environment;
mod pods;
mod text;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceValidation, JSONSchemaProps, JSONSchemaPropsOrArray,
    JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

pub(crate) use self::environment::RESERVED;
pub(super) use self::{
    environment::{env, env_from},
    pods::{
        affinity, mount_path, node_selector, peers, pod_annotations, pod_labels, priority_class,
        projected, pull_secrets, spread, sub_path, terse, tolerations, volume_mounts, volume_name,
        volumes,
    },
    text::{bucket, class, data_key, duration, endpoint, host, image, object_name, origin, url},
};
use super::{Condition, ConvexInstance};

/// How many characters of a description from Kubernetes are kept.
const DESCRIPTION: usize = 40;
/// The bounds of what says nothing else: CEL's cost estimate and etcd both want an upper end.
const STRING: i64 = 1024;
const LIST: i64 = 64;
const MAP: i64 = 64;

/// The CRD as it is installed: derived from the types, then bounded and shortened.
#[must_use]
pub fn crd() -> CustomResourceDefinition {
    let mut crd = ConvexInstance::crd();
    for version in &mut crd.spec.versions {
        let schema = version.schema.get_or_insert_with(CustomResourceValidation::default);
        let Some(root) = &mut schema.open_api_v3_schema else { continue };
        for (name, property) in root.properties.iter_mut().flatten() {
            bound(property);
            if name == "status" {
                property.nullable = None;
                property.default =
                    Some(k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSON(
                        json!({"observedGeneration": -1}),
                    ));
            }
        }
    }
    crd
}

/// What Kubernetes takes for a quantity, as near as a short pattern comes; nothing here can be negative.
const QUANTITY: &str = r"^\+?[0-9.]+([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$";
/// The longest that a quantity is written.
const QUANTITY_LENGTH: i64 = 32;

/// Gives every string, list and map below an upper end where it has none.
fn bound(schema: &mut JSONSchemaProps) {
    if schema.x_kubernetes_int_or_string == Some(true) {
        schema.pattern.get_or_insert_with(|| QUANTITY.to_owned());
        schema.max_length.get_or_insert(QUANTITY_LENGTH);
    }
    match schema.type_.as_deref() {
        Some("string") if schema.enum_.is_none() && schema.format.is_none() => {
            schema.max_length.get_or_insert(STRING);
        }
        // Kubernetes knows no unsigned numbers; the minimum says the same.
        Some("integer") if schema.format.as_deref() == Some("uint32") => {
            schema.format = Some("int32".to_owned());
        }
        Some("array") => {
            schema.max_items.get_or_insert(LIST);
        }
        Some("object") if schema.additional_properties.is_some() => {
            schema.max_properties.get_or_insert(MAP);
        }
        _ => {}
    }
    for property in schema.properties.iter_mut().flatten() {
        bound(property.1);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(inner)) = &mut schema.additional_properties {
        bound(inner);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(inner)) = &mut schema.items {
        bound(inner);
    }
}

/// The schema of a Kubernetes type with its descriptions cut to a few words, and without what no backend can use: its
/// images are for Linux alone.
pub(super) fn compact<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = T::json_schema(generator);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove("windowsOptions");
    }
    if let Some(map) = schema.as_object_mut() {
        map.values_mut().for_each(shorten);
    }
    schema
}

fn shorten(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description") {
                let end = text.find(". ").map_or(text.len(), |dot| dot + 1);
                *text = in_short(&text[..end].replace('\n', " "));
            }
            map.values_mut().for_each(shorten);
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        _ => {}
    }
}

/// As many whole words as there is room for.
fn in_short(text: &str) -> String {
    let Some((room, _)) = text.char_indices().nth(DESCRIPTION) else { return text.to_owned() };
    let end = text[..room].rfind(' ').unwrap_or(room);
    text[..end].trim_end_matches([',', ':', ';']).to_owned() + " …"
}

/// What only the operator reads: kept word for word, also what a newer operator has written into it.
pub(super) fn kept(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
    })
}

/// Annotations that are passed on.
pub(super) fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": {"type": "string", "maxLength": 4096},
    })
}

/// Conditions: one of each type, so that two writers do not clobber each other.
pub(super) fn conditions(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "items": generator.subschema_for::<Condition>(),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    })
}
