//! The buckets of the backend, by the client that the backend uses, as its environment says it.

use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    config::{Credentials, ProvideCredentials, RequestChecksumCalculation, retry::RetryConfig},
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ServerSideEncryption},
};
use aws_smithy_http_client::{Builder, tls};

use super::{
    reach,
    reason::{Reason, Why},
    refusal::failure,
    subject::{Subject, distinct},
    verdict::{Failure, Note, Passed},
};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(5);
/// How long it may take to get credentials: some come from a server too.
const CREDENTIALS: Duration = Duration::from_secs(8);
/// Where probes are: no key of a backend begins so, for those begin with an instance name.
const FOLDER: &str = ".convex-operator/preflight";

/// What is asked of object storage.
pub(super) struct Asked {
    /// Every bucket once.
    pub(super) buckets: Vec<(Subject, String)>,
    region: Option<String>,
    endpoint: Option<String>,
    path_style: bool,
    encrypts: bool,
    sums: bool,
    key: String,
    keys: Option<Credentials>,
}

impl Asked {
    /// What the environment says; none where the backend keeps files on a volume.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let buckets = distinct(|it| variable(it.variable()));
        // The backend takes nothing else for a yes.
        let is_on = |name: &str| variable(name).is_some_and(|it| it == "true");
        let whose = variable("POD_UID").unwrap_or_else(|| "unknown".to_owned());
        (!buckets.is_empty()).then(|| Self {
            buckets,
            region: variable("AWS_REGION"),
            endpoint: variable("S3_ENDPOINT_URL"),
            path_style: is_on("AWS_S3_FORCE_PATH_STYLE"),
            encrypts: !is_on("AWS_S3_DISABLE_SSE"),
            sums: !is_on("AWS_S3_DISABLE_CHECKSUMS"),
            key: format!("{FOLDER}/{whose}"),
            keys: keys(&variable),
        })
    }

    /// Where keys are named, they are used; else whatever the environment of a cloud gives to a pod.
    async fn settings(&self) -> Result<SdkConfig, Failure> {
        let crypto = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let mut settings = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(Builder::new().tls_provider(crypto).build_https())
            .region(self.region.clone().map(Region::new));
        if let Some(keys) = &self.keys {
            settings = settings.credentials_provider(keys.clone());
        }
        let none = || Failure::of(Reason::ObjectStorageLoginFailed).why(Why::Credentials);
        let settings = reach::within(CREDENTIALS, settings.load()).await.map_err(|_| none())?;
        let provider = settings.credentials_provider().ok_or_else(none)?;
        let found = reach::within(CREDENTIALS, provider.provide_credentials()).await;
        let _found = found.map_err(|_| none())?.map_err(|_| none())?;
        Ok(settings)
    }

    /// A client like the backend's (`crates/aws_utils/src/lib.rs` upstream), which tries once.
    pub(super) async fn client(&self) -> Result<Client, Failure> {
        let settings = self.settings().await?;
        let limits =
            TimeoutConfig::builder().operation_timeout(REQUEST).connect_timeout(reach::STEP);
        let mut config = aws_sdk_s3::config::Builder::from(&settings)
            .force_path_style(self.path_style)
            .retry_config(RetryConfig::disabled())
            .timeout_config(limits.build());
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint);
        }
        if !self.sums {
            let required = RequestChecksumCalculation::WhenRequired;
            config = config.request_checksum_calculation(required);
        }
        Ok(Client::from_conf(config.build()))
    }

    /// Writes an object, finds it, reads it and takes it away again.
    pub(super) async fn check(&self, client: &Client, bucket: &str) -> Result<Passed, Failure> {
        let content = format!("{:?}", SystemTime::now());
        let (written, latency) = reach::timed(self.put(client, bucket, &content)).await;
        written?;
        let found = self.read_back(client, bucket, &content).await;
        let gone = client.delete_object().bucket(bucket).key(&self.key).send().await;
        found?;
        let note = gone.is_err().then_some(Note::Undeletable);
        Ok(Passed { latency, note })
    }

    async fn put(&self, client: &Client, bucket: &str, content: &str) -> Result<(), Failure> {
        let put = client
            .put_object()
            .bucket(bucket)
            .key(&self.key)
            .set_server_side_encryption(self.encrypts.then_some(ServerSideEncryption::Aes256))
            .set_checksum_algorithm(self.sums.then_some(ChecksumAlgorithm::Crc32))
            .body(ByteStream::from(content.as_bytes().to_vec()));
        put.send().await.map(|_| ()).map_err(|error| failure(&error, Why::Put))
    }

    async fn read_back(&self, client: &Client, bucket: &str, content: &str) -> Result<(), Failure> {
        let head = client.head_object().bucket(bucket).key(&self.key).send().await;
        head.map_err(|error| failure(&error, Why::Get))?;
        let got = client.get_object().bucket(bucket).key(&self.key).send().await;
        let got = got.map_err(|error| failure(&error, Why::Get))?;
        let differs = || Failure::of(Reason::ObjectStorageCheckFailed).why(Why::Content);
        let read = reach::within(REQUEST, got.body.collect()).await;
        let read = read.map_err(|why| Failure::of(Reason::ObjectStorageUnreachable).why(why))?;
        let bytes = read.map_err(|_| differs())?.into_bytes();
        if bytes == content.as_bytes() { Ok(()) } else { Err(differs()) }
    }
}

/// The keys of the spec's Secret.
fn keys(variable: impl Fn(&str) -> Option<String>) -> Option<Credentials> {
    let (id, key) = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"))?;
    Some(Credentials::new(id, key, variable("AWS_SESSION_TOKEN"), None, "environment"))
}

impl Debug for Asked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Asked of {} buckets", self.buckets.len())
    }
}
