//! What the spec sets of the backend's own behaviour, by the names of its variables.

use std::collections::BTreeMap;

use crate::{
    api::{Backend, Engine, Tuning},
    plan::duration,
};

/// Lays it over what is set without a word of the spec.
pub(super) fn lay_over(environment: &mut BTreeMap<String, String>, spec: &Backend) {
    let mut set = |name: &str, value: Option<String>| {
        environment.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("RUST_LOG", spec.logging.level.map(|it| it.word().to_owned()));
    set("LOG_FORMAT", spec.logging.format.map(|it| it.word().to_owned()));
    set("DOCUMENT_RETENTION_DELAY", retention(&spec.tuning));
    for (name, number) in numbers(&spec.tuning, spec.db.engine) {
        set(name, number.map(|it| it.to_string()));
    }
    // The code's own default is that they are there, and it reads nothing but true and false.
    if spec.metrics.enabled {
        environment.remove("DISABLE_METRICS_ENDPOINT");
    }
}

fn retention(tuning: &Tuning) -> Option<String> {
    tuning.document_retention.as_deref().and_then(duration::seconds).map(|it| it.to_string())
}

fn numbers(tuning: &Tuning, engine: Engine) -> [(&'static str, Option<i32>); 6] {
    let connections = |of: Engine| tuning.max_database_connections.filter(|_| engine == of);
    [
        ("APPLICATION_MAX_CONCURRENT_QUERIES", tuning.max_concurrent_queries),
        ("APPLICATION_MAX_CONCURRENT_MUTATIONS", tuning.max_concurrent_mutations),
        ("APPLICATION_MAX_CONCURRENT_V8_ACTIONS", tuning.max_concurrent_actions),
        ("APPLICATION_MAX_CONCURRENT_NODE_ACTIONS", tuning.max_concurrent_node_actions),
        ("POSTGRES_MAX_CONNECTIONS", connections(Engine::Postgres)),
        ("MYSQL_MAX_CONNECTIONS", connections(Engine::Mysql)),
    ]
}
