//! What one client of the WebSocket asked for and was told: no I/O.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Deployment, admin, functions};

/// One connection.
pub struct Session {
    deployment: Arc<Deployment>,
    version: Version,
    queries: BTreeMap<u64, Query>,
    authorized: bool,
}

/// What every transition leads on from.
#[derive(Clone, Copy, Default)]
struct Version {
    query_set: u64,
    identity: u64,
    ts: u64,
}

/// A query and what was told of it last.
struct Query {
    path: String,
    arguments: Value,
    told: Option<Result<Value, String>>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Heard {
    Authenticate {
        base_version: u64,
        value: Option<String>,
    },
    ModifyQuerySet {
        new_version: u64,
        modifications: Vec<Modification>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Modification {
    Add {
        query_id: u64,
        udf_path: String,
        #[serde(default)]
        args: Value,
    },
    Remove {
        query_id: u64,
    },
}

impl Session {
    pub fn new(deployment: Arc<Deployment>) -> Self {
        let (version, queries) = (Version::default(), BTreeMap::new());
        Self { deployment, version, queries, authorized: false }
    }

    /// Takes a message of the client, and gives the answer.
    pub fn hear(&mut self, text: &str) -> Option<Value> {
        match serde_json::from_str(text) {
            Ok(Heard::Authenticate { base_version, value }) => {
                Some(self.authenticate(base_version, value.as_deref()))
            }
            Ok(Heard::ModifyQuerySet { new_version, modifications }) => {
                for modification in modifications {
                    self.modify(modification);
                }
                let version = Version { query_set: new_version, ..self.version };
                let news = self.news();
                Some(self.transition(version, &news))
            }
            Ok(Heard::Other) => None,
            Err(error) => Some(json!({ "type": "FatalError", "error": error.to_string() })),
        }
    }

    /// Looks whether a query would be answered differently now.
    pub fn look(&mut self) -> Option<Value> {
        let news = self.news();
        (!news.is_empty()).then(|| self.transition(self.version, &news))
    }

    fn authenticate(&mut self, base_version: u64, key: Option<&str>) -> Value {
        match key.map(|key| admin::verify(&self.deployment, key)) {
            Some(Err(problem)) => {
                json!({ "type": "AuthError", "error": problem.message, "baseVersion": base_version })
            }
            key => {
                self.authorized = key.is_some();
                let version = Version { identity: base_version + 1, ..self.version };
                let news = self.news();
                self.transition(version, &news)
            }
        }
    }

    fn modify(&mut self, modification: Modification) {
        match modification {
            Modification::Add { query_id, udf_path, args } => {
                let query = Query { path: udf_path, arguments: args, told: None };
                self.queries.insert(query_id, query);
            }
            Modification::Remove { query_id } => drop(self.queries.remove(&query_id)),
        }
    }

    fn news(&mut self) -> Vec<Value> {
        let mut news = Vec::new();
        for (id, query) in &mut self.queries {
            let now = if query.path.starts_with("_system/") && !self.authorized {
                Err("Unauthorized".to_owned())
            } else {
                functions::run(&self.deployment, &query.path, &query.arguments)
            };
            if query.told.as_ref() != Some(&now) {
                news.push(told(*id, &now));
                query.told = Some(now);
            }
        }
        news
    }

    fn transition(&mut self, mut next: Version, modifications: &[Value]) -> Value {
        next.ts = self.version.ts + 1;
        let start = std::mem::replace(&mut self.version, next);
        json!({
            "type": "Transition",
            "startVersion": start.shown(),
            "endVersion": next.shown(),
            "modifications": modifications,
        })
    }
}

fn told(id: u64, outcome: &Result<Value, String>) -> Value {
    match outcome {
        Ok(value) => json!({
            "type": "QueryUpdated", "queryId": id, "value": value, "logLines": [], "journal": null,
        }),
        Err(message) => json!({
            "type": "QueryFailed", "queryId": id, "errorMessage": message, "logLines": [],
            "journal": null,
        }),
    }
}

impl Version {
    fn shown(self) -> Value {
        let ts = STANDARD.encode(self.ts.to_le_bytes());
        json!({ "querySet": self.query_set, "identity": self.identity, "ts": ts })
    }
}

#[cfg(test)]
mod tests;
