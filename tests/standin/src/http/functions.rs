//! `POST /api/query`: system queries for those with a key, and deployed functions for everyone.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, Uri},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deployment, admin::authorize, problem::Problem, queries};
use crate::{store::documents::RefusedError, values::plain};

pub fn routes() -> Router<Arc<Deployment>> {
    Router::new().route("/api/query", post(query))
}

#[derive(Deserialize)]
struct Call {
    path: String,
    #[serde(default)]
    args: Value,
    format: Option<String>,
}

/// 200 whether the function succeeds or not: the body tells.
async fn query(
    State(deployment): State<Arc<Deployment>>,
    headers: HeaderMap,
    uri: Uri,
    Json(call): Json<Call>,
) -> Result<Json<Value>, Problem> {
    if call.path.starts_with("_system/") {
        authorize(&deployment, &headers, &uri)?;
    }
    let outcome = run(&deployment, &call.path, &call.args);
    let encoded = call.format.as_deref() == Some("convex_encoded_json");
    let shown = |value| if encoded { value } else { plain(value) };
    Ok(Json(match outcome {
        Ok(value) => json!({ "status": "success", "value": shown(value), "logLines": [] }),
        Err(message) => json!({ "status": "error", "errorMessage": message, "logLines": [] }),
    }))
}

/// Runs a function: those of the system truly, those that were deployed as if they returned nothing.
///
/// # Errors
/// What a failed function says.
pub fn run(deployment: &Deployment, path: &str, arguments: &Value) -> Result<Value, String> {
    // The clients send a list with one object.
    let arguments = arguments.get(0).unwrap_or(arguments);
    if path.starts_with("_system/") {
        return queries::answer(deployment, path, arguments);
    }
    deployment.store.read(|state| {
        let is_it = |function: &&Value| function["identifier"].as_str() == Some(&identifier(path));
        if state.paused {
            return Err(RefusedError::Paused.to_string());
        }
        let found = state.functions.iter().find(is_it);
        found.map(|_| Value::Null).ok_or(format!("Could not find public function for '{path}'."))
    })
}

/// `messages.js:list` for `messages:list`, as specifications have it.
pub fn identifier(path: &str) -> String {
    let (module, function) = path.split_once(':').unwrap_or((path, "default"));
    format!("{}.js:{function}", module.trim_end_matches(".js"))
}
