//! What the spec says of its object storage: all of it or nothing, for a backend that lacks a part keeps files elsewhere.

mod endpoint;

use super::{Reader, value::Holder};
use crate::{
    api::{Buckets, S3},
    observe::Obstacle,
    plan::outside::Values,
};

/// What an `ObjectBucketClaim` calls its keys
/// (<https://github.com/kube-object-storage/lib-bucket-provisioner/blob/master/doc/design/object-bucket-lib.md>).
mod claimed {
    pub(super) const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
    pub(super) const KEY: &str = "AWS_SECRET_ACCESS_KEY";
    pub(super) const HOST: &str = "BUCKET_HOST";
    pub(super) const NAME: &str = "BUCKET_NAME";
    pub(super) const PORT: &str = "BUCKET_PORT";
    pub(super) const REGION: &str = "BUCKET_REGION";
}

/// What servers take that know no regions.
const ANYWHERE: &str = "us-east-1";

impl Reader<'_> {
    /// Reads the Secret and the `ConfigMap` that the spec names, or that have one name.
    pub(super) async fn storage(&self) -> kube::Result<Result<Values, Obstacle>> {
        let s3 = &self.instance.spec.backend.s3;
        let detects = detects(s3);
        let (secret, config) = (s3.secret_ref.as_deref(), s3.config_map_ref.as_deref());
        let secret = secret.or_else(|| config.filter(|_| detects));
        let config = config.or_else(|| secret.filter(|_| detects));
        let secret = match secret {
            Some(name) => Some(self.secret(name).await?),
            None => None,
        };
        let config = match config {
            Some(name) => Some(self.config(name).await?),
            None => None,
        };
        let pod = self.instance.spec.backend.pod.as_ref();
        let account = pod.and_then(|it| it.service_account.as_ref());
        let known = account.is_some_and(|it| it.name.is_some() || it.is_made());
        Ok(Found { s3, known, secret, config }.values())
    }
}

fn detects(s3: &S3) -> bool {
    s3.auto_detect_obc == Some(true)
}

/// The API server refuses most specs without.
fn unnamed(field: &str) -> Obstacle {
    let message = format!(
        "object storage needs {field}, which the spec lacks: set it, or set autoDetectOBC together with secretRef or configMapRef"
    );
    Obstacle::new("ObjectStorageIncomplete", message)
}

struct Found<'a> {
    s3: &'a S3,
    /// Whether the backend is known by its `ServiceAccount`.
    known: bool,
    secret: Option<Holder>,
    config: Option<Holder>,
}

impl Found<'_> {
    /// What the backend is to read: every switch is literally `true` or absent, for the backend takes nothing else.
    fn values(&self) -> Result<Values, Obstacle> {
        let s3 = self.s3;
        let endpoint = self.endpoint()?;
        let mut values = self.credentials()?.with("AWS_REGION", self.region(endpoint.is_some())?);
        if let Some(endpoint) = endpoint {
            values = values.with("S3_ENDPOINT_URL", endpoint);
        }
        let buckets = self.buckets()?;
        for (purpose, bucket) in [
            ("EXPORTS", buckets.exports),
            ("FILES", buckets.files),
            ("MODULES", buckets.modules),
            ("SEARCH", buckets.search),
            ("SNAPSHOT_IMPORTS", buckets.snapshot_imports),
        ] {
            values = values.with(&format!("S3_STORAGE_{purpose}_BUCKET"), bucket);
        }
        let switches = [
            ("AWS_S3_FORCE_PATH_STYLE", s3.force_path_style.unwrap_or_else(|| detects(s3))),
            ("AWS_S3_DISABLE_SSE", s3.disable_sse == Some(true)),
            ("AWS_S3_DISABLE_CHECKSUMS", s3.disable_checksums == Some(true)),
        ];
        let on = switches.into_iter().filter(|(_, on)| *on);
        Ok(on.fold(values, |values, (name, _)| values.with(name, "true")))
    }

    /// The keys; none where the backend is known without.
    fn credentials(&self) -> Result<Values, Obstacle> {
        let s3 = self.s3;
        let usual = |key| detects(s3).then_some(key);
        let id = s3.access_key_id_key.as_deref().or_else(|| usual(claimed::KEY_ID));
        let key = s3.secret_access_key_key.as_deref().or_else(|| usual(claimed::KEY));
        match (id, key) {
            (Some(id), Some(key)) => Ok(Values::default()
                .with(claimed::KEY_ID, self.text(id)?)
                .with(claimed::KEY, self.text(key)?)),
            (None, None) if self.known => Ok(Values::default()),
            _ => Err(unnamed(
                "accessKeyIdKey and secretAccessKeyKey (or spec.backend.pod.serviceAccount)",
            )),
        }
    }

    fn holder(&self) -> Result<&Holder, Obstacle> {
        self.secret.as_ref().ok_or_else(|| unnamed("secretRef"))
    }

    fn text(&self, key: &str) -> Result<&str, Obstacle> {
        self.holder()?.text(key)
    }

    fn buckets(&self) -> Result<Buckets, Obstacle> {
        let s3 = self.s3;
        if let Some(buckets) = &s3.buckets {
            return Ok(buckets.clone());
        }
        let one = match (&s3.bucket_key, &s3.bucket, &self.config) {
            (Some(key), ..) => self.text(key)?,
            (None, Some(bucket), _) => bucket,
            (None, None, Some(config)) => config.text(claimed::NAME)?,
            (None, None, None) => return Err(unnamed("bucket, bucketKey or buckets")),
        };
        Ok(Buckets {
            exports: one.to_owned(),
            files: one.to_owned(),
            modules: one.to_owned(),
            search: one.to_owned(),
            snapshot_imports: one.to_owned(),
        })
    }

    /// None where AWS itself is meant.
    fn endpoint(&self) -> Result<Option<String>, Obstacle> {
        let s3 = self.s3;
        if s3.emit_s3_endpoint_url == Some(false) {
            return Ok(None);
        }
        match (&s3.endpoint_key, &s3.endpoint, &self.config) {
            (Some(key), ..) => endpoint::origin(self.holder()?, key).map(Some),
            (None, Some(endpoint), _) => Ok(Some(endpoint.clone())),
            (None, None, Some(config)) => endpoint::of_claim(config).map(Some),
            (None, None, None) => {
                Err(unnamed("endpoint or endpointKey (or emitS3EndpointUrl: false, for AWS)"))
            }
        }
    }

    fn region(&self, elsewhere: bool) -> Result<&str, Obstacle> {
        let s3 = self.s3;
        if let Some(key) = &s3.region_key {
            return self.text(key);
        }
        if let Some(region) = &s3.region {
            return Ok(region);
        }
        let told = self.config.as_ref().and_then(|it| it.text(claimed::REGION).ok());
        let usual = elsewhere.then_some(ANYWHERE);
        told.or(usual).ok_or_else(|| unnamed("region or regionKey"))
    }
}

#[cfg(test)]
mod tests;
