//! The Secrets and `ConfigMaps` that pods mention, read when they are needed.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};

/// The two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A Secret.
    Secret,
    /// A `ConfigMap`.
    ConfigMap,
}

impl Kind {
    /// As in "secret not found".
    #[must_use]
    pub const fn lower_case(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::ConfigMap => "configmap",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        })
    }
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Of which kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// Values by key.
pub type Values = BTreeMap<String, Vec<u8>>;

/// The objects that were found; those that were not are missing here as well.
#[derive(Clone, Debug, Default)]
pub struct Objects(HashMap<Key, Values>);

impl Objects {
    /// The values of an object; `None` where it does not exist.
    #[must_use]
    pub fn values(&self, kind: Kind, name: &str) -> Option<&Values> {
        self.0.get(&Key { kind, name: name.to_owned() })
    }

    /// Reads `keys` from `namespace`.
    ///
    /// # Errors
    /// Where the API server refuses or cannot be reached; a missing object is no error.
    pub async fn read(client: &Client, namespace: &str, keys: Vec<Key>) -> kube::Result<Self> {
        let mut found = HashMap::new();
        for key in keys {
            let values = match key.kind {
                Kind::Secret => secret(client, namespace, &key.name).await?,
                Kind::ConfigMap => config_map(client, namespace, &key.name).await?,
            };
            if let Some(values) = values {
                found.insert(key, values);
            }
        }
        Ok(Self(found))
    }

    /// The same with one more object, for tests.
    #[cfg(test)]
    #[must_use]
    pub fn with(mut self, kind: Kind, name: &str, values: &[(&str, &str)]) -> Self {
        let values =
            values.iter().map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_owned())).collect();
        self.0.insert(Key { kind, name: name.to_owned() }, values);
        self
    }
}

async fn secret(client: &Client, namespace: &str, name: &str) -> kube::Result<Option<Values>> {
    let found = Api::<Secret>::namespaced(client.clone(), namespace).get_opt(name).await?;
    Ok(found.map(|secret| {
        secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect()
    }))
}

async fn config_map(client: &Client, namespace: &str, name: &str) -> kube::Result<Option<Values>> {
    let found = Api::<ConfigMap>::namespaced(client.clone(), namespace).get_opt(name).await?;
    Ok(found.map(|map| {
        let text =
            map.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.into_bytes()));
        let binary =
            map.binary_data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0));
        text.chain(binary).collect()
    }))
}
