//! What no Convex has: a way for tests to be the app. Everything here is refused while the deployment is paused, as the
//! app's own functions are; only a deploy is not.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /stand-in/documents` | `{"table":…,"documents":[{…}]}`, values in the encoded form | `{"ids":[…]}` |
//! | `GET /stand-in/documents/<table>` | | `{"documents":[…]}` |
//! | `POST /stand-in/files` | bytes; `Content-Type` is kept | `{"id":…}` |
//! | `GET /stand-in/files/<id>` | | the bytes |
//! | `POST /stand-in/deploy` | `{"functions":["messages:list"]}` or whole specifications | nothing |
//! | `GET /stand-in/store` | | `{"store":…,"metadataVersion":…,"paused":…}`, paused or not |

use std::{io, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Deployment, functions::identifier, problem::Problem, streams};
use crate::{
    blobs::Blob,
    store::{
        documents::{RefusedError, STORAGE},
        state::new_id,
    },
    values::integer,
};

pub fn routes() -> Router<Arc<Deployment>> {
    Router::new()
        .route("/stand-in/documents", post(write))
        .route("/stand-in/documents/{*table}", get(read))
        .route("/stand-in/files", post(write_file))
        .route("/stand-in/files/{id}", get(read_file))
        .route("/stand-in/deploy", post(deploy))
        .route("/stand-in/store", get(describe))
        .layer(DefaultBodyLimit::disable())
}

#[derive(Deserialize)]
struct Documents {
    table: String,
    documents: Vec<Map<String, Value>>,
}

async fn write(
    State(deployment): State<Arc<Deployment>>,
    Json(written): Json<Documents>,
) -> Result<Json<Value>, Problem> {
    let ids = deployment.store.append(&written.table, written.documents)?;
    Ok(Json(json!({ "ids": ids })))
}

async fn read(
    State(deployment): State<Arc<Deployment>>,
    Path(table): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "documents": deployment.store.documents(&table)? })))
}

async fn write_file(
    State(deployment): State<Arc<Deployment>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let draft = deployment.store.path(&format!("uploads/{}", new_id()));
    let bytes = streams::keep(body, &draft).await?;
    let mut document = Map::new();
    document.insert("size".to_owned(), integer(i64::try_from(bytes).unwrap_or(i64::MAX)));
    if let Some(kind) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
        document.insert("contentType".to_owned(), json!(kind));
    }
    let id = deployment.store.append_file(&draft, document)?;
    Ok(Json(json!({ "id": id })))
}

async fn read_file(
    State(deployment): State<Arc<Deployment>>,
    Path(id): Path<String>,
) -> Result<Body, Problem> {
    let listed = deployment.store.documents(STORAGE)?.iter().any(|file| file["_id"] == id);
    let storage = deployment.store.read(|state| state.tables.get(STORAGE).cloned());
    let storage = storage.filter(|_| listed);
    let storage = storage.ok_or_else(|| Problem::not_found("FileNotFound", "no such file"))?;
    let content = deployment.store.content(&Blob::file(&storage, &id))?;
    let file = tokio::fs::File::from_std(content);
    Ok(Body::from_stream(streams::content(file)))
}

#[derive(Deserialize)]
struct Deploy {
    functions: Vec<Value>,
}

async fn deploy(
    State(deployment): State<Arc<Deployment>>,
    Json(deploy): Json<Deploy>,
) -> Result<(), Problem> {
    // What Convex bundles is nothing that anybody here would run: the list of functions lies in its place.
    let (id, modules) = (new_id(), serde_json::to_vec(&deploy.functions).map_err(io::Error::from)?);
    let draft = deployment.store.path(&format!("uploads/{id}"));
    tokio::fs::write(&draft, modules).await?;
    deployment.store.keep(&Blob::module(&id), &draft)?;
    Ok(deployment.store.change(|state| {
        state.functions = deploy.functions.into_iter().map(specification).collect();
        io::Result::Ok(())
    })?)
}

/// A name stands for a public query without arguments.
fn specification(function: Value) -> Value {
    let Some(name) = function.as_str() else { return function };
    json!({
        "identifier": identifier(name),
        "functionType": "Query",
        "visibility": { "kind": "public" },
        "args": { "type": "any" },
        "returns": { "type": "any" },
    })
}

async fn describe(State(deployment): State<Arc<Deployment>>) -> Json<Value> {
    deployment.store.read(|state| {
        Json(json!({
            "store": state.store,
            "metadataVersion": state.metadata_version,
            "paused": state.paused,
        }))
    })
}

impl From<RefusedError> for Problem {
    fn from(error: RefusedError) -> Self {
        let message = error.to_string();
        match error {
            RefusedError::Paused => {
                Self { status: StatusCode::BAD_REQUEST, code: "DeploymentPaused", message }
            }
            RefusedError::Io(error) => error.into(),
        }
    }
}
