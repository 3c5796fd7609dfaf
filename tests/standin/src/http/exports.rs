//! `/api/export/*`: asking for an export, fetching its ZIP, giving it up.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    Deployment,
    admin::{Admin, Reader},
    problem::Problem,
    streams,
};
use crate::{
    blobs::Blob,
    snapshots::{
        export::{self, RequestError},
        records::{Export, ExportState},
    },
    steering::Fault,
};

/// How many bytes a lying `Content-Length` promises that never come.
const LIE: u64 = 1000;

pub fn routes() -> Router<Arc<Deployment>> {
    Router::new()
        .route("/api/export/request/zip", post(request))
        .route("/api/export/zip/{which}", get(fetch))
        .route("/api/export/cancel/{id}", post(cancel))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(default)]
    include_storage: bool,
}

async fn request(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
    Query(parameters): Query<Parameters>,
) -> Result<(), Problem> {
    let Deployment { store, steering, .. } = deployment.as_ref();
    export::request(store, steering, parameters.include_storage).map_err(|error| match error {
        RequestError::InProgress => Problem::bad_request("ExportInProgress", &error.to_string()),
        RequestError::Io(error) => error.into(),
    })
}

async fn fetch(
    _: Reader,
    State(deployment): State<Arc<Deployment>>,
    Path(which): Path<String>,
) -> Result<Response, Problem> {
    let none = || Problem::not_found("ExportNotFound", "there is no such export to fetch");
    let wanted = |export: &&Export| {
        let ts = export.start_ts.map(|ts| ts.to_string());
        export.state == ExportState::Completed
            && (export.id == which || ts.as_deref() == Some(&which))
    };
    let export = deployment.store.read(|state| state.exports.iter().find(wanted).cloned());
    let export = export.ok_or_else(none)?;
    let blob = Blob::export(&export.id);
    let file = tokio::fs::File::from_std(deployment.store.content(&blob)?);
    let lies = deployment.steering.has(Fault::ExportLengthLies);
    let length = file.metadata().await?.len() + if lies { LIE } else { 0 };
    let content = streams::content(file);
    let body = if lies {
        Body::from_stream(streams::broken_off(content))
    } else {
        Body::from_stream(content)
    };
    let ts = export.start_ts.unwrap_or_default();
    let name = format!("attachment; filename=snapshot_{}_{ts}.zip", deployment.name);
    let headers = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_LENGTH, length.to_string()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, body).into_response())
}

async fn cancel(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
    Path(id): Path<String>,
) -> Result<(), Problem> {
    if export::cancel(&deployment.store, &id)? {
        return Ok(());
    }
    Err(Problem::bad_request("ExportNotInProgress", "there is no such export to cancel"))
}
