//! What is amiss with object storage, and what to do about it.

use super::About;
use crate::worker::preflight::{
    reason::{Reason, Why},
    subject::Purpose,
};

impl About<'_> {
    /// A bucket, by its name where the spec says it, and by its field where a Secret does.
    pub(super) fn bucket(&self, purposes: &[Purpose]) -> String {
        let s3 = &self.instance.spec.backend.s3;
        if let Some(buckets) = &s3.buckets {
            let name = purposes.first().map(|it| match it {
                Purpose::Exports => &buckets.exports,
                Purpose::Files => &buckets.files,
                Purpose::Modules => &buckets.modules,
                Purpose::Search => &buckets.search,
                Purpose::SnapshotImports => &buckets.snapshot_imports,
            });
            return format!("bucket \"{}\"", name.map_or("", String::as_str));
        }
        let of =
            |key: &str, holder: &str| format!("the bucket that key \"{key}\" of {holder} names");
        match (&s3.bucket_key, &s3.bucket) {
            (None, Some(bucket)) => format!("bucket \"{bucket}\""),
            (Some(key), _) => of(key, &self.secret()),
            (None, None) => of("BUCKET_NAME", &self.config()),
        }
    }

    /// The Secret that the spec names; that of an `ObjectBucketClaim` is called like its `ConfigMap`.
    fn secret(&self) -> String {
        let s3 = &self.instance.spec.backend.s3;
        let claimed = s3.config_map_ref.as_ref().filter(|_| s3.auto_detect_obc == Some(true));
        format!("Secret \"{}\"", s3.secret_ref.as_ref().or(claimed).map_or("", String::as_str))
    }

    /// The other way round.
    fn config(&self) -> String {
        let s3 = &self.instance.spec.backend.s3;
        let claimed = s3.secret_ref.as_ref().filter(|_| s3.auto_detect_obc == Some(true));
        let name = s3.config_map_ref.as_ref().or(claimed);
        format!("ConfigMap \"{}\"", name.map_or("", String::as_str))
    }

    /// Whether the backend is known by keys; else it is by its `ServiceAccount`, whatever else the Secret may hold.
    fn is_keyed(&self) -> bool {
        let s3 = &self.instance.spec.backend.s3;
        s3.access_key_id_key.is_some() || s3.auto_detect_obc == Some(true)
    }

    fn account(&self) -> String {
        let pod = self.instance.spec.backend.pod.as_ref();
        match pod.and_then(|it| it.service_account.as_ref()?.name.as_ref()) {
            Some(name) => format!("ServiceAccount \"{name}\""),
            None => "the ServiceAccount of the backend".to_owned(),
        }
    }

    /// Who is not let in, and what to do about it.
    fn login(&self, why: Option<Why>, code: &str) -> String {
        match why {
            Some(Why::Clock) => format!(
                "the clocks of this node and of object storage differ too much{code}: set them"
            ),
            _ if !self.is_keyed() => {
                let account = self.account();
                let what = match why {
                    Some(Why::Credentials) => format!("{account} has no credentials"),
                    _ => format!("object storage does not take the credentials of {account}{code}"),
                };
                format!(
                    "{what}: look at its role and at what hands that to pods, or name keys with spec.backend.s3.secretRef, accessKeyIdKey and secretAccessKeyKey"
                )
            }
            Some(Why::Signature) => format!(
                "the secret key in {} does not belong to its access key{code}: correct it there",
                self.secret()
            ),
            Some(Why::Credentials) => format!(
                "the keys in {} are no credentials: look at those that spec.backend.s3 names",
                self.secret()
            ),
            _ => format!(
                "object storage does not know the access key in {}{code}: correct it there",
                self.secret()
            ),
        }
    }

    /// Where the region is that is asked for.
    fn region(&self) -> String {
        match &self.instance.spec.backend.s3.region_key {
            Some(key) => format!("put that of the bucket into key \"{key}\" of {}", self.secret()),
            None => "set spec.backend.s3.region to that of the bucket".to_owned(),
        }
    }

    pub(super) fn storage(
        &self,
        reason: Reason,
        why: Option<Why>,
        code: &str,
        bucket: &str,
    ) -> String {
        match (reason, why) {
            (Reason::ObjectStorageUnresolvable, _) => format!(
                "the host of the endpoint for {bucket} is not known to the cluster's DNS: correct the endpoint, or set spec.backend.s3.forcePathStyle: true where buckets have no host names of their own"
            ),
            (Reason::ObjectStorageUnreachable, Some(Why::Refused)) => "nobody listens at the endpoint of object storage: start the server, or correct the endpoint".to_owned(),
            (Reason::ObjectStorageUnreachable, Some(Why::TimedOut)) => "object storage does not answer in time: it may be down, or a NetworkPolicy or a firewall may keep this namespace from it".to_owned(),
            (Reason::ObjectStorageUnreachable, _) => format!(
                "object storage does not work at the moment{code}: look at the server; the endpoint may be http where https is written, or the other way round"
            ),
            (Reason::ObjectStorageCertificateInvalid, Some(Why::Host)) => "the certificate of object storage does not name the host of the endpoint: name the server as its certificate does, or set spec.backend.s3.forcePathStyle: true".to_owned(),
            (Reason::ObjectStorageCertificateInvalid, Some(Why::Expired)) => "the certificate of object storage is expired or not valid yet: renew it, and look at the clocks".to_owned(),
            (Reason::ObjectStorageCertificateInvalid, _) => "the certificate of object storage is signed by an authority that the backend does not know: it takes those of its image, or of a file that is mounted with spec.backend.pod and named by SSL_CERT_FILE in spec.backend.env".to_owned(),
            (Reason::ObjectStorageLoginFailed, _) => self.login(why, code),
            (Reason::ObjectStorageRegionWrong, _) => format!(
                "{bucket} is not in the region that is asked for{code}: {}",
                self.region()
            ),
            (Reason::BucketMissing, _) => format!(
                "{bucket} does not exist: make it, or correct its name. The operator makes no buckets"
            ),
            (Reason::BucketAccessDenied, it) => format!(
                "{} may not {} in {bucket}{code}: allow s3:PutObject, s3:GetObject and s3:DeleteObject on all of it",
                if self.is_keyed() {
                    format!("the access key in {}", self.secret())
                } else {
                    self.account()
                },
                if it == Some(Why::Get) { "read objects" } else { "write objects" }
            ),
            (Reason::ObjectStorageUnsupported, _) => format!(
                "object storage refuses how objects are written to {bucket}{code}: try spec.backend.s3.disableSSE: true, then disableChecksums: true and forcePathStyle: true"
            ),
            (_, Some(Why::Content)) => format!(
                "what was written to {bucket} was not found there as it was: object storage has to be consistent, and to be no cache"
            ),
            _ => format!(
                "object storage refused the preflight of {bucket}{code}: its log says more, and whether the endpoint is one of S3 at all"
            ),
        }
    }
}
