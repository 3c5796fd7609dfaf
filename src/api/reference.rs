//! The reference page of the resource, written from the CRD that is installed.

use std::fmt::Write as _;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use super::crd;

/// Fields whose insides are Kubernetes' own and are described there.
const FOREIGN: [&str; 14] = [
    ".resources",
    ".env",
    ".envFrom",
    ".security.pod",
    ".security.container",
    ".imagePullSecrets",
    ".affinity",
    ".tolerations",
    ".topologySpreadConstraints",
    ".volumes[].configMap",
    ".volumes[].secret",
    ".volumes[].projected",
    ".volumes[].csi",
    ".networkPolicy.from",
];

const HEAD: &str = "\
# ConvexInstance

Generated from the code; do not edit. `kubectl explain cvx.spec` says the same. Fields in **bold** are required.
Automation reads `status.conditions`; `status.phase` is for people, and new phases may come.
";

/// The page, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let crd = crd();
    let schemas =
        crd.spec.versions.iter().filter_map(|it| it.schema.as_ref()?.open_api_v3_schema.as_ref());
    for root in schemas {
        for part in ["spec", "status"] {
            let Some(schema) = root.properties.as_ref().and_then(|it| it.get(part)) else {
                continue;
            };
            let _ = write!(
                page,
                "\n## {part}\n\n| field | type | default | what |\n|---|---|---|---|\n"
            );
            rows(&mut page, part, schema);
            rules(&mut page, part, schema);
        }
    }
    page
}

fn rows(page: &mut String, path: &str, schema: &JSONSchemaProps) {
    for (name, field) in schema.properties.iter().flatten() {
        let required = schema.required.as_ref().is_some_and(|it| it.contains(name));
        let own = format!("{path}.{name}");
        let shown = if required { format!("**`{own}`**") } else { format!("`{own}`") };
        let default = field.default.as_ref().filter(|it| is_short(&it.0));
        let default = default.map(|it| format!("`{}`", it.0)).unwrap_or_default();
        let what = field.description.as_deref().unwrap_or_default().replace('\n', " ");
        let _ = writeln!(
            page,
            "| {shown} | {} | {default} | {} |",
            kind(field),
            what.replace('|', "\\|")
        );
        if !FOREIGN.iter().any(|it| own.ends_with(it)) {
            rows(page, &own, field);
            if let Some(JSONSchemaPropsOrArray::Schema(item)) = &field.items {
                rows(page, &format!("{own}[]"), item);
            }
        }
    }
}

/// What is refused, in the words in which it is refused.
fn rules(page: &mut String, path: &str, schema: &JSONSchemaProps) {
    for rule in schema.x_kubernetes_validations.iter().flatten() {
        if let Some(message) = &rule.message {
            let _ = write!(page, "\n- `{path}`: {message}");
        }
    }
    for (name, field) in schema.properties.iter().flatten() {
        rules(page, &format!("{path}.{name}"), field);
    }
    if path.matches('.').count() == 0 {
        page.push('\n');
    }
}

fn is_short(value: &serde_json::Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn kind(field: &JSONSchemaProps) -> String {
    if let Some(values) = &field.enum_ {
        let values: Vec<_> = values.iter().filter_map(|it| it.0.as_str()).collect();
        return values.join(", ");
    }
    match (&field.items, &field.additional_properties, field.type_.as_deref()) {
        (Some(JSONSchemaPropsOrArray::Schema(item)), ..) => format!("list of {}", kind(item)),
        (_, Some(JSONSchemaPropsOrBool::Schema(value)), _) => format!("map to {}", kind(value)),
        (.., Some(plain)) => plain.to_owned(),
        _ => "any".to_owned(),
    }
}
