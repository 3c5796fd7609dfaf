//! The site proxy on 3211: every path goes to `/http<path>` of the API, except two that it answers itself.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use tower::ServiceExt;

use super::{Deployment, api};

/// The routes of 3211. Its own `/version` and `/metrics` hide HTTP actions of those names, as upstream's do.
pub fn routes(deployment: Arc<Deployment>) -> Router {
    let api = api::routes(deployment.clone());
    Router::new()
        .route("/version", get(|| async { "unknown" }))
        .route("/metrics", get(api::metrics))
        .with_state(deployment)
        .fallback(move |request: Request| forward(api, request))
}

async fn forward(api: Router, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match format!("/http{path}").parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
    match api.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
