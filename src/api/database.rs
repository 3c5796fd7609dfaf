//! `spec.backend.db`: the database that holds the documents.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// The database that holds the documents.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new("self.engine == 'sqlite' || (has(self.secretRef) && has(self.urlKey))")
    .message("engines postgres and mysql need the URL of a server: set spec.backend.db.secretRef and spec.backend.db.urlKey"))]
#[x_kube(validation = Rule::new("self.engine != 'sqlite' || !(has(self.secretRef) || has(self.urlKey) || has(self.databaseName) || has(self.requireSSL) || has(self.caSecretRef) || has(self.caKey) || has(self.createDatabase))")
    .message("engine sqlite has no server: remove secretRef, urlKey, databaseName, requireSSL, caSecretRef, caKey and createDatabase, or choose postgres or mysql"))]
#[x_kube(validation = Rule::new("!has(self.caKey) || has(self.caSecretRef)")
    .message("caKey names a key of caSecretRef: set spec.backend.db.caSecretRef too"))]
#[x_kube(validation = Rule::new("self.engine == oldSelf.engine")
    .message("the engine holds the data and cannot change; create a new instance and import an export into it"))]
#[x_kube(validation = Rule::new("has(self.databaseName) == has(oldSelf.databaseName) && (!has(self.databaseName) || self.databaseName == oldSelf.databaseName)")
    .message("databaseName says where the data is and cannot change; create a new instance and import an export into it"))]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// The kind of database. Cannot change.
    pub engine: Engine,
    /// The Secret of this namespace that holds the URL of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub secret_ref: Option<String>,
    /// The key of `secretRef` that holds the URL, for example `uri` of a Secret of `CloudNativePG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub url_key: Option<String>,
    /// The database on the server, which has to exist. It is always the instance name with '-' replaced by '_', for so the backend opens it: another name here is refused with what to set. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub database_name: Option<String>,
    /// Whether the connection must be encrypted. Default: true. With false, Postgres is asked for no encryption unless `caSecretRef` or the URL's `sslmode` says otherwise.
    #[serde(default, rename = "requireSSL", skip_serializing_if = "Option::is_none")]
    pub require_ssl: Option<bool>,
    /// The Secret of this namespace that holds the certificate authorities of the server, for example `<cluster>-ca` of `CloudNativePG`. Default: those of the image alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub ca_secret_ref: Option<String>,
    /// The key of `caSecretRef` that holds them as PEM. Default: `ca.crt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub ca_key: Option<String>,
    /// Whether the database is made where the server has none of its name. Default: Never. With `IfMissing`, an upgrade into a fresh store and a rollback to an export make a database of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_database: Option<CreateDatabase>,
}

/// Whether the database is made where the server has none of its name. Default: Never.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateDatabase {
    /// It has to exist.
    Never,
    /// Where it does not exist, by the user of the URL, who has to be allowed to.
    IfMissing,
}

impl CreateDatabase {
    /// The word of the spec.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "Never",
            Self::IfMissing => "IfMissing",
        }
    }
}

impl Database {
    /// Whether the documents are in a server, and not on the instance's own volume.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.engine != Engine::Sqlite
    }

    /// Whether a new database is made on the server where a store is to be a new one.
    #[must_use]
    pub fn makes_databases(&self) -> bool {
        self.is_server() && self.create_database == Some(CreateDatabase::IfMissing)
    }
}

/// The kind of database.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Engine {
    /// A PostgreSQL server.
    Postgres,
    /// A MySQL server, version 8.
    Mysql,
    /// A file on the instance's own volume.
    Sqlite,
}
