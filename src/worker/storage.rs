//! Object storage as the environment of a backend names it, for whatever of ours reads or writes there.

mod refused;

use std::{fmt, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    config::{
        Credentials, ProvideCredentials, RequestChecksumCalculation, ResponseChecksumValidation,
        retry::RetryConfig,
    },
    types::{ChecksumAlgorithm, ServerSideEncryption},
};
use aws_smithy_http_client::{Builder, tls};
use tokio::time::timeout;

pub use self::refused::{Doing, Refused, refused};

/// How long it may take to get credentials: some come from a server too.
const CREDENTIALS: Duration = Duration::from_secs(8);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a request of a preflight may take.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a worker waits for the first byte of an answer: a server joins the parts of a large object before it.
const ANSWER: Duration = Duration::from_mins(5);
/// How often a worker tries: with its pauses it outlasts a server that is away for about a minute.
const TRIES: u32 = 8;
/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_secs(15);

/// How a client takes a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It is told at once.
    Once,
    /// It is tried again for about a minute.
    Tries,
}

/// There are no credentials: neither keys in the environment, nor any that a cloud gives to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are no credentials for object storage")]
pub struct NoCredentials;

/// How object storage is reached. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Settings {
    region: Option<String>,
    endpoint: Option<String>,
    path_style: bool,
    encrypts: bool,
    sums: bool,
    keys: Option<Credentials>,
}

impl Settings {
    /// What the environment of a backend says.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        // The backend takes nothing else for a yes.
        let is_on = |name: &str| variable(name).is_some_and(|it| it == "true");
        Self {
            region: variable("AWS_REGION"),
            endpoint: variable("S3_ENDPOINT_URL"),
            path_style: is_on("AWS_S3_FORCE_PATH_STYLE"),
            encrypts: !is_on("AWS_S3_DISABLE_SSE"),
            sums: !is_on("AWS_S3_DISABLE_CHECKSUMS"),
            keys: keys(&variable),
        }
    }

    /// What the environment of this process says.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// How objects are to be encrypted by the server.
    #[must_use]
    pub fn encryption(&self) -> Option<ServerSideEncryption> {
        self.encrypts.then_some(ServerSideEncryption::Aes256)
    }

    /// By which checksum the server looks at what it gets.
    #[must_use]
    pub fn checksum(&self) -> Option<ChecksumAlgorithm> {
        self.sums.then_some(ChecksumAlgorithm::Crc32)
    }

    /// A client like the backend's (`crates/aws_utils/src/lib.rs` upstream).
    ///
    /// # Errors
    /// There are no credentials. Whether they are good is not looked at.
    pub async fn client(&self, patience: Patience) -> Result<Client, NoCredentials> {
        let settings = self.found().await?;
        let mut config = aws_sdk_s3::config::Builder::from(&settings)
            .force_path_style(self.path_style)
            .retry_config(retries(patience))
            .timeout_config(limits(patience));
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint);
        }
        if !self.sums {
            config = config
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        Ok(Client::from_conf(config.build()))
    }

    /// Where keys are named, they are used; else whatever the environment of a cloud gives to a pod.
    async fn found(&self) -> Result<SdkConfig, NoCredentials> {
        let crypto = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let mut settings = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(Builder::new().tls_provider(crypto).build_https())
            .region(self.region.clone().map(Region::new));
        if let Some(keys) = &self.keys {
            settings = settings.credentials_provider(keys.clone());
        }
        let settings = timeout(CREDENTIALS, Box::pin(settings.load())).await;
        let settings = settings.map_err(|_| NoCredentials)?;
        let provider = settings.credentials_provider().ok_or(NoCredentials)?;
        let found = timeout(CREDENTIALS, provider.provide_credentials()).await;
        let _found = found.map_err(|_| NoCredentials)?.map_err(|_| NoCredentials)?;
        Ok(settings)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Settings")
    }
}

/// The keys of the spec's Secret.
fn keys(variable: impl Fn(&str) -> Option<String>) -> Option<Credentials> {
    let (id, key) = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"))?;
    Some(Credentials::new(id, key, variable("AWS_SESSION_TOKEN"), None, "environment"))
}

fn retries(patience: Patience) -> RetryConfig {
    match patience {
        Patience::Once => RetryConfig::disabled(),
        Patience::Tries => RetryConfig::standard()
            .with_max_attempts(TRIES)
            .with_initial_backoff(Duration::from_secs(1))
            .with_max_backoff(PAUSE),
    }
}

fn limits(patience: Patience) -> TimeoutConfig {
    let limits = TimeoutConfig::builder().connect_timeout(CONNECT);
    match patience {
        Patience::Once => limits.operation_timeout(REQUEST),
        Patience::Tries => limits.read_timeout(ANSWER),
    }
    .build()
}
