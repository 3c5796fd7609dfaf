//! The variables of `spec.backend.envFrom`, key by key.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapKeySelector, EnvFromSource, EnvVar, EnvVarSource, Secret, SecretKeySelector,
};
use kube::{Api, Resource};
use sha2::{Digest, Sha256};

use super::{Look, missing};
use crate::{api::RESERVED, observe::Obstacle};

const FIELD: &str = "spec.backend.envFrom";

/// What the sources say: which variables there are, where each is from, and a digest of what they are.
#[derive(Clone, Default, PartialEq)]
pub struct Sources {
    variables: Vec<EnvVar>,
    digest: Option<[u8; 32]>,
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
}

/// The variables of one source: name, key and value.
type Keys = BTreeMap<String, Vec<u8>>;
/// A variable: its name, where it is from, and its value.
type Variable = (String, (EnvVarSource, Vec<u8>));

/// Reads all of them. Of two of one name the later one counts.
pub(super) async fn read(look: &Look<'_>) -> kube::Result<Result<Sources, Obstacle>> {
    let mut all = BTreeMap::new();
    for source in &look.instance.spec.backend.env_from {
        let keys = match keys(look, source).await? {
            Ok(keys) => keys,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        match variables(source, keys) {
            Ok(these) => all.extend(these),
            Err(obstacle) => return Ok(Err(obstacle)),
        }
    }
    Ok(Ok(sources(all)))
}

async fn keys(look: &Look<'_>, source: &EnvFromSource) -> kube::Result<Result<Keys, Obstacle>> {
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
        (None, _) => Err(missing(kind, name, FIELD)),
    })
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
    let secret = source.secret_ref.as_ref().map(|it| ("Secret", &it.name));
    let config = source.config_map_ref.as_ref().map(|it| ("ConfigMap", &it.name));
    let (kind, of) = secret.or(config).map_or(("source", ""), |(kind, of)| (kind, of.as_str()));
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

fn sources(all: BTreeMap<String, (EnvVarSource, Vec<u8>)>) -> Sources {
    let mut digest = Sha256::new();
    for (name, (_, value)) in &all {
        for part in [name.as_bytes(), value] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
    }
    let digest = (!all.is_empty()).then(|| digest.finalize().into());
    let variable = |(name, (source, _))| EnvVar { name, value: None, value_from: Some(source) };
    Sources { variables: all.into_iter().map(variable).collect(), digest }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn source(prefix: &str) -> EnvFromSource {
        serde_json::from_value(json!({"prefix": prefix, "secretRef": {"name": "app"}})).unwrap()
    }

    fn of(prefix: &str, keys: &[(&str, &str)]) -> Result<Sources, Obstacle> {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
        Ok(sources(variables(&source(prefix), keys.collect())?.into_iter().collect()))
    }

    #[test]
    fn every_reserved_name_is_refused_whether_by_its_key_or_by_prefix_and_key() {
        for name in RESERVED {
            let refused = of("", &[("A", "1"), (name, "canary")]).unwrap_err();
            assert_eq!(refused.reason, "VariableReserved");
            assert!(refused.message.contains(name) && !refused.message.contains("canary"));
            let (prefix, key) = name.split_at(2);
            assert!(of(prefix, &[(key, "1")]).is_err(), "{name}");
            assert!(of("MY_", &[(name, "1")]).is_ok(), "{name}");
        }
    }

    #[test]
    fn each_variable_is_taken_by_its_key_and_what_makes_no_name_is_passed_over() {
        let found = of("P_", &[("A", "1"), ("b.c", "2"), ("1", "3")]).unwrap();
        let names: BTreeSet<_> = found.variables().iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["P_1", "P_A"]));
        let from = found.variables()[1].value_from.clone().unwrap().secret_key_ref.unwrap();
        assert_eq!((from.name.as_str(), from.key.as_str()), ("app", "A"));
    }

    #[test]
    fn the_digest_tells_names_and_values_apart_and_nothing_prints_a_value() {
        let digest = |keys: &[(&str, &str)]| of("", keys).unwrap().digested().to_vec();
        let one = digest(&[("A", "1"), ("B", "2")]);
        assert_eq!(one, digest(&[("B", "2"), ("A", "1")]));
        for other in [[("A", "1"), ("B", "3")], [("A", "12"), ("B", "")], [("A1", ""), ("B", "2")]]
        {
            assert_ne!(one, digest(&other), "{other:?}");
        }
        assert_eq!(digest(&[]), Vec::<u8>::new());
        assert_eq!(format!("{:?}", of("", &[("A", "canary")]).unwrap()), r#"["A"]"#);
    }
}
