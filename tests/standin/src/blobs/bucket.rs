//! Buckets of an S3 server, asked as Convex asks: by the AWS SDK with its own ways to credentials.

use std::{fmt::Display, io, path::Path};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::{
    Client,
    config::{Builder, ProvideCredentials, RequestChecksumCalculation, ResponseChecksumValidation},
    error::DisplayErrorContext,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ServerSideEncryption},
};
use aws_smithy_http_client::{
    Builder as HttpClient,
    tls::{Provider, rustls_provider::CryptoMode},
};
use tokio::{fs::File, io::AsyncWriteExt};

use super::{BlobsError, Use};
use crate::{environment::Environment, store::state::new_id, waiting::wait};

/// The buckets of an instance.
#[derive(Clone)]
pub struct Buckets {
    instance: String,
    client: Client,
    prefix: String,
    files: String,
    exports: String,
    imports: String,
    modules: String,
    is_encrypted: bool,
    has_checksums: bool,
}

impl Buckets {
    /// Those that the environment names, with credentials that are there; no bucket is asked yet.
    ///
    /// # Errors
    /// A variable is missing, or nobody says who we are.
    pub async fn of(env: &Environment, instance: &str) -> Result<Self, BlobsError> {
        let bucket = |name| env.non_empty(name).ok_or(BlobsError::NotSet(name)).map(str::to_owned);
        let has_checksums = !env.is_literally_true("AWS_S3_DISABLE_CHECKSUMS");
        let shared = shared(env).await?;
        let mut config = Builder::from(&shared)
            .force_path_style(env.is_literally_true("AWS_S3_FORCE_PATH_STYLE"));
        if let Some(endpoint) = env.get("S3_ENDPOINT_URL") {
            config = config.endpoint_url(endpoint);
        }
        if !has_checksums {
            config = config
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        Ok(Self {
            instance: instance.to_owned(),
            client: Client::from_conf(config.build()),
            prefix: String::new(),
            files: bucket("S3_STORAGE_FILES_BUCKET")?,
            exports: bucket("S3_STORAGE_EXPORTS_BUCKET")?,
            imports: bucket("S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET")?,
            modules: bucket("S3_STORAGE_MODULES_BUCKET")?,
            is_encrypted: !env.is_literally_true("AWS_S3_DISABLE_SSE"),
            has_checksums,
        })
    }

    /// What the keys of a new database begin with.
    #[must_use]
    pub fn new_prefix(&self) -> String {
        format!("{}-{}/", self.instance, new_id())
    }

    /// That a prefix is this instance's.
    ///
    /// # Errors
    /// It is another's.
    pub fn own(&self, prefix: &str) -> Result<(), BlobsError> {
        if prefix.starts_with(&format!("{}-", self.instance)) {
            return Ok(());
        }
        Err(BlobsError::OtherName(prefix.to_owned(), self.instance.clone()))
    }

    /// The same with all keys below a prefix.
    #[must_use]
    pub fn within(&self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self.clone() }
    }

    /// Keeps the content of a file.
    ///
    /// # Errors
    /// The server refuses, or the file cannot be read.
    pub fn put(&self, kind: Use, name: &str, from: &Path) -> io::Result<()> {
        let (client, bucket, key) = self.at(kind, name);
        let (encryption, checksum) = (
            self.is_encrypted.then_some(ServerSideEncryption::Aes256),
            self.has_checksums.then_some(ChecksumAlgorithm::Crc32),
        );
        let from = from.to_owned();
        wait(async move {
            let body = ByteStream::from_path(from).await.map_err(io::Error::other)?;
            let put = client.put_object().bucket(bucket).key(key).body(body);
            let put = put.set_server_side_encryption(encryption).set_checksum_algorithm(checksum);
            put.send().await.map(drop).map_err(|error| refused(DisplayErrorContext(error)))
        })?
    }

    /// Writes what is kept to a new file.
    ///
    /// # Errors
    /// It is not there, the server refuses, or the file cannot be written.
    pub fn get(&self, kind: Use, name: &str, to: &Path) -> io::Result<()> {
        let (client, bucket, key) = self.at(kind, name);
        let to = to.to_owned();
        wait(async move {
            let got = client.get_object().bucket(bucket).key(key).send().await;
            let got = got.map_err(|error| refused(DisplayErrorContext(error)))?;
            let mut file = File::create(to).await?;
            tokio::io::copy(&mut got.body.into_async_read(), &mut file).await?;
            file.flush().await
        })?
    }

    /// Removes what is kept; what is not there is none's.
    ///
    /// # Errors
    /// The server refuses.
    pub fn delete(&self, kind: Use, name: &str) -> io::Result<()> {
        let (client, bucket, key) = self.at(kind, name);
        wait(async move {
            let deleted = client.delete_object().bucket(bucket).key(key).send().await;
            deleted.map(drop).map_err(|error| refused(DisplayErrorContext(error)))
        })?
    }

    fn at(&self, kind: Use, name: &str) -> (Client, String, String) {
        let bucket = match kind {
            Use::File => &self.files,
            Use::Export => &self.exports,
            Use::Import => &self.imports,
            Use::Module => &self.modules,
        };
        (self.client.clone(), bucket.clone(), format!("{}{name}", self.prefix))
    }
}

/// Where we are and who: upstream asks for credentials at its start, too.
async fn shared(env: &Environment) -> Result<SdkConfig, BlobsError> {
    let region = env.non_empty("AWS_REGION").ok_or(BlobsError::NotSet("AWS_REGION"))?;
    let https = HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let shared = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(https)
        .region(Region::new(region.to_owned()))
        .load()
        .await;
    let none = || BlobsError::Credentials("no provider".to_owned());
    let provider = shared.credentials_provider().ok_or_else(none)?;
    let given = provider.provide_credentials().await;
    given.map_err(|error| BlobsError::Credentials(DisplayErrorContext(error).to_string()))?;
    Ok(shared)
}

fn refused(error: impl Display) -> io::Error {
    io::Error::other(format!("object storage: {error}"))
}
