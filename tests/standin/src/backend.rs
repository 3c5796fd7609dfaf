//! The backend's life: check, claim the data, start, listen, serve, stop on SIGINT.
//!
//! The ports open last, so `/version` answers only when everything before it is done. Whatever fails before ends the process
//! with code 1 and one line on standard error.

use std::{
    fs::OpenOptions,
    io,
    net::SocketAddrV4,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Parser;
use tokio::{net::TcpListener, signal::unix::Signal, sync::watch};

use crate::{
    arguments::Arguments,
    blobs::{Blobs, BlobsError, Buckets},
    credentials,
    database::{self, DatabaseError, Target, server::Server},
    environment::Environment,
    http::{Deployment, api, site},
    keys::seal::{Secret, SecretError},
    migrations,
    root::Root,
    signals, snapshots,
    steering::{self, Steering},
    store::{OpenError, Store},
    writer::{Claim, ClaimError, Writer},
};

/// What ends the backend.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// A test asked for it.
    #[error("{0}")]
    Steered(String),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// What is kept cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Files cannot be kept in buckets.
    #[error(transparent)]
    Blobs(#[from] BlobsError),
    /// The instance secret is not 64 hexadecimal digits.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The database file cannot be opened.
    #[error("unable to open database file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The data directory cannot be claimed.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A port cannot be opened, or a signal not be handled.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why the backend ends; both with code 0.
#[derive(PartialEq, Eq)]
enum End {
    /// Somebody asked for it.
    Asked,
    /// The database is another backend's now.
    Lost,
}

/// Runs the backend with its whole command line, the program's name first. A bad command line ends the process with clap's
/// message and code 2.
///
/// # Errors
/// What made the start fail.
pub async fn run(env: &Environment, root: &Root, arguments: &[String]) -> Result<(), BackendError> {
    signals::ignore_like_a_first_process()?;
    let arguments = Arguments::parse_from(arguments);
    let steering = Steering::of(env);
    if let Some(message) = steering.crash {
        return Err(BackendError::Steered(message));
    }
    let secret = Secret::from_hex(&arguments.instance_secret)?;
    let (claim, server) = open(env, root, &arguments)?;
    let blobs = if arguments.s3_storage {
        Blobs::Buckets(Box::new(Buckets::of(env, &arguments.instance_name).await?))
    } else {
        Blobs::Local
    };
    let metadata_version = steering::metadata_version(env);
    let store = Store::open_with(&data(env, root), metadata_version, server, blobs)?;
    let store = Arc::new(store);
    tokio::time::sleep(steering.start_delay).await;
    if steering.silent {
        tracing::warn!("silent, as a test asked");
        std::future::pending::<()>().await;
    }
    let deployment = Deployment {
        name: arguments.instance_name,
        secret,
        version: steering::version(env),
        metrics_disabled: env.is_literally_true("DISABLE_METRICS_ENDPOINT"),
        steering,
        data: data(env, root),
        metadata_version,
        store,
    };
    let address = |port| SocketAddrV4::new(arguments.interface, port);
    let (api, site) = (address(arguments.port), address(arguments.site_proxy_port));
    let end = serve(Arc::new(deployment), api, site).await?;
    claim.release()?;
    if end == End::Asked {
        tracing::info!("Server successfully shut down.");
    }
    Ok(())
}

fn data(env: &Environment, root: &Root) -> PathBuf {
    root.locate(&credentials::data_directory(env))
}

/// Opens the database, and claims the data directory.
fn open(
    env: &Environment,
    root: &Root,
    arguments: &Arguments,
) -> Result<(Claim, Option<Server>), BackendError> {
    let Arguments { db, db_spec, instance_name, do_not_require_ssl, .. } = arguments;
    let server = match database::target(*db, db_spec, instance_name, !do_not_require_ssl)? {
        Target::File => {
            touch(&root.locate(db_spec))?;
            None
        }
        Target::Postgres { config, name } => {
            let bundle = env.non_empty("PG_CA_FILE").map(|it| root.locate(it));
            Some(Server::open(*config, &name, bundle.as_deref())?)
        }
    };
    let pod = env.or("POD_NAME", &env.or("HOSTNAME", "unknown"));
    let image = env.non_empty("STANDIN_IMAGE").map(str::to_owned);
    let writer = Writer { image, ..Writer::starting(&pod, &steering::version(env)) };
    tracing::info!(start = %writer.start_id, version = %writer.version, "stand-in backend starting");
    Ok((Claim::take(&data(env, root), writer)?, server))
}

fn touch(path: &Path) -> Result<(), BackendError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map(drop)
        .map_err(|source| BackendError::File { path: path.to_owned(), source })
}

/// Listens on both ports until the first SIGINT and all requests are answered, or until the second, or until the database is lost.
async fn serve(
    deployment: Arc<Deployment>,
    api: SocketAddrV4,
    site: SocketAddrV4,
) -> io::Result<End> {
    let (api_port, site_port) = (TcpListener::bind(api).await?, TcpListener::bind(site).await?);
    tracing::info!("backend listening on {api}");
    let mut interrupts = signals::interrupts()?;
    work(&deployment);
    let store = deployment.store.clone();
    let (stop, stopped) = watch::channel(());
    let api = axum::serve(api_port, api::routes(deployment.clone()))
        .with_graceful_shutdown(closed(stopped.clone()));
    let site =
        axum::serve(site_port, site::routes(deployment)).with_graceful_shutdown(closed(stopped));
    tokio::select! {
        served = async { tokio::try_join!(api, site) } => served.map(|_| End::Asked),
        () = interrupted_twice(&mut interrupts, stop) => Ok(End::Asked),
        () = store.lost() => Ok(End::Lost),
    }
}

async fn interrupted_twice(interrupts: &mut Signal, stop: watch::Sender<()>) {
    interrupts.recv().await;
    tracing::info!("interrupted: draining requests");
    drop(stop);
    interrupts.recv().await;
}

/// Ends when the sender is gone.
async fn closed(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

/// Begins what goes on in the background while it serves.
fn work(deployment: &Deployment) {
    let Deployment { store, steering, metadata_version, .. } = deployment;
    tokio::spawn(migrations::run(store.clone(), steering.clone(), *metadata_version));
    snapshots::export::resume(store, steering);
    snapshots::import::resume(store, steering);
}
