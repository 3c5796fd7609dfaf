//! A request to object storage that failed, for whoever reads why a worker ended: what is, and what to do.

use std::{error::Error, fmt, io};

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::worker::preflight::{
    self,
    reason::{Reason, Why},
    verdict::Failure,
};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Writing an object or a part of one, or taking one away.
    Writing,
    /// Reading an object.
    Reading,
    /// Listing objects or uploads that were not ended.
    Listing,
}

impl Doing {
    const fn why(self) -> Why {
        match self {
            Self::Writing => Why::Put,
            Self::Reading => Why::Get,
            Self::Listing => Why::List,
        }
    }
}

/// A bucket that did not do what it was asked to. It is told in words that are known here: no value of a Secret is in it, and not
/// the name of the bucket either, which may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Failure);

/// What it means that this failed.
pub fn refused<E>(doing: Doing, error: &SdkError<E, HttpResponse>) -> io::Error
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let failure = preflight::refusal::failure(error, doing.why());
    Refused(failure).into()
}

impl Refused {
    /// One `CamelCase` word, where an error is about object storage.
    #[must_use]
    pub fn reason(error: &io::Error) -> Option<&'static str> {
        error.get_ref()?.downcast_ref::<Self>().map(Self::word)
    }

    /// One `CamelCase` word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.0.reason.word()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { reason, why, code } = &self.0;
        write!(to, "the bucket for exports: {}", reason.word())?;
        if let Some(code) = code {
            write!(to, " ({code})")?;
        }
        write!(to, ": {}.", remedy(*reason, *why))
    }
}

impl Error for Refused {}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::other(refused)
    }
}

fn remedy(reason: Reason, why: Option<Why>) -> &'static str {
    match (reason, why) {
        (Reason::BucketMissing, _) => {
            "it does not exist. Make it, or name another one: the operator makes no buckets"
        }
        (Reason::BucketAccessDenied, Some(Why::List)) => {
            "its objects may not be listed. Allow s3:ListBucket and s3:ListBucketMultipartUploads on it"
        }
        (Reason::BucketAccessDenied, Some(Why::Get)) => {
            "objects in it may not be read. Allow s3:GetObject, and s3:ListBucket, without which it does not say what is not there"
        }
        (Reason::BucketAccessDenied, _) => {
            "objects in it may not be written. Allow s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on all of it"
        }
        (Reason::ObjectStorageLoginFailed, Some(Why::Credentials)) => {
            "there are no credentials for it. Name keys in spec.backend.s3, or look at the role of spec.backend.pod.serviceAccount"
        }
        (Reason::ObjectStorageLoginFailed, Some(Why::Clock)) => {
            "the clocks of this node and of object storage differ too much. Set them"
        }
        (Reason::ObjectStorageLoginFailed, _) => {
            "who asks is not known there. Correct the keys in the Secret of spec.backend.s3, or, where it names none, look at the role of spec.backend.pod.serviceAccount"
        }
        (Reason::ObjectStorageRegionWrong, _) => {
            "it is in another region. Exports are written with the endpoint and the region of spec.backend.s3, as files are, so the bucket has to be there: name one that is in spec.maintenance.snapshots.bucket. Where files are not written either, correct region or regionKey of spec.backend.s3"
        }
        (Reason::ObjectStorageUnresolvable, _) => {
            "the host of its endpoint is not known to the cluster's DNS. Correct the endpoint, or set spec.backend.s3.forcePathStyle: true"
        }
        (Reason::ObjectStorageCertificateInvalid, _) => {
            "the certificate of its endpoint is not to be trusted. Renew it, or name its authority by SSL_CERT_FILE in spec.backend.env"
        }
        (Reason::ObjectStorageUnsupported, _) => {
            "object storage does not know how it was asked. Try spec.backend.s3.disableSSE: true, then disableChecksums: true and forcePathStyle: true"
        }
        (Reason::ObjectStorageUnreachable, _) => {
            "object storage does not work at the moment. Look at its server, and at what keeps this namespace from it"
        }
        (_, Some(Why::Content)) => {
            "what was written was not found as it was. Object storage has to be consistent, and to be no cache"
        }
        _ => "object storage refused what it was asked. Its log says more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_why_and_what_to_do_and_gives_its_reason_to_reports() {
        let failure = Failure::of(Reason::BucketAccessDenied).why(Why::List).code("AccessDenied");
        let error: io::Error = Refused(failure).into();
        let words = "the bucket for exports: BucketAccessDenied (AccessDenied): its objects may not be listed. Allow s3:ListBucket";
        assert!(error.to_string().starts_with(words), "{error}");
        assert_eq!(Refused::reason(&error), Some("BucketAccessDenied"));
        assert_eq!(Refused::reason(&io::Error::other("full")), None);
    }

    #[test]
    fn a_bucket_for_exports_of_another_region_is_to_be_where_files_are() {
        let told = Refused(Failure::of(Reason::ObjectStorageRegionWrong)).to_string();
        assert!(told.contains("the endpoint and the region of spec.backend.s3"), "{told}");
        assert!(told.contains("spec.maintenance.snapshots.bucket"), "{told}");
    }

    #[test]
    fn keys_are_not_sought_in_a_secret_alone() {
        let told = Refused(Failure::of(Reason::ObjectStorageLoginFailed)).to_string();
        assert!(told.contains("Secret") && told.contains("serviceAccount"), "{told}");
    }
}
