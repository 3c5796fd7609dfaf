//! Instances as users write them, right or wrong: hence JSON and not the type, which cannot be wrong.

use anyhow::{Context, Result};
use serde_json::{Value, json};

const COMPLETE: &str = include_str!("../fixtures/complete.yaml");

/// The tag of the stand-in images that samples use.
pub const VERSION: &str = "6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912";

/// A manifest of a `ConvexInstance`.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance(Value);

impl Instance {
    /// The smallest that there is: `SQLite` on a volume, for development.
    #[must_use]
    pub fn dev(name: &str) -> Self {
        Self(json!({
            "apiVersion": "convex.icod.de/v1alpha1",
            "kind": "ConvexInstance",
            "metadata": {"name": name},
            "spec": {
                "environment": "dev",
                "version": VERSION,
                "backend": {"db": {"engine": "sqlite"}, "storage": {"mode": "sqlite"}},
            },
        }))
    }

    /// Documents in a `PostgreSQL` server.
    #[must_use]
    pub fn postgres(name: &str) -> Self {
        Self::dev(name)
            .with("backend.db", json!({"engine": "postgres", "secretRef": "db", "urlKey": "uri"}))
            .with("backend.storage.mode", "external")
    }

    /// Every field of the specification that the project grew from.
    ///
    /// # Errors
    /// The fixture is no YAML.
    pub fn complete() -> Result<Self> {
        Self::from_yaml(COMPLETE)
    }

    /// A manifest as it stands in a file.
    ///
    /// # Errors
    /// The text is no YAML.
    pub fn from_yaml(text: &str) -> Result<Self> {
        serde_saphyr::from_str(text).map(Self).context("reading a manifest")
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.0["metadata"]["name"] = name.into();
        self
    }

    /// With a field of the spec set: `backend.storage.pvc.size`, `backend.env.0.name`.
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        *slot(&mut self.0["spec"], path) = value.into();
        self
    }

    /// With a field of the spec left out.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
        let parent = slot(&mut self.0["spec"], parent);
        parent.as_object_mut().map(|fields| fields.remove(field));
        self
    }

    /// What `metadata.name` says.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// What `spec` says.
    #[must_use]
    pub fn spec(&self) -> &Value {
        &self.0["spec"]
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Value {
        &self.0
    }
}

/// The place of a dotted path, made where it is missing.
fn slot<'a>(root: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.').filter(|step| !step.is_empty()).fold(root, |at, step| {
        let Ok(index) = step.parse::<usize>() else { return &mut at[step] };
        if !at.is_array() {
            *at = json!([]);
        }
        if let Some(items) = at.as_array_mut()
            && items.len() <= index
        {
            items.resize(index + 1, Value::Null);
        }
        &mut at[index]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_makes_what_is_missing_and_reaches_into_lists() {
        let instance = Instance::dev("a").with("networking.parentRefs.1.name", "b");
        assert_eq!(instance.spec()["networking"], json!({"parentRefs": [null, {"name": "b"}]}));
    }

    #[test]
    fn a_field_that_is_left_out_is_gone_and_its_siblings_stay() {
        let instance = Instance::postgres("a").without("backend.db.urlKey");
        assert_eq!(
            instance.spec()["backend"]["db"],
            json!({"engine": "postgres", "secretRef": "db"})
        );
    }
}
