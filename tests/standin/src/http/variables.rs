//! Environment variables of the functions.

use std::{collections::BTreeMap, io, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Deployment,
    admin::{Admin, Reader},
    problem::Problem,
};

pub fn routes() -> Router<Arc<Deployment>> {
    Router::new()
        .route("/api/v1/list_environment_variables", get(list))
        .route("/api/v1/update_environment_variables", post(update))
        .route("/api/update_environment_variables", post(update))
}

async fn list(_: Reader, State(deployment): State<Arc<Deployment>>) -> Json<Value> {
    let variables = deployment.store.read(|state| state.variables.clone());
    Json(json!({ "environmentVariables": variables }))
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    name: String,
    value: Option<String>,
}

async fn update(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
    Json(Changes { changes }): Json<Changes>,
) -> Result<(), Problem> {
    if let Some(bad) = changes.iter().find(|change| !is_name(&change.name)) {
        let message = format!("Environment variable name \"{}\" is not a name", bad.name);
        return Err(Problem::bad_request("EnvironmentVariableNameInvalid", &message));
    }
    Ok(deployment.store.change(|state| {
        for change in changes {
            apply(&mut state.variables, change);
        }
        io::Result::Ok(())
    })?)
}

/// No value means that the variable goes.
fn apply(variables: &mut BTreeMap<String, String>, Change { name, value }: Change) {
    match value {
        Some(value) => drop(variables.insert(name, value)),
        None => drop(variables.remove(&name)),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}
