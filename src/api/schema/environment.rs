//! Rules on environment variables.

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{compact, object_name, terse};

/// Names of variables that the operator or the image sets itself, or that would change what runs.
pub(crate) const RESERVED: [&str; 43] = [
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
    "LD_AUDIT",
    "BASH_ENV",
    "BASHOPTS",
    "SHELLOPTS",
    "SSLKEYLOGFILE",
    "DATABASE_URL",
    "POSTGRES_URL",
    "MYSQL_URL",
    "PG_CA_FILE",
    "MYSQL_CA_FILE",
    "DO_NOT_REQUIRE_SSL",
    "REDACT_LOGS_TO_CLIENT",
    "DISABLE_BEACON",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_S3_DISABLE_CHECKSUMS",
    "AWS_S3_DISABLE_SSE",
    "AWS_S3_FORCE_PATH_STYLE",
    "S3_ENDPOINT_URL",
    "S3_STORAGE_EXPORTS_BUCKET",
    "S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET",
    "S3_STORAGE_MODULES_BUCKET",
    "S3_STORAGE_FILES_BUCKET",
    "S3_STORAGE_SEARCH_BUCKET",
    "NEXT_PUBLIC_ADMIN_KEY",
];

/// Environment variables: each name once, none that is reserved.
pub(in crate::api) fn env(generator: &mut SchemaGenerator) -> Schema {
    let mut item = compact::<EnvVar>(generator);
    for from in ["secretKeyRef", "configMapKeyRef"] {
        let name = format!("/properties/valueFrom/properties/{from}/properties/name");
        let of_an_object = object_name(generator).to_value();
        let (name, of_an_object) = (item.pointer_mut(&name), of_an_object.as_object());
        let name = name.and_then(Value::as_object_mut);
        if let Some((name, of_an_object)) = name.zip(of_an_object) {
            name.extend(of_an_object.clone());
        }
    }
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
            value.insert("x-kubernetes-validations".into(), json!([env_literal()]));
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

/// Sources of environment variables: one of a kind each.
pub(in crate::api) fn env_from(generator: &mut SchemaGenerator) -> Schema {
    let mut item = terse::<EnvFromSource>(generator).to_value();
    for source in ["configMapRef", "secretRef"] {
        let of = &mut item["properties"][source];
        of["required"] = json!(["name"]);
        of["properties"]["name"] = object_name(generator).to_value();
    }
    item["properties"]["prefix"] = json!({"type": "string", "maxLength": 128,
        "x-kubernetes-validations": [env_name()]});
    item["x-kubernetes-validations"] = json!([{
        "rule": "has(self.configMapRef) != has(self.secretRef)",
        "message": "a source is either a configMapRef or a secretRef: give one of the two, and the other one in an item of its own",
    }]);
    json_schema!({"type": "array", "maxItems": 16, "items": item})
}

fn env_name() -> Value {
    json!({
        "rule": "self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",
        "message": "must be the name of an environment variable: letters, digits and '_', not beginning with a digit",
    })
}

/// Keys and passwords are among the variables that would be put in. Two dollar signs stand for one, and refer to nothing
/// (<https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/>).
fn env_literal() -> Value {
    json!({
        "rule": r"!self.matches('(^|[^$])([$][$])*[$][(]')",
        "message": "may not refer to another variable with $(NAME): take the value from a Secret or ConfigMap with valueFrom, or write $$(NAME) where the text itself is meant",
    })
}

fn env_reserved() -> Value {
    let names = RESERVED.map(|name| format!("'{name}'")).join(", ");
    json!({
        "rule": format!("!(self in [{names}])"),
        "message": "is set by the operator or by the image: use the field of the spec that it belongs to, or choose another name",
    })
}
