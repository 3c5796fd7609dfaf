//! What variables of the spec are taken from: `spec.backend.envFrom`, key by key, and `valueFrom` of `spec.backend.env`.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{
        ConfigMap, ConfigMapEnvSource, ConfigMapKeySelector, EnvFromSource, EnvVar, EnvVarSource,
        Secret, SecretEnvSource, SecretKeySelector,
    },
};
use kube::{Api, Resource};
use sha2::{Digest, Sha256};

use super::{Look, missing};
use crate::{api::RESERVED, observe::Obstacle, plan::labels::VARIABLES_HASH};

const FIELD: &str = "spec.backend.envFrom";

/// What the sources say: which variables there are, where each is from, and a digest of what they are.
#[derive(Clone, Default, PartialEq)]
pub struct Sources {
    variables: Vec<EnvVar>,
    digest: Option<[u8; 32]>,
    kept: Option<String>,
}

/// A digest of a short value is as good as the value.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variables.iter().map(|it| &it.name)).finish()
    }
}

impl Sources {
    /// The variables, each by its key.
    #[must_use]
    pub fn variables(&self) -> &[EnvVar] {
        &self.variables
    }

    /// What differs where a name or a value does; empty where there is no source. It is for a keyed digest alone.
    #[must_use]
    pub fn digested(&self) -> &[u8] {
        self.digest.as_ref().map_or(&[], |it| &it[..])
    }

