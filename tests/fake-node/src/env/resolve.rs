//! `env` and `envFrom` of a container against the Secrets and `ConfigMaps` that exist now.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, EnvVarSource, Pod};
use kube::ResourceExt;

use super::{PodFacts, Variables, expand, field};
use crate::objects::{Key, Kind, Objects};

/// Why a container cannot be configured, in a kubelet's words. It is tried again until it can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The object does not exist.
    #[error("{} \"{name}\" not found", .kind.lower_case())]
    NoObject {
        /// Of which kind.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// The object has no such key.
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    NoKey {
        /// Of which kind.
        kind: Kind,
        /// Where.
        namespace: String,
        /// Its name.
        name: String,
        /// What it lacks.
        key: String,
    },
    /// A field that is not played here.
    #[error("unsupported pod field: {0}")]
    NoField(String),
    /// The security context and the image do not go together.
    #[error("{0}")]
    User(String),
}

/// The Secrets and `ConfigMaps` that the environment of `container` mentions.
#[must_use]
pub fn needs(container: &Container) -> Vec<Key> {
    let whole = container.env_from.iter().flatten().filter_map(|from| {
        let secret = from.secret_ref.as_ref().map(|of| (Kind::Secret, &of.name));
        secret.or_else(|| from.config_map_ref.as_ref().map(|of| (Kind::ConfigMap, &of.name)))
    });
    let single = container.env.iter().flatten().filter_map(|variable| {
        let from = variable.value_from.as_ref()?;
        let secret = from.secret_key_ref.as_ref().map(|of| (Kind::Secret, &of.name));
        secret.or_else(|| from.config_map_key_ref.as_ref().map(|of| (Kind::ConfigMap, &of.name)))
    });
    whole.chain(single).map(|(kind, name)| Key { kind, name: name.clone() }).collect()
}

/// The environment of `container`: `envFrom` first, then `env`, which may use everything before it.
///
/// # Errors
/// Where an object or a key is missing and not optional.
pub fn resolve(
    container: &Container,
    pod: &Pod,
    facts: &PodFacts,
    objects: &Objects,
) -> Result<Variables, ConfigError> {
    let resolver = Resolver { pod, facts, objects };
    let mut variables = BTreeMap::new();
    for from in container.env_from.iter().flatten() {
        variables.extend(resolver.all_of(from)?);
    }
    for variable in container.env.iter().flatten() {
        if let Some(value) = resolver.value(variable, &variables)? {
            variables.insert(variable.name.clone(), value);
        }
    }
    Ok(variables.into_iter().collect())
}

struct Resolver<'a> {
    pod: &'a Pod,
    facts: &'a PodFacts,
    objects: &'a Objects,
}

impl Resolver<'_> {
    fn all_of(&self, from: &EnvFromSource) -> Result<Variables, ConfigError> {
        let (kind, name, optional) = match (&from.secret_ref, &from.config_map_ref) {
            (Some(secret), _) => (Kind::Secret, &secret.name, secret.optional),
            (None, Some(map)) => (Kind::ConfigMap, &map.name, map.optional),
            (None, None) => return Ok(Vec::new()),
        };
        let Some(values) = self.objects.values(kind, name) else {
            return missing(optional, Vec::new(), || no_object(kind, name));
        };
        let prefix = from.prefix.as_deref().unwrap_or_default();
        Ok(values.iter().map(|(key, value)| (format!("{prefix}{key}"), value.clone())).collect())
    }

    fn value(
        &self,
        variable: &EnvVar,
        before: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, ConfigError> {
        match (variable.value.as_deref(), &variable.value_from) {
            (None | Some(""), Some(source)) => self.referenced(source),
            (value, _) => {
                let value_of = |name: &str| before.get(name).map(Vec::as_slice);
                Ok(Some(expand(value.unwrap_or_default(), value_of)))
            }
        }
    }

    fn referenced(&self, source: &EnvVarSource) -> Result<Option<Vec<u8>>, ConfigError> {
        if let Some(from) = &source.secret_key_ref {
            self.key(Kind::Secret, &from.name, &from.key, from.optional)
        } else if let Some(from) = &source.config_map_key_ref {
            self.key(Kind::ConfigMap, &from.name, &from.key, from.optional)
        } else if let Some(from) = &source.field_ref {
            field(self.pod, self.facts, &from.field_path)
                .map(|value| Some(value.into_bytes()))
                .ok_or_else(|| ConfigError::NoField(from.field_path.clone()))
        } else {
            Err(ConfigError::NoField("resourceFieldRef or fileKeyRef".to_owned()))
        }
    }

    fn key(
        &self,
        kind: Kind,
        name: &str,
        key: &str,
        optional: Option<bool>,
    ) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some(values) = self.objects.values(kind, name) else {
            return missing(optional, None, || no_object(kind, name));
        };
        match values.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => missing(optional, None, || ConfigError::NoKey {
                kind,
                namespace: self.pod.namespace().unwrap_or_default(),
                name: name.to_owned(),
                key: key.to_owned(),
            }),
        }
    }
}

fn no_object(kind: Kind, name: &str) -> ConfigError {
    ConfigError::NoObject { kind, name: name.to_owned() }
}

fn missing<T>(
    optional: Option<bool>,
    none: T,
    error: impl Fn() -> ConfigError,
) -> Result<T, ConfigError> {
    if optional == Some(true) { Ok(none) } else { Err(error()) }
}

#[cfg(test)]
mod tests;
