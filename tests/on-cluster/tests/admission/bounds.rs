//! Every bound of the schema of `spec`, found by walking it: one step too far is refused at that very field.

use std::collections::BTreeMap;

use anyhow::Result;
use on_cluster::{Case, Ground, admission, definition, rule};
use serde_json::{Value, json};

use crate::complete;

/// A complete instance with this value at a field of the schema.
fn with(field: &str, value: Value) -> on_cluster::Instance {
    let path = field.trim_start_matches("spec.").replace("[]", ".0").replace("{}", ".any");
    complete().with(&path, value)
}

fn too_far(field: &str, schema: &Value) -> Vec<Case> {
    let said_of = field.replace("{}", ".any");
    let beyond = |message: &str, value: Value| rule(&said_of, message).refuses(with(field, value));
    let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
    let number = |name: &str| schema[name].as_f64();
    let mut cases = Vec::new();
    if schema["enum"].is_array() {
        cases.push(beyond("Unsupported value", json!("nonsense")));
    }
    if let Some(max) = bound("maxLength") {
        cases.push(beyond("Too long", json!("a".repeat(max + 1))));
    }
    if let Some(min) = bound("minLength") {
        let few = format!("should be at least {min} chars long");
        cases.push(beyond(&few, json!("")));
    }
    if let Some(max) = number("maximum") {
        cases.push(beyond("should be less than or equal to", json!(max + 1.0)));
    }
    if let Some(min) = number("minimum") {
        cases.push(beyond("should be greater than or equal to", json!(min - 1.0)));
    }
    if let Some(max) = bound("maxItems") {
        cases.push(beyond("Too many", json!(vec![Value::Null; max + 1])));
    }
    if let Some(max) = bound("maxProperties") {
        let many: BTreeMap<_, _> = (0..=max).map(|n| (format!("k{n}"), "1")).collect();
        cases.push(beyond("Too many", json!(many)));
    }
    cases
}

#[tokio::test]
async fn one_step_beyond_any_bound_is_refused() -> Result<()> {
    let ground = Ground::fresh("bounds").await?;
    let mut cases = Vec::new();
    definition::walk("", &definition::schema()?, &mut |field, schema| {
        if field.starts_with("spec.") {
            cases.extend(too_far(field, schema));
        }
    });
    assert!(cases.len() > 150, "{} bounds", cases.len());
    admission::holds(&ground, &cases).await
}
