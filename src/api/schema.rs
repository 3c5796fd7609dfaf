//! What the derive cannot say: bounds on everything, rules on shared kinds of strings, and short
//! descriptions for the types that come from Kubernetes.

use k8s_openapi::{
    api::core::v1::EnvVar,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::{
        CustomResourceDefinition, CustomResourceValidation, JSONSchemaProps,
        JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
    },
};
use kube::CustomResourceExt;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Condition, ConvexInstance};

/// How many characters of a description from Kubernetes are kept.
const DESCRIPTION: usize = 80;
/// The bounds of what says nothing else: CEL's cost estimate and etcd both want an upper end.
const STRING: i64 = 1024;
const LIST: i64 = 64;
const MAP: i64 = 64;

/// Names of variables that the operator or the image sets itself, or that would change what runs.
pub(crate) const RESERVED: [&str; 34] = [
    "INSTANCE_NAME",
    "INSTANCE_SECRET",
    "CONVEX_CLOUD_ORIGIN",
    "CONVEX_SITE_ORIGIN",
    "CONVEX_RELEASE_VERSION_DEV",
    "DATA_DIR",
    "CREDENTIALS_DIR",
    "STORAGE_DIR",
    "SQLITE_DB",
    "TMPDIR",
    "HOME",
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "SSLKEYLOGFILE",
    "DATABASE_URL",
    "POSTGRES_URL",
    "MYSQL_URL",
    "PG_CA_FILE",
    "MYSQL_CA_FILE",
    "DO_NOT_REQUIRE_SSL",
    "REDACT_LOGS_TO_CLIENT",
    "DISABLE_BEACON",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "S3_ENDPOINT_URL",
    "S3_STORAGE_EXPORTS_BUCKET",
    "S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET",
    "S3_STORAGE_MODULES_BUCKET",
    "S3_STORAGE_FILES_BUCKET",
    "S3_STORAGE_SEARCH_BUCKET",
    "NEXT_PUBLIC_ADMIN_KEY",
];

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

/// What Kubernetes takes for a quantity, as near as a short pattern comes.
const QUANTITY: &str = r"^[+-]?[0-9.]+([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$";
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

/// The schema of a Kubernetes type with its descriptions cut to their first sentence, and without what
/// no backend can use: its images are for Linux alone.
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

fn checked(rule: &str, message: &str, max: u32) -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": max,
        "x-kubernetes-validations": [{"rule": rule, "message": message}],
    })
}

/// An image reference with a tag or a digest, and not both.
pub(super) fn image(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[a-f0-9]{64})$')",
        "must be an image with a tag or a sha256 digest, and not both, without credentials: for example ghcr.io/get-convex/convex-backend:<tag>",
        512,
    )
}

/// The name of another object of the namespace.
pub(super) fn object_name(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
        "must be the name of an object: a-z, 0-9, '-' and '.', beginning and ending with a letter or digit",
        253,
    )
}

/// A key of a Secret or a `ConfigMap`.
pub(super) fn data_key(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[-._a-zA-Z0-9]+$')",
        "must be a key of a Secret: letters, digits, '-', '_' and '.'",
        253,
    )
}

/// A host name, without scheme, port or path.
pub(super) fn host(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$')",
        "must be a host name such as api.example.com: lower case, without scheme, port, path or wildcard",
        253,
    )
}

/// An origin: a URL without a path.
pub(super) fn origin(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$')",
        "must be http:// or https://, a host and maybe a port, without path or trailing slash: for example https://api.example.com",
        512,
    )
}

/// A URL that may have a path.
pub(super) fn url(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[-A-Za-z0-9._~%]+)*$')",
        "must be http:// or https://, a host, maybe a port and a path, without trailing slash: for example https://api.example.com/http",
        512,
    )
}

/// Annotations that are passed on.
pub(super) fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": {"type": "string", "maxLength": 4096},
    })
}

/// Environment variables: each name once, none that is reserved.
pub(super) fn env(generator: &mut SchemaGenerator) -> Schema {
    let mut item = compact::<EnvVar>(generator);
    if let Some(properties) = item.get_mut("properties").and_then(Value::as_object_mut) {
        if let Some(name) = properties.get_mut("name").and_then(Value::as_object_mut) {
            name.extend([
                ("maxLength".into(), json!(128)),
                ("minLength".into(), json!(1)),
                ("x-kubernetes-validations".into(), json!([env_name(), env_reserved()])),
            ]);
        }
        if let Some(value) = properties.get_mut("value").and_then(Value::as_object_mut) {
            value.insert("maxLength".into(), json!(4096));
        }
    }
    json_schema!({
        "type": "array",
        "maxItems": 128,
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    })
}

fn env_name() -> Value {
    json!({
        "rule": "self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",
        "message": "must be the name of an environment variable: letters, digits and '_', not beginning with a digit",
    })
}

fn env_reserved() -> Value {
    let names = RESERVED.map(|name| format!("'{name}'")).join(", ");
    json!({
        "rule": format!("!(self in [{names}])"),
        "message": "is set by the operator or by the image: use the field of the spec that it belongs to, or choose another name",
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
