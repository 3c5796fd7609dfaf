//! A backend that answers on a loopback address of its own, as the operator asks it.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::Request,
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A backend that says which version it is and takes every key, until it is told not to.
pub struct Backend {
    pub address: Ipv4Addr,
    takes_keys: Arc<AtomicBool>,
    version: Arc<Mutex<String>>,
    pub paused: Arc<AtomicBool>,
    /// Nothing but the version and the key is answered.
    pub mute: Arc<AtomicBool>,
    /// It can be neither paused nor resumed, as where its volume is full.
    pub stuck: Arc<AtomicBool>,
    /// The query about imports fails.
    pub untold: Arc<AtomicBool>,
    _serving: tokio::task::JoinSet<()>,
}

impl Backend {
    /// Begins to answer, on an address that nobody else has.
    pub async fn answering(version: &str) -> Self {
        let version = Arc::new(Mutex::new(version.to_owned()));
        let (address, listener) = listener().await;
        let said = version.clone();
        let takes_keys = Arc::new(AtomicBool::new(true));
        let takes = takes_keys.clone();
        let paused = Arc::new(AtomicBool::new(false));
        let mute = Arc::new(AtomicBool::new(false));
        let silent = mute.clone();
        let stuck = Arc::new(AtomicBool::new(false));
        let is_stuck = stuck.clone();
        let untold = Arc::new(AtomicBool::new(false));
        let routes = Router::new()
            .route("/version", get(move || async move { said.lock().unwrap().clone() }))
            .route(
                "/api/check_admin_key",
                get(move || async move {
                    if takes.load(Ordering::Relaxed) {
                        return (StatusCode::OK, Json(json!({"success": true, "isReadOnly": false})));
                    }
                    let said = json!({"code": "BadAdminKey", "message": "The provided admin key was invalid for this instance"});
                    (StatusCode::FORBIDDEN, Json(said))
                }),
            )
            .route("/api/v1/pause_deployment", post(set(&paused, true)))
            .route("/api/v1/unpause_deployment", post(set(&paused, false)))
            .route("/api/query", post(queries(&paused, &untold)))
            .layer(from_fn(move |request: Request, next: Next| {
                let told = ["/version", "/api/check_admin_key"].contains(&request.uri().path());
                let asked = request.uri().path().ends_with("pause_deployment")
                    && request.method() == Method::POST;
                let mute = silent.load(Ordering::Relaxed) && !told
                    || asked && is_stuck.load(Ordering::Relaxed);
                async move {
                    let none = || StatusCode::SERVICE_UNAVAILABLE.into_response();
                    if mute { none() } else { next.run(request).await }
                }
            }));
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, takes_keys, version, paused, mute, stuck, untold, _serving: serving }
    }

    pub fn refuses_keys(&self) {
        self.takes_keys.store(false, Ordering::Relaxed);
    }

    pub fn takes_keys(&self) {
        self.takes_keys.store(true, Ordering::Relaxed);
    }

    pub fn says(&self, version: &str) {
        version.clone_into(&mut self.version.lock().unwrap());
    }
}

type Said = std::pin::Pin<Box<dyn Future<Output = Json<Value>> + Send>>;

fn set(paused: &Arc<AtomicBool>, to: bool) -> impl Fn() -> Said + Clone + Send + Sync + use<> {
    let paused = paused.clone();
    move || {
        paused.store(to, Ordering::Relaxed);
        Box::pin(async { Json(json!({})) })
    }
}

/// What the operator asks of system queries.
fn queries(
    paused: &Arc<AtomicBool>,
    untold: &Arc<AtomicBool>,
) -> impl Fn(Json<Value>) -> Said + Clone + Send + Sync + use<> {
    let (paused, untold) = (paused.clone(), untold.clone());
    move |Json(asked)| {
        if asked["path"] == "_system/cli/queryImport:list" && untold.load(Ordering::Relaxed) {
            let failed = json!({"status": "error", "errorMessage": "Function execution timed out"});
            return Box::pin(async move { Json(failed) });
        }
        let value = match asked["path"].as_str().unwrap_or_default() {
            "_system/frontend/deploymentState:deploymentState" => {
                json!({"state": if paused.load(Ordering::Relaxed) { "paused" } else { "running" }})
            }
            "_system/cli/modules:apiSpec" => json!([{"name": "messages:list"}]),
            _ => json!([]),
        };
        Box::pin(async move { Json(json!({"status": "success", "value": value})) })
    }
}

/// The port is fixed, so every backend has an address of its own.
async fn listener() -> (Ipv4Addr, TcpListener) {
    let process = u16::try_from(std::process::id() % 250).unwrap();
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let [high, low] = next.to_be_bytes();
        let address = Ipv4Addr::new(127, 200 + high, u8::try_from(process).unwrap(), low.max(1));
        if let Ok(listener) = TcpListener::bind((address, 3210)).await {
            return (address, listener);
        }
    }
}
