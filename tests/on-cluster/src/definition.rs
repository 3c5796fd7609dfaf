//! The definition of the resource: installed on the API server, and walked.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, bail};
use convex_operator::api::{CRD_NAME, GROUP, crd};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::Value;
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

static INSTALLED: OnceCell<()> = OnceCell::const_new();

/// One `x-kubernetes-validations` entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The field that it is about, with `[]` for any place in a list and `{}` for any key of a map.
    pub field: String,
    /// What it says when it is broken.
    pub message: String,
    /// Its expression.
    pub expression: String,
}

/// Installs the definition, once per process, and waits until the API server serves it.
///
/// # Errors
/// It is refused, or another one is served after 30 s.
pub async fn installed(client: &Client) -> Result<()> {
    INSTALLED.get_or_try_init(|| install(client)).await.copied()
}

async fn install(client: &Client) -> Result<()> {
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    let apply = PatchParams::apply("on-cluster").force();
    definitions.patch(CRD_NAME, &apply, &Patch::Apply(crd())).await?;
    let ours = rules(&schema()?);
    let deadline = Instant::now() + DEADLINE;
    while published(client).await.ok().map(|schema| rules(&schema)).as_ref() != Some(&ours) {
        if Instant::now() > deadline {
            bail!("the API server does not serve this definition; is another one installed?");
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

/// The schema as the code has it.
///
/// # Errors
/// The definition has no version, which cannot be.
pub fn schema() -> Result<Value> {
    let definition = serde_json::to_value(crd())?;
    let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema");
    schema.cloned().context("the definition has no schema")
}

/// The schema as the API server publishes it, which is what `kubectl explain` reads.
///
/// # Errors
/// The API server publishes none yet.
pub async fn published(client: &Client) -> Result<Value> {
    let path = format!("/openapi/v3/apis/{GROUP}/v1alpha1");
    let document: Value = client.request(http::Request::get(path).body(Vec::new())?).await?;
    let schema = document.pointer("/components/schemas/de.icod.convex.v1alpha1.ConvexInstance");
    schema.cloned().context("the API server does not publish it yet")
}

/// Every rule of a schema.
#[must_use]
pub fn rules(schema: &Value) -> BTreeSet<Rule> {
    let mut found = BTreeSet::new();
    walk("", schema, &mut |field, node| {
        for rule in node["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
            let (message, expression) = (text("message"), text("rule"));
            found.insert(Rule { field: field.to_owned(), message, expression });
        }
    });
    found
}

/// Visits a schema and everything below it, each with its path.
pub fn walk(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        walk(&path, below, visit);
    }
    if schema["items"].is_object() {
        walk(&format!("{path}[]"), &schema["items"], visit);
    }
    if schema["additionalProperties"].is_object() {
        walk(&format!("{path}{{}}"), &schema["additionalProperties"], visit);
    }
}
