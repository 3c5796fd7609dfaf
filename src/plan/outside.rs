//! What the backend reads of servers outside: the database and the object storage.
//!
//! Users name Secrets of their own, which change when they like. The pod reads Secrets of ours instead, whose content
//! moves only together with the digest on the pod: a changed value rolls the backend once, a pod that starts by itself
//! meanwhile reads what the one before it has read, and metadata of anybody's Secret never counts.

use std::{collections::BTreeMap, fmt, ops::Deref};

use k8s_openapi::{
    ByteString,
    api::core::v1::{
        EnvVar, EnvVarSource, KeyToPath, Secret, SecretKeySelector, SecretVolumeSource, Volume,
        VolumeMount,
    },
};
use zeroize::Zeroizing;

use super::{
    Inputs,
    labels::{self, Part},
    names::Names,
};

/// The key under which certificate authorities are kept; every other key is a variable of the backend.
pub const AUTHORITIES: &str = "ca.crt";
/// Where the backend finds the folder with them.
const FOLDER: &str = "/run/database";
/// The volume with them.
const VOLUME: &str = "database";

/// Which server outside a value is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// The database.
    Database,
    /// The object storage.
    Storage,
}

impl Server {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Database, Self::Storage];

    /// The name of our Secret about it.
    #[must_use]
    pub fn secret(self, names: &Names) -> String {
        match self {
            Self::Database => names.database_secret(),
            Self::Storage => names.storage_secret(),
        }
    }

    /// The keys that our Secret about it may have; what else is in it is nobody's wish.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Database => &[
                "POSTGRES_URL",
                "MYSQL_URL",
                "DO_NOT_REQUIRE_SSL",
                "PG_CA_FILE",
                "MYSQL_CA_FILE",
                AUTHORITIES,
            ],
            Self::Storage => &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_REGION",
                "AWS_S3_DISABLE_CHECKSUMS",
                "AWS_S3_DISABLE_SSE",
                "AWS_S3_FORCE_PATH_STYLE",
                "S3_ENDPOINT_URL",
                "S3_STORAGE_EXPORTS_BUCKET",
                "S3_STORAGE_FILES_BUCKET",
                "S3_STORAGE_MODULES_BUCKET",
                "S3_STORAGE_SEARCH_BUCKET",
                "S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET",
            ],
        }
    }
}

/// Values by key. They are wiped when dropped, and `Debug` shows their keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl Values {
    /// The same with one value more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.insert(key.to_owned(), Zeroizing::new(value.as_ref().to_vec()));
        self
    }

    /// What a Secret of ours holds.
    #[must_use]
    pub fn of(server: Server, secret: &Secret) -> Self {
        let data = secret.data.iter().flatten();
        let known = data.filter(|(key, _)| server.keys().contains(&key.as_str()));
        Self(known.map(|(key, value)| (key.clone(), Zeroizing::new(value.0.clone()))).collect())
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(|it| it.as_slice())
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    fn variables(&self) -> impl Iterator<Item = &String> {
        self.0.keys().filter(|it| *it != AUTHORITIES)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// What the backend reads about every server that its spec names.
pub type Settings = BTreeMap<Server, Values>;

/// A Secret that is kept as it is here. `Debug` shows its name only.
#[derive(Clone, PartialEq)]
pub struct Concealed(pub Box<Secret>);

impl From<Secret> for Concealed {
    fn from(secret: Secret) -> Self {
        Self(Box::new(secret))
    }
}

impl Deref for Concealed {
    type Target = Secret;

    fn deref(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for Concealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secret({})", self.metadata.name.as_deref().unwrap_or_default())
    }
}

/// Our Secrets, one for each server.
pub(super) fn secrets(inputs: &Inputs<'_>) -> Vec<Concealed> {
    let secret = |(server, values): (&Server, &Values)| {
        let name = server.secret(&inputs.names);
        let data = values.iter().map(|(key, value)| (key.to_owned(), ByteString(value.to_vec())));
        let mut metadata = labels::owned(inputs.instance, Part::Backend, name);
        // The one that this look was about: whose its database is was asked for no other.
        let made = (labels::INSTANCE_NAME.to_owned(), inputs.keys.deployment.to_string());
        metadata.annotations = Some([made].into());
        Concealed::from(Secret { metadata, data: Some(data.collect()), ..Secret::default() })
    };
    inputs.outside.iter().map(secret).collect()
}

/// The variables of the backend that come from them.
pub(super) fn environment(inputs: &Inputs<'_>) -> Vec<EnvVar> {
    let of = |(server, values): (&Server, &Values)| {
        let secret = server.secret(&inputs.names);
        values.variables().map(move |key| variable(&secret, key)).collect::<Vec<_>>()
    };
    inputs.outside.iter().flat_map(of).collect()
}

/// Those of one server alone, whatever the spec says of the backend's environment.
pub(super) fn environment_of(inputs: &Inputs<'_>, server: Server) -> Vec<EnvVar> {
    let secret = server.secret(&inputs.names);
    let values = inputs.outside.get(&server);
    values.into_iter().flat_map(Values::variables).map(|key| variable(&secret, key)).collect()
}

/// One of them, whatever the backend reads.
pub(super) fn named(inputs: &Inputs<'_>, server: Server, key: &str) -> EnvVar {
    variable(&server.secret(&inputs.names), key)
}

fn variable(secret: &str, key: &str) -> EnvVar {
    let selector =
        SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), optional: None };
    EnvVar {
        name: key.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(selector),
            ..EnvVarSource::default()
        }),
    }
}

/// The path of the certificate authorities in the backend's container.
#[must_use]
pub fn authorities() -> String {
    format!("{FOLDER}/{AUTHORITIES}")
}

/// The volume with the certificate authorities, and its place; none where there are none.
pub(super) fn mounted(inputs: &Inputs<'_>) -> Option<(Volume, VolumeMount)> {
    inputs.outside.get(&Server::Database)?.get(AUTHORITIES)?;
    let item = KeyToPath {
        key: AUTHORITIES.to_owned(),
        path: AUTHORITIES.to_owned(),
        ..KeyToPath::default()
    };
    let volume = Volume {
        name: VOLUME.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(inputs.names.database_secret()),
            items: Some(vec![item]),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    };
    let place = VolumeMount { read_only: Some(true), ..super::backend::mount(VOLUME, FOLDER) };
    Some((volume, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_the_secret_that_holds_them_print_keys_and_names_only() {
        let values = Values::default().with("POSTGRES_URL", "canary").with(AUTHORITIES, "canary");
        assert_eq!(format!("{values:?}"), r#"{"POSTGRES_URL", "ca.crt"}"#);
        let secret = Secret {
            data: Some([("POSTGRES_URL".to_owned(), ByteString(b"canary".to_vec()))].into()),
            ..Secret::default()
        };
        assert_eq!(format!("{:?}", Concealed(Box::new(secret))), "Secret()");
    }

    #[test]
    fn what_somebody_adds_to_a_secret_of_ours_is_nobodys_wish() {
        let data = ["POSTGRES_URL", "PATH"].map(|key| (key.to_owned(), ByteString(b"x".to_vec())));
        let secret = Secret { data: Some(data.into()), ..Secret::default() };
        let kept = Values::of(Server::Database, &secret);
        assert_eq!(kept, Values::default().with("POSTGRES_URL", "x"));
    }
}
