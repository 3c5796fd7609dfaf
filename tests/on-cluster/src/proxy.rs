//! A way to the API server that counts what an operator writes, and ends or stops the operator at one of the writes.
//!
//! The operator speaks plain HTTP to it; it goes on as the operator's own account, so that role and audit log are the
//! operator's. Leases are let through uncounted: they are renewed by the clock, and say nothing about an instance.

mod cut;

use std::{
    fs,
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use rustix::process::Signal;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use cut::Watchman;
pub use cut::{Cut, Mode, Write};

/// No object is larger.
const LARGEST: usize = 4 << 20;
/// How long an answer may take to be read by who is ended right after it.
const READ: Duration = Duration::from_millis(3);

/// A way to the API server, open until it is dropped.
pub struct Proxy {
    kubeconfig: PathBuf,
    gate: Arc<Gate>,
    serving: JoinHandle<()>,
}

struct Gate {
    client: Client,
    watchman: Watchman,
}

impl Proxy {
    /// Opens a way that goes on as the account of a kubeconfig; that of the operator is written beside it.
    ///
    /// # Errors
    /// The account has no kubeconfig, or there is no free port.
    pub async fn open(account: &Path, address: Ipv4Addr, name: &str) -> Result<Self> {
        let read = Kubeconfig::read_from(account)?;
        let mut config =
            Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        config.default_retry = false;
        config.read_timeout = None;
        let gate = Gate { client: Client::try_from(config)?, watchman: Watchman::default() };
        let gate = Arc::new(gate);
        let listener = TcpListener::bind((address, 0)).await?;
        let kubeconfig = account.with_file_name(format!("{name}.kubeconfig"));
        fs::write(&kubeconfig, without_account(listener.local_addr()?)?)?;
        let router = Router::new().fallback(pass).with_state(gate.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the proxy ended: {error}");
            }
        });
        Ok(Self { kubeconfig, gate, serving })
    }

    /// What the operator is to be told.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Begins to count the writes that name an instance, and to wait for the one that is cut.
    pub fn watch(&self, instance: &str, cut: Option<Cut>) {
        self.gate.watchman.watch(instance, cut);
    }

    /// The writes since [`Self::watch`], in the order in which they came.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.gate.watchman.writes()
    }

    /// Whether the write that was to be cut has come, and its operator was ended or stopped at it.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.gate.watchman.has_cut()
    }

    /// For how long no write has come.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        self.gate.watchman.quiet()
    }

    /// Lets a write go on that was held with its operator stopped.
    pub fn thaw(&self) {
        self.gate.watchman.thaw();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The proxy adds the account.
fn without_account(address: SocketAddr) -> Result<Vec<u8>> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proxy", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "user", "user": {}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "user"}}],
        "current-context": "proxy",
    });
    Ok(serde_json::to_vec_pretty(&config)?)
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    let answered = carried(&gate, request).await;
    answered.unwrap_or_else(|error| {
        (StatusCode::BAD_GATEWAY, format!("the proxy: {error:#}")).into_response()
    })
}

async fn carried(gate: &Gate, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.context("reading a request")?;
    let met = gate.watchman.meet(&parts, &body);
    let mode = met.as_ref().and_then(|met| Some(met.cut.as_ref()?.mode));
    match (mode, &met) {
        (Some(Mode::Before), _) => ended(&gate.watchman).await,
        (Some(Mode::Frozen), Some(met)) => {
            gate.watchman.signal(Signal::STOP);
            met.thawed.notified().await;
        }
        _ => {}
    }
    let answer = gate.client.send(onward(parts, body)?).await.context("asking the API server")?;
    if let Some(met) = &met {
        gate.watchman.answered(met, answer.status());
    }
    match mode {
        Some(Mode::During) => {
            let _ = to_bytes(Body::new(answer.into_body()), LARGEST).await;
            ended(&gate.watchman).await
        }
        Some(Mode::After) => {
            let watchman = gate.watchman.clone();
            tokio::spawn(async move {
                tokio::time::sleep(READ).await;
                watchman.signal(Signal::KILL);
            });
            Ok(answer.map(Body::new))
        }
        _ => Ok(answer.map(Body::new)),
    }
}

/// Nobody is left to answer; the end of the connection ends this.
async fn ended<T>(watchman: &Watchman) -> T {
    watchman.signal(Signal::KILL);
    pending().await
}

fn onward(mut parts: Parts, body: Bytes) -> Result<http::Request<kube::client::Body>> {
    let path = parts.uri.path_and_query().context("a request for nothing")?.clone();
    parts.uri = Uri::from(path);
    parts.version = http::Version::HTTP_11;
    for name in [header::HOST, header::CONNECTION, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    Ok(http::Request::from_parts(parts, kube::client::Body::from(body)))
}
