//! `POST /api/v1/pause_deployment` and `unpause_deployment`; versions that are too old know neither.

use std::{io, sync::Arc};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};

use super::{Deployment, admin::Admin, problem::Problem};
use crate::steering::Fault;

pub fn routes() -> Router<Arc<Deployment>> {
    Router::new()
        .route("/api/v1/pause_deployment", post(pause).get(known))
        .route("/api/v1/unpause_deployment", post(unpause))
        .route("/api/v1/deployment_info", axum::routing::get(info))
}

async fn pause(_: Admin, State(deployment): State<Arc<Deployment>>) -> Result<(), Problem> {
    set(&deployment, true)
}

async fn unpause(_: Admin, State(deployment): State<Arc<Deployment>>) -> Result<(), Problem> {
    set(&deployment, false)
}

fn set(deployment: &Deployment, paused: bool) -> Result<(), Problem> {
    if deployment.steering.has(Fault::NoPause) {
        return Err(Problem::not_found("NotFound", "this version cannot be paused"));
    }
    Ok(deployment.store.change(|state| {
        state.paused = paused;
        io::Result::Ok(())
    })?)
}

/// Whoever asks with another method learns whether the route is there.
async fn known(State(deployment): State<Arc<Deployment>>) -> axum::http::StatusCode {
    if deployment.steering.has(Fault::NoPause) {
        return axum::http::StatusCode::NOT_FOUND;
    }
    axum::http::StatusCode::METHOD_NOT_ALLOWED
}

async fn info(_: super::admin::Reader) -> Json<Value> {
    Json(json!({ "kind": "selfHosted" }))
}
