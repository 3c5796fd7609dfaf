//! Whether a bucket takes exports: asked for by the proof of an upgrade, while everybody is still served.

use std::{collections::BTreeSet, path::PathBuf, process};

use aws_sdk_s3::{Client, operation::list_multipart_uploads::ListMultipartUploadsOutput};
use clap::Args;

use super::{
    preflight::{
        reason::{Reason, Why},
        refusal::failure,
        storage::Probe,
        verdict::Failure,
    },
    report::Report,
    snapshot::BUCKET,
    storage::{Patience, Refused, Settings},
};

/// Where an upload that is begun and ended at once is.
const UPLOAD: &str = "upload";

/// What the container that looks is told. How object storage is reached is in its environment, as the backend has it.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The bucket. A name that comes from a Secret comes in the environment.
    #[arg(long, env = BUCKET, hide_env_values = true)]
    bucket: String,
    /// What the keys begin with, without the slash after it.
    #[arg(long)]
    prefix: String,
    /// Where the report is written.
    #[arg(long, default_value = "/dev/termination-log")]
    report: PathBuf,
}

/// Why a bucket takes no exports.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not do what it was asked to.
    #[error("exports cannot be kept: {0}")]
    Refused(Refused),
    /// It cannot say how it ended, or not run at all.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Writes, lists, reads and deletes below the prefix, with what the environment says; what fails is reported.
///
/// # Errors
/// See [`Error`]; the report tells the same.
pub fn run(options: &Options) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(Box::pin(look(
        &Settings::of_environment(),
        &options.bucket,
        &options.prefix,
    )));
    runtime.shutdown_background();
    found.map_err(Refused).or_else(|refused| {
        let error = Error::Refused(refused.clone());
        Report::failed(refused.word(), &error.to_string()).write(&options.report)?;
        Err(error)
    })
}

/// Does in a bucket what exports need: small objects, uploads in parts, lists of both, and saying of what is not there that it
/// is not.
///
/// # Errors
/// What fails first.
pub async fn look(settings: &Settings, bucket: &str, prefix: &str) -> Result<(), Failure> {
    let none = |_| Failure::of(Reason::ObjectStorageLoginFailed).why(Why::Credentials);
    let client = Box::pin(settings.client(Patience::Tries)).await.map_err(none)?;
    let key = format!("{prefix}/probe-{}", process::id());
    let probe = Probe { settings, client: &client, bucket, key: &key };
    let (_, gone) = probe.tried().await?;
    gone?;
    let list = client.list_objects_v2().bucket(bucket).prefix(format!("{prefix}/")).max_keys(1);
    list.send().await.map_err(|error| failure(&error, Why::List))?;
    Box::pin(uploads(settings, &client, (bucket, &format!("{prefix}/{UPLOAD}")))).await
}

/// Begins an upload in parts, finds it, and ends it without an object, and those that a look before has left.
async fn uploads(
    settings: &Settings,
    client: &Client,
    (bucket, key): (&str, &str),
) -> Result<(), Failure> {
    let create = client
        .create_multipart_upload()
        .bucket(bucket)
        .key(key)
        .set_server_side_encryption(settings.encryption())
        .set_checksum_algorithm(settings.checksum());
    let begun = create.send().await.map_err(|error| failure(&error, Why::Put))?;
    let list = client.list_multipart_uploads().bucket(bucket).prefix(key).send().await;
    let listed = list.as_ref().map_or(&[][..], ListMultipartUploadsOutput::uploads);
    let listed = listed.iter().filter(|it| it.key() == Some(key));
    // Ours goes where none may be listed, too.
    let ids = listed.filter_map(|it| it.upload_id()).chain(begun.upload_id());
    for id in ids.collect::<BTreeSet<_>>() {
        let abort = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
        abort.send().await.map_err(|error| failure(&error, Why::Put))?;
    }
    list.map(drop).map_err(|error| failure(&error, Why::List))
}
