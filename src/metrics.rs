//! What the operator counts, and the small server that tells it, with the names that dashboards of
//! controller-runtime already know.

use std::{net::SocketAddr, sync::LazyLock, time::Instant};

use axum::{Router, http::StatusCode, routing::get};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::{error::Error, readiness};

/// The step at which a pass failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Step {
    step: &'static str,
}

/// The kind that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Watched {
    kind: String,
}

struct Metrics {
    registry: Registry,
    errors: Family<Step, Counter>,
    watches: Family<Watched, Counter>,
    seconds: Histogram,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let mut registry = Registry::default();
    let errors = Family::<Step, Counter>::default();
    let watches = Family::<Watched, Counter>::default();
    let seconds = Histogram::new([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0]);
    registry.register(
        "controller_runtime_reconcile_errors",
        "Passes that failed, by the step that failed",
        errors.clone(),
    );
    registry.register(
        "convex_operator_watch_errors",
        "Watches that failed and were begun again, by the kind that is watched",
        watches.clone(),
    );
    registry.register(
        "controller_runtime_reconcile_time_seconds",
        "How long a pass takes, in seconds",
        seconds.clone(),
    );
    Metrics { registry, errors, watches, seconds }
});

/// Measures a pass until it is dropped.
pub struct Timer(Instant);

impl Drop for Timer {
    fn drop(&mut self) {
        METRICS.seconds.observe(self.0.elapsed().as_secs_f64());
    }
}

/// Begins to measure a pass.
#[must_use]
pub fn pass() -> Timer {
    Timer(Instant::now())
}

/// Counts a pass that failed; one that lost a race did not.
pub fn failed(error: &Error) {
    if !error.is_conflict() {
        METRICS.errors.get_or_create(&Step { step: error.name() }).inc();
    }
}

/// Counts a watch that failed.
pub fn watch_failed(kind: &str) {
    METRICS.watches.get_or_create(&Watched { kind: kind.to_owned() }).inc();
}

/// Serves `/metrics`, `/healthz` and `/readyz` until the process ends.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve(address: SocketAddr) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(exposition));
    axum::serve(listener, router).await
}

async fn ready() -> (StatusCode, String) {
    readiness::waits_for().map_or_else(
        || (StatusCode::OK, "ok".to_owned()),
        |what| (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for {what}")),
    )
}

async fn exposition() -> Result<String, StatusCode> {
    let mut body = String::new();
    text::encode(&mut body, &METRICS.registry).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(body)
}
