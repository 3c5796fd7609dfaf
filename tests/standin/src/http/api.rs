//! The API on 3210, as far as an operator looks at it, and the stand-in's own marker.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::json;

use super::{
    Deployment, check_admin_key::check_admin_key, exports, functions, imports, own, pause,
    problem::Problem, sync, variables,
};
use crate::{store::documents::RefusedError, writer::marker};

/// The routes of 3210.
pub fn routes(deployment: Arc<Deployment>) -> Router {
    Router::new()
        .route("/", get(greeting))
        .route("/version", get(version))
        .route("/instance_version", get(version))
        .route("/instance_name", get(instance_name))
        .route("/metrics", get(metrics))
        .route("/echo", post(echo))
        .route("/api/check_admin_key", get(check_admin_key))
        .route("/http", any(no_functions))
        .route("/http/", any(no_functions))
        .route("/http/{*path}", any(no_functions))
        .route("/stand-in/marker", get(show_marker))
        .merge(exports::routes())
        .merge(functions::routes())
        .merge(imports::routes())
        .merge(own::routes())
        .merge(pause::routes())
        .merge(sync::routes())
        .merge(variables::routes())
        .with_state(deployment)
}

async fn greeting() -> &'static str {
    "This Convex deployment is running. It is a stand-in for tests, not Convex."
}

async fn version(State(deployment): State<Arc<Deployment>>) -> String {
    deployment.version.clone()
}

async fn instance_name(State(deployment): State<Arc<Deployment>>) -> Response {
    if deployment.steering.unready {
        return (StatusCode::SERVICE_UNAVAILABLE, "unready, as a test asked").into_response();
    }
    deployment.name.clone().into_response()
}

async fn echo(body: Bytes) -> Bytes {
    body
}

pub(super) async fn metrics(State(deployment): State<Arc<Deployment>>) -> Response {
    if deployment.metrics_disabled {
        return Problem {
            status: StatusCode::NOT_FOUND,
            code: "MetricsDisabled",
            message: "the metrics endpoint is turned off".to_owned(),
        }
        .into_response();
    }
    "# TYPE standin_up gauge\nstandin_up 1\n".into_response()
}

/// A deployment without code has no HTTP actions; a paused one refuses whatever it has.
async fn no_functions(
    State(deployment): State<Arc<Deployment>>,
) -> Result<(StatusCode, &'static str), Problem> {
    if deployment.store.read(|state| state.paused) {
        return Err(RefusedError::Paused.into());
    }
    Ok((StatusCode::NOT_FOUND, "This deployment has no HTTP actions."))
}

async fn show_marker(State(deployment): State<Arc<Deployment>>) -> Response {
    let Some(marker) = marker::read(&deployment.data) else {
        return (StatusCode::NOT_FOUND, "the data directory has no marker").into_response();
    };
    Json(json!({
        "firstStart": marker.first_start,
        "starts": marker.starts,
        "secondWriters": marker.second_writers,
        "version": deployment.version,
    }))
    .into_response()
}
