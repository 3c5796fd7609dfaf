//! The kubelet's own server, as far as logs go: `GET /containerLogs/{namespace}/{pod}/{container}` over HTTPS.
//!
//! It listens on the node's address and asks nobody for a certificate: only the machine itself reaches it, and only output
//! of tests can be read there. Its lines have no times: who asks for those of the last seconds gets all there are. `exec`,
//! `attach` and `port-forward` answer 501.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path as Segments, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use axum_server::tls_rustls::RustlsConfig;
use futures::stream;
use serde::Deserialize;

use crate::logs::{self, Index};

/// How soon a followed log is looked at again.
const FOLLOW: Duration = Duration::from_millis(200);

/// Certificate and key, as PEM.
pub struct Identity {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
}

impl Identity {
    /// A certificate that nobody has signed, for `names`.
    ///
    /// # Errors
    /// Where none can be made.
    pub fn self_signed(names: Vec<String>) -> Result<Self, rcgen::Error> {
        let made = rcgen::generate_simple_self_signed(names)?;
        Ok(Self {
            certificate: made.cert.pem().into_bytes(),
            key: made.signing_key.serialize_pem().into_bytes(),
        })
    }
}

/// Serves logs on `address`, for ever.
///
/// # Errors
/// Where the port or the certificate cannot be used.
pub async fn serve(address: SocketAddr, identity: Identity, logs: Index) -> std::io::Result<()> {
    let tls = RustlsConfig::from_pem(identity.certificate, identity.key).await?;
    axum_server::bind_rustls(address, tls).serve(routes(logs).into_make_service()).await
}

fn routes(logs: Index) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/containerLogs/{namespace}/{pod}/{container}", get(container_logs))
        .fallback(|| async { (StatusCode::NOT_IMPLEMENTED, "the fake node serves logs only") })
        .with_state(logs)
}

/// What may be asked about a log.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    tail_lines: Option<usize>,
    limit_bytes: Option<usize>,
    previous: bool,
    follow: bool,
    timestamps: bool,
    since_time: Option<String>,
}

async fn container_logs(
    State(logs): State<Index>,
    Segments((namespace, pod, container)): Segments<(String, String, String)>,
    Query(wish): Query<Wish>,
) -> Response {
    if wish.timestamps || wish.since_time.is_some() {
        return (StatusCode::NOT_IMPLEMENTED, "the fake node's logs have no times").into_response();
    }
    let Some(folder) = logs.get(&namespace, &pod) else {
        return (StatusCode::NOT_FOUND, format!("pod \"{pod}\" not found")).into_response();
    };
    let Some(file) = logs::find(&folder, &container, wish.previous) else {
        let why = if wish.previous {
            format!("previous terminated container \"{container}\" in pod \"{pod}\" not found")
        } else {
            format!(
                "container \"{container}\" in pod \"{pod}\" is waiting to start: ContainerCreating"
            )
        };
        return (StatusCode::BAD_REQUEST, why).into_response();
    };
    match std::fs::read(&file) {
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Ok(text) if wish.follow => followed(&text, &wish, file).into_response(),
        Ok(text) => cut(&text, &wish).to_owned().into_response(),
    }
}

fn cut<'t>(text: &'t [u8], wish: &Wish) -> &'t [u8] {
    let tail = wish.tail_lines.map_or(text, |lines| logs::tail(text, lines));
    &tail[..wish.limit_bytes.unwrap_or(tail.len()).min(tail.len())]
}

/// What is there, and what comes, until the file is gone or the reader is.
fn followed(text: &[u8], wish: &Wish, file: PathBuf) -> Body {
    let first = Bytes::copy_from_slice(cut(text, wish));
    let state = (Some(first), text.len(), file);
    Body::from_stream(stream::unfold(state, |(first, mut read, file)| async move {
        if let Some(first) = first {
            return Some((Ok::<_, std::io::Error>(first), (None, read, file)));
        }
        let more = next(&file, read).await?;
        read += more.len();
        Some((Ok(more), (None, read, file)))
    }))
}

async fn next(file: &Path, read: usize) -> Option<Bytes> {
    loop {
        tokio::time::sleep(FOLLOW).await;
        let text = tokio::fs::read(file).await.ok()?;
        if text.len() > read {
            return Some(Bytes::copy_from_slice(&text[read..]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(query: serde_json::Value) -> Wish {
        serde_json::from_value(query).unwrap()
    }

    async fn asked(pod: &str, wish: Wish) -> (StatusCode, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("backend")).unwrap();
        std::fs::write(logs::file(folder.path(), "backend", 0), "one\ntwo\n").unwrap();
        let index = Index::default();
        index.add("shop", "db-0", folder.path().to_owned());
        let segments = Segments(("shop".to_owned(), pod.to_owned(), "backend".to_owned()));
        let answer = container_logs(State(index), segments, Query(wish)).await;
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_log_is_served_whole_or_from_its_end() {
        let whole = asked("db-0", Wish::default()).await;
        assert_eq!(whole, (StatusCode::OK, "one\ntwo\n".to_owned()));
        let tail = asked("db-0", wish(serde_json::json!({"tailLines": 1}))).await;
        assert_eq!(tail.1, "two\n");
        let limited = asked("db-0", wish(serde_json::json!({"limitBytes": 2}))).await;
        assert_eq!(limited.1, "on");
    }

    #[tokio::test]
    async fn what_is_not_there_is_said_in_a_kubelets_words() {
        let (status, words) = asked("db-0", wish(serde_json::json!({"previous": true}))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(words, "previous terminated container \"backend\" in pod \"db-0\" not found");
        assert_eq!(asked("db-1", Wish::default()).await.0, StatusCode::NOT_FOUND);
    }
}
