//! `/api/import/*`, `/api/perform_import` and `/api/cancel_import`: upload in parts, say yes, or give up.

use std::{fs, io, path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Query, State},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deployment, admin::Admin, problem::Problem, streams};
use crate::{
    blobs::Blob,
    snapshots::{
        import,
        records::{Import, ImportState, Mode},
    },
    store::{
        Store,
        state::{new_id, now_ms},
    },
};

/// The most parts that an upload may have.
const MOST_PARTS: u32 = 10_000;

pub fn routes() -> Router<Arc<Deployment>> {
    Router::new()
        .route("/api/import/start_upload", post(start))
        .route("/api/import/upload_part", post(part).layer(DefaultBodyLimit::disable()))
        .route("/api/import/finish_upload", post(finish))
        .route("/api/perform_import", post(perform))
        .route("/api/cancel_import", post(cancel))
}

async fn start(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
) -> Result<Json<Value>, Problem> {
    let token = new_id();
    fs::create_dir(deployment.store.path(&format!("uploads/{token}")))?;
    Ok(Json(json!({ "uploadToken": token })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    upload_token: String,
    part_number: u32,
}

async fn part(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
    Query(part): Query<Part>,
    body: Body,
) -> Result<Json<String>, Problem> {
    let folder = upload(&deployment.store, &part.upload_token)?;
    if !(1..=MOST_PARTS).contains(&part.part_number) {
        return Err(Problem::bad_request(
            "InvalidPartNumber",
            "parts are numbered from 1 to 10000",
        ));
    }
    // Every try has a name of its own, so that a part that is sent again never mixes with the first.
    let token = format!("{}-{}", part.part_number, new_id());
    streams::keep(body, &folder.join(&token)).await?;
    Ok(Json(token))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finished {
    import: Asked,
    upload_token: String,
    part_tokens: Vec<String>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    mode: Mode,
    format: String,
}

async fn finish(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
    Json(finished): Json<Finished>,
) -> Result<Json<Value>, Problem> {
    if finished.import.format != "zip" {
        return Err(Problem::bad_request("UnsupportedFormat", "the stand-in imports ZIPs only"));
    }
    let folder = upload(&deployment.store, &finished.upload_token)?;
    let parts: Vec<_> = finished.part_tokens.iter().map(|token| folder.join(token)).collect();
    let known = |part: &PathBuf| part.parent() == Some(folder.as_path()) && part.is_file();
    if !parts.iter().all(known) {
        return Err(Problem::bad_request("InvalidPartToken", "a part was never uploaded"));
    }
    let import = Import {
        id: new_id(),
        created: now_ms(),
        mode: finished.import.mode,
        state: ImportState::Uploaded,
    };
    let answer = Json(json!({ "importId": import.id }));
    let work = move || {
        let draft = deployment.store.path(&format!("uploads/{}.zip", import.id));
        join(&parts, &draft)?;
        deployment.store.keep(&Blob::import(&import.id), &draft)?;
        import::begin(&deployment.store, &deployment.steering, import)?;
        fs::remove_dir_all(&folder)
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)??;
    Ok(answer)
}

fn join(parts: &[PathBuf], path: &std::path::Path) -> io::Result<()> {
    let mut whole = fs::File::create(path)?;
    for part in parts {
        io::copy(&mut fs::File::open(part)?, &mut whole)?;
    }
    whole.sync_all()
}

fn upload(store: &Store, token: &str) -> Result<PathBuf, Problem> {
    let folder = store.path(&format!("uploads/{token}"));
    let plain = !token.is_empty() && token.chars().all(|it| it.is_ascii_hexdigit());
    if plain && folder.is_dir() {
        return Ok(folder);
    }
    Err(Problem::bad_request("InvalidUploadToken", "there is no such upload"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Which {
    import_id: String,
}

async fn perform(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
    Json(which): Json<Which>,
) -> Result<Json<Value>, Problem> {
    let Deployment { store, steering, .. } = deployment.as_ref();
    import::perform(store, steering, &which.import_id)?
        .ok_or_else(|| Problem::bad_request("ImportNotReady", "no such import waits for a yes"))?;
    Ok(Json(Value::Null))
}

async fn cancel(
    _: Admin,
    State(deployment): State<Arc<Deployment>>,
    Json(which): Json<Which>,
) -> Result<Json<Value>, Problem> {
    if import::cancel(&deployment.store, &which.import_id)? {
        return Ok(Json(Value::Null));
    }
    Err(Problem::bad_request("ImportNotInProgress", "there is no such import to cancel"))
}
