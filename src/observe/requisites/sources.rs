//! What variables of the spec are taken from: `spec.backend.envFrom`, key by key, and `valueFrom` of `spec.backend.env`.

mod told;

use std::collections::{BTreeMap, btree_map::Entry};

use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapEnvSource, ConfigMapKeySelector, EnvFromSource, EnvVar, EnvVarSource,
    Secret, SecretEnvSource, SecretKeySelector,
};
use kube::{Api, Resource};

pub use self::told::Sources;
use super::{Look, missing};
use crate::{api::RESERVED, observe::Obstacle};

const FIELD: &str = "spec.backend.envFrom";
const SECRET: &str = "Secret";

/// The variables of one source: name, key and value.
type Keys = BTreeMap<String, Vec<u8>>;
/// A variable: its name, where it is from, and its value.
type Variable = (String, (EnvVarSource, Vec<u8>));

/// What kind of object, and its name.
type Object = (&'static str, String);
/// The objects that were asked for, each once: none of its keys where it is not there.
type Found = BTreeMap<Object, Option<Keys>>;

/// Reads all of them.
pub(super) async fn read(look: &Look<'_>) -> kube::Result<Result<Sources, Obstacle>> {
    let backend = &look.instance.spec.backend;
    let own = backend.env.iter().filter_map(|it| source_of(it.value_from.as_ref()?));
    let mut found = Found::new();
    for source in backend.env_from.iter().cloned().chain(own.map(|it| it.0)) {
        if let Entry::Vacant(place) = found.entry(named(&source)) {
            let keys = keys(look, place.key()).await?;
            place.insert(keys);
        }
    }
    Ok(gathered(&backend.env_from, &backend.env, &found))
}

async fn keys(look: &Look<'_>, (kind, name): &Object) -> kube::Result<Option<Keys>> {
    let namespace = look.instance.meta().namespace.clone().unwrap_or_default();
    if *kind == SECRET {
        let secrets: Api<Secret> = Api::namespaced(look.ctx.client.clone(), &namespace);
        let data = secrets.get_opt(name).await?.map(|it| it.data.unwrap_or_default());
        return Ok(data.map(|it| it.into_iter().map(|(key, value)| (key, value.0)).collect()));
    }
    let configs: Api<ConfigMap> = Api::namespaced(look.ctx.client.clone(), &namespace);
    let data = configs.get_opt(name).await?.map(|it| it.data.unwrap_or_default());
    Ok(data.map(|it| it.into_iter().map(|(key, value)| (key, value.into_bytes())).collect()))
}

/// Of two of one name the later one counts, and what the spec says itself before either.
fn gathered(
    env_from: &[EnvFromSource],
    env: &[EnvVar],
    found: &Found,
) -> Result<Sources, Obstacle> {
    let mut all = BTreeMap::new();
    for source in env_from {
        all.extend(variables(source, of_source(source, found, FIELD)?)?);
    }
    for variable in env {
        // A value that the spec says itself hides what a source says.
        all.remove(&variable.name);
    }
    let further = all.keys().cloned().collect();
    for variable in env {
        let from = variable.value_from.as_ref();
        if let Some((from, value)) = from.cloned().zip(taken(variable, found)?) {
            all.insert(variable.name.clone(), (from, value));
        }
    }
    Ok(Sources::of(all, &further))
}

/// What a variable of the spec takes from a Secret or a `ConfigMap`; none where it takes nothing.
fn taken(variable: &EnvVar, found: &Found) -> Result<Option<Vec<u8>>, Obstacle> {
    let Some((source, key)) = variable.value_from.as_ref().and_then(source_of) else {
        return Ok(None);
    };
    let field = format!("spec.backend.env ({})", variable.name);
    let mut keys = of_source(&source, found, &field)?;
    match keys.remove(&key) {
        None if !is_optional(&source) => Err(key_missing(&source, &key, &variable.name)),
        value => Ok(value),
    }
}

fn is_optional(source: &EnvFromSource) -> bool {
    let secret = source.secret_ref.as_ref().and_then(|it| it.optional);
    secret.or(source.config_map_ref.as_ref().and_then(|it| it.optional)) == Some(true)
}

fn of_source(source: &EnvFromSource, found: &Found, field: &str) -> Result<Keys, Obstacle> {
    let object = named(source);
    match found.get(&object).cloned().flatten() {
        Some(keys) => Ok(keys),
        None if is_optional(source) => Ok(Keys::new()),
        None => Err(missing(object.0, &object.1, field)),
    }
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

/// What a source is: the API server takes none that is neither.
fn named(source: &EnvFromSource) -> Object {
    let secret = source.secret_ref.as_ref().map(|it| (SECRET, it.name.clone()));
    let config = || source.config_map_ref.as_ref().map(|it| ("ConfigMap", it.name.clone()));
    secret.or_else(config).unwrap_or_default()
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

#[cfg(test)]
mod tests;
