//! The life of the process: options, client, CRD, lease, controller, and a quiet end.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use kube::{Api, Client, Config, api::ListParams, client::ClientBuilder};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::{limit::ConcurrencyLimitLayer, timeout::TimeoutLayer};

use crate::{
    api::{CRD_NAME, ConvexInstance},
    context::Settings,
    controller,
    lease::Lease,
    metrics, readiness,
    telemetry::{self, Format},
};

/// How long the API server may take to answer a call; a watch has answered once it has begun.
const CALL: Duration = Duration::from_secs(15);
/// How many calls may be in flight: all service accounts of a cluster share a few hundred seats.
const IN_FLIGHT: usize = 32;
/// How long the passes that are under way may take once the operator is told to stop.
const LAST_PASSES: Duration = Duration::from_secs(5);
/// How often the CRD is looked for while it is missing.
const CRD_AGAIN: Duration = Duration::from_secs(2);

/// What the operator is told at its start.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Repository of backend images, without a tag; for example a mirror of your own.
    #[arg(long, env = "BACKEND_REPOSITORY", default_value = "ghcr.io/get-convex/convex-backend")]
    backend_repository: String,
    /// Repository of dashboard images, without a tag.
    #[arg(
        long,
        env = "DASHBOARD_REPOSITORY",
        default_value = "ghcr.io/get-convex/convex-dashboard"
    )]
    dashboard_repository: String,
    /// The operator's own image: the gates of backends and the workers of upgrades run from it.
    #[arg(long, env = "WORKER_IMAGE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    worker_image: String,
    /// How many instances may be upgraded at a time; 0 for any number.
    #[arg(long, env = "MAX_CONCURRENT_UPGRADES", default_value_t = 0)]
    max_concurrent_upgrades: usize,
    /// The one namespace to watch; empty for all of them.
    #[arg(long, env = "WATCH_NAMESPACE", default_value = "")]
    watch_namespace: String,
    /// Where metrics and health are served.
    #[arg(long, env = "METRICS_ADDRESS", default_value = "0.0.0.0:8080")]
    metrics_address: SocketAddr,
    /// How log lines look.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "json")]
    log_format: Format,
    /// The operator's own namespace, where its lease is.
    #[arg(long, env = "POD_NAMESPACE", default_value = "convex-system")]
    own_namespace: String,
    /// What tells this operator from another in the lease.
    #[arg(long, env = "POD_NAME", default_value = "")]
    identity: String,
}

/// Why the operator ended by itself.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the lease was lost; another operator acts now")]
    LeaseLost,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Runs the operator until SIGTERM or SIGINT; what is being written then is written to its end.
///
/// # Errors
/// When the API server's address or credentials cannot be found, the metrics address is taken, or the
/// lease was lost.
pub fn run(options: Options) -> Outcome {
    telemetry::start(options.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(live(options));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn live(options: Options) -> Outcome {
    let client = client(Config::infer().await?)?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(signals(stop));
    let server = tokio::spawn(metrics::serve(options.metrics_address));
    let namespace = Some(options.watch_namespace.clone()).filter(|it| !it.is_empty());
    tokio::select! {
        ended = server => Err(ended?.err().map_or_else(|| "the metrics server ended".into(), Into::into)),
        outcome = act(client, options, namespace, stopped) => outcome,
    }
}

async fn act(
    client: Client,
    options: Options,
    namespace: Option<String>,
    stopped: watch::Receiver<bool>,
) -> Outcome {
    let mut lease = tokio::select! {
        () = until(stopped.clone()) => return Ok(()),
        lease = turn(&client, &options, namespace.as_deref()) => lease?,
    };
    let settings = Settings {
        namespace: options.own_namespace,
        backend_repository: options.backend_repository,
        dashboard_repository: options.dashboard_repository,
        worker_image: options.worker_image,
        max_concurrent_upgrades: options.max_concurrent_upgrades,
    };
    let outcome = tokio::select! {
        () = controller::run(client, settings, namespace, until(stopped.clone())) => Ok(()),
        () = lease.lost() => Err(Ended::LeaseLost.into()),
        () = overdue(stopped) => Ok(()),
    };
    lease.release().await;
    outcome
}

/// Waits until there is something to do, and until it is this operator that does it.
async fn turn(
    client: &Client,
    options: &Options,
    namespace: Option<&str>,
) -> kube_lease_manager::Result<Lease> {
    crd(client, namespace).await;
    readiness::crd_found(); // it can take over, whenever its turn comes
    let identity = identity(options);
    tracing::info!(
        identity,
        namespace = options.own_namespace,
        "asking for the lease; whoever holds it acts, and the others wait"
    );
    let mut lease = Lease::ask(client.clone(), &options.own_namespace, &identity).await?;
    lease.held().await;
    tracing::info!(identity, "the lease is held; watching instances");
    Ok(lease)
}

/// A client whose calls end in time and do not pile up. kube's own retries are off: they would repeat
/// creations and deletions, and the next pass looks again anyway.
fn client(mut config: Config) -> kube::Result<Client> {
    config.default_retry = false;
    let limited = ClientBuilder::try_from(config)?
        .with_layer(&TimeoutLayer::new(CALL))
        .with_layer(&ConcurrencyLimitLayer::new(IN_FLIGHT));
    Ok(limited.build())
}

/// Waits for the CRD, and says so while it is missing.
async fn crd(client: &Client, namespace: Option<&str>) {
    let instances: Api<ConvexInstance> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let mut said = String::new();
    while let Err(error) = instances.list_metadata(&ListParams::default().limit(1)).await {
        let why = match &error {
            kube::Error::Api(status) if status.code == 404 => {
                format!(
                    "the CRD {CRD_NAME} is not installed: kubectl apply --server-side -f crds/convexinstances.yaml"
                )
            }
            other => other.to_string(),
        };
        if why != said {
            tracing::warn!(why, "instances cannot be listed; looking again every 2 s");
            said = why;
        }
        tokio::time::sleep(CRD_AGAIN).await;
    }
}

fn identity(options: &Options) -> String {
    if options.identity.is_empty() {
        return format!("convex-operator-{}-{}", std::process::id(), rand::random::<u32>());
    }
    options.identity.clone()
}

async fn signals(stop: watch::Sender<bool>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: the passes that are under way come to their end");
    let _ = stop.send(true);
}

/// Passes that cannot come to their end, because the API server does not answer, are given up.
async fn overdue(stopped: watch::Receiver<bool>) {
    until(stopped).await;
    tokio::time::sleep(LAST_PASSES).await;
    tracing::warn!("some passes did not come to their end in time");
}

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