    /// What the template said of the values when an upgrade found it; none where they count as they are.
    #[must_use]
    pub fn kept(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// The same during an upgrade: another value is for the pod after it, whatever starts one before.
    #[must_use]
    pub fn unmoved(self, template: Option<&StatefulSet>) -> Self {
        let marks = || template?.spec.as_ref()?.template.metadata.as_ref()?.annotations.as_ref();
        Self { kept: marks().and_then(|it| it.get(VARIABLES_HASH).cloned()), ..self }
    }
}

/// The variables of one source: name, key and value.
type Keys = BTreeMap<String, Vec<u8>>;
/// A variable: its name, where it is from, and its value.
type Variable = (String, (EnvVarSource, Vec<u8>));

/// Reads all of them. Of two of one name the later one counts, and what the spec says itself before either.
pub(super) async fn read(look: &Look<'_>) -> kube::Result<Result<Sources, Obstacle>> {
    let mut all = BTreeMap::new();
    for source in &look.instance.spec.backend.env_from {
        let found = keys(look, source, FIELD).await?;
        match found.and_then(|keys| variables(source, keys)) {
            Ok(these) => all.extend(these),
            Err(obstacle) => return Ok(Err(obstacle)),
        }
    }
    let mut own = BTreeMap::new();
    for variable in &look.instance.spec.backend.env {
        match value(look, variable).await? {
            Ok(value) => own.extend(value.map(|it| (variable.name.clone(), it))),
            Err(obstacle) => return Ok(Err(obstacle)),
        }
    }
    Ok(Ok(sources(all, &own)))
}

/// What a variable of the spec takes from a Secret or a `ConfigMap`; none where it takes nothing.
async fn value(
    look: &Look<'_>,
    variable: &EnvVar,
) -> kube::Result<Result<Option<Vec<u8>>, Obstacle>> {
    let Some((source, key)) = variable.value_from.as_ref().and_then(source_of) else {
        return Ok(Ok(None));
    };
    let keys = keys(look, &source, &format!("spec.backend.env ({})", variable.name)).await?;
    let optional = source.secret_ref.as_ref().and_then(|it| it.optional);
    let optional = optional.or(source.config_map_ref.as_ref().and_then(|it| it.optional));
    Ok(keys.and_then(|mut keys| match keys.remove(&key) {
        None if optional != Some(true) => Err(key_missing(&source, &key, &variable.name)),
        value => Ok(value),
    }))
}

/// The object and the key that a variable is from.
fn source_of(from: &EnvVarSource) -> Option<(EnvFromSource, String)> {
    let mut source = EnvFromSource::default();
    if let Some(of) = &from.secret_key_ref {
        source.secret_ref = Some(SecretEnvSource { name: of.name.clone(), optional: of.optional });
        return Some((source, of.key.clone()));
    }
    let of = from.config_map_key_ref.as_ref()?;
    source.config_map_ref =
        Some(ConfigMapEnvSource { name: of.name.clone(), optional: of.optional });
    Some((source, of.key.clone()))
}

async fn keys(
    look: &Look<'_>,
    source: &EnvFromSource,
    field: &str,
) -> kube::Result<Result<Keys, Obstacle>> {
    let namespace = look.instance.meta().namespace.clone().unwrap_or_default();
    let (kind, name, optional, found) = if let Some(of) = &source.secret_ref {
        let secrets: Api<Secret> = Api::namespaced(look.ctx.client.clone(), &namespace);
        let data = secrets.get_opt(&of.name).await?.map(|it| it.data.unwrap_or_default());
        let data = data.map(|it| it.into_iter().map(|(key, value)| (key, value.0)).collect());
        ("Secret", &of.name, of.optional, data)
    } else if let Some(of) = &source.config_map_ref {
        let configs: Api<ConfigMap> = Api::namespaced(look.ctx.client.clone(), &namespace);
        let data = configs.get_opt(&of.name).await?.map(|it| it.data.unwrap_or_default());
        let data =
            data.map(|it| it.into_iter().map(|(key, value)| (key, value.into_bytes())).collect());
        ("ConfigMap", &of.name, of.optional, data)
    } else {
        return Ok(Ok(Keys::new()));
    };
    Ok(match (found, optional) {
        (Some(keys), _) => Ok(keys),
        (None, Some(true)) => Ok(Keys::new()),
        (None, _) => Err(missing(kind, name, field)),
    })
}

/// What a source is called.
fn named(source: &EnvFromSource) -> (&'static str, &str) {
    let secret = source.secret_ref.as_ref().map(|it| ("Secret", it.name.as_str()));
    let config = || source.config_map_ref.as_ref().map(|it| ("ConfigMap", it.name.as_str()));
    secret.or_else(config).unwrap_or(("source", ""))
}

fn key_missing(source: &EnvFromSource, key: &str, variable: &str) -> Obstacle {
    let (kind, name) = named(source);
    Obstacle::new(
        "ReferenceMissing",
        format!(
            "{kind} \"{name}\" has no key \"{key}\", which spec.backend.env ({variable}) takes, and the pod of the backend would not start without it; it stays as it is. Add the key, or name another one. Looking again within 30 s."
        ),
    )
}

/// A key that makes no name of a variable is passed over, as Kubernetes does with `envFrom`.
fn variables(source: &EnvFromSource, keys: Keys) -> Result<Vec<Variable>, Obstacle> {
    let prefix = source.prefix.as_deref().unwrap_or_default();
    let named = keys.into_iter().map(|(key, value)| (format!("{prefix}{key}"), key, value));
    let mut all = Vec::new();
    for (name, key, value) in named.filter(|(name, ..)| is_a_name(name)) {
        if RESERVED.contains(&name.as_str()) {
            return Err(reserved(source, &key, &name));
        }
        all.push((name, (of_key(source, key), value)));
    }
    Ok(all)
}

fn is_a_name(name: &str) -> bool {
    let first = name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
    first && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

fn reserved(source: &EnvFromSource, key: &str, name: &str) -> Obstacle {
    let (kind, of) = named(source);
    Obstacle::new(
        "VariableReserved",
        format!(
            "key \"{key}\" of {kind} \"{of}\" ({FIELD}) makes the variable {name}, which is set by the operator or by the image; the backend stays as it is. Remove the key, give the source a prefix, or use the field of the spec that it belongs to."
        ),
    )
}

fn of_key(source: &EnvFromSource, key: String) -> EnvVarSource {
    let secret = source.secret_ref.as_ref().map(|it| SecretKeySelector {
        name: it.name.clone(),
        key: key.clone(),
        optional: it.optional,
    });
    let config = source.config_map_ref.as_ref().filter(|_| secret.is_none());
    EnvVarSource {
        config_map_key_ref: config.map(|it| ConfigMapKeySelector {
            name: it.name.clone(),
            key,
            optional: it.optional,
        }),
        secret_key_ref: secret,
        ..EnvVarSource::default()
    }
}

fn sources(
    all: BTreeMap<String, (EnvVarSource, Vec<u8>)>,
    own: &BTreeMap<String, Vec<u8>>,
) -> Sources {
    let mut digest = Sha256::new();
    let further = all.iter().filter(|(name, _)| !own.contains_key(*name));
    let values = further.map(|(name, (_, value))| (name, value)).chain(own);
    for (name, value) in values {
        for part in [name.as_bytes(), value] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
    }
    let digest = (!all.is_empty() || !own.is_empty()).then(|| digest.finalize().into());
    let variable = |(name, (source, _))| EnvVar { name, value: None, value_from: Some(source) };
    Sources { variables: all.into_iter().map(variable).collect(), digest, kept: None }
}

#[cfg(test)]
mod tests;
