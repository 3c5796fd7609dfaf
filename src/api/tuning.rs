//! `spec.backend.tuning`, `logging` and `metrics`: what people change about the backend's own behaviour.
//!
//! Names and defaults of the variables: `crates/common/src/knobs.rs`, `crates/cmd_util/src/env.rs` and
//! `self-hosted/docker/docker-compose.yml` upstream. A value that the backend cannot read it warns of and leaves, so
//! that the types here have to be right.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// What the backend does how much of, and for how long. A change restarts it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Tuning {
    /// How long old versions of documents are kept (`DOCUMENT_RETENTION_DELAY`). Default 48h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::duration")]
    pub document_retention: Option<String>,
    /// How many queries run at a time (`APPLICATION_MAX_CONCURRENT_QUERIES`). Default 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub max_concurrent_queries: Option<i32>,
    /// How many mutations run at a time (`APPLICATION_MAX_CONCURRENT_MUTATIONS`). Default 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub max_concurrent_mutations: Option<i32>,
    /// How many actions run at a time, HTTP actions among them (`APPLICATION_MAX_CONCURRENT_V8_ACTIONS`). Default 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub max_concurrent_actions: Option<i32>,
    /// How many actions run at a time in Node.js (`APPLICATION_MAX_CONCURRENT_NODE_ACTIONS`). Default 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub max_concurrent_node_actions: Option<i32>,
    /// How many connections to a database server there are at most (`POSTGRES_MAX_CONNECTIONS`, `MYSQL_MAX_CONNECTIONS`). Default 128, which is more than a PostgreSQL server takes as it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_database_connections: Option<i32>,
}

/// What the backend logs, and to whom.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Logging {
    /// Keeps log lines and error details of functions from clients. Default: true in prod, false in dev.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redact_logs_to_client: Option<bool>,
    /// How much is logged (`RUST_LOG`). Default `info`; less would keep the progress of migrations from the operator, which only the log tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// The form of a line (`LOG_FORMAT`). Default `compact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<LogFormat>,
}

/// How much is logged.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// What happens.
    Info,
    /// What happens in detail.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word of `RUST_LOG`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The form of a line.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// An object of JSON.
    Json,
    /// A line for people.
    Compact,
    /// Several lines for people.
    Pretty,
}

impl LogFormat {
    /// The word of `LOG_FORMAT`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Compact => "compact",
            Self::Pretty => "pretty",
        }
    }
}

/// What the backend tells those who measure it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Whether `/metrics` of the backend answers, to everybody who reaches its API. Default false.
    #[serde(default)]
    pub enabled: bool,
}
