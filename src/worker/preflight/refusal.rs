//! What an error of object storage means.

use std::{error::Error, io};

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use super::{
    reach,
    reason::{Reason, Why},
    verdict::Failure,
};

/// What it means that this was refused. Only the server's code is taken, and the region that it names: its sentences repeat
/// names of keys, buckets and hosts.
pub(in crate::worker) fn failure<E>(error: &SdkError<E, HttpResponse>, doing: Why) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::TimeoutError(_) => {
            Failure::of(Reason::ObjectStorageUnreachable).why(Why::TimedOut)
        }
        SdkError::ServiceError(refused) => {
            let raw = refused.raw();
            let region = raw.headers().get("x-amz-bucket-region");
            of_answer(raw.status().as_u16(), refused.err().code(), region, doing)
        }
        SdkError::ResponseError(answer) => {
            of_answer(answer.raw().status().as_u16(), None, None, doing)
        }
        other => of_transport(other),
    }
}

/// What the server's answer means.
fn of_answer(status: u16, code: Option<&str>, region: Option<&str>, doing: Why) -> Failure {
    let (reason, why) = match (code.unwrap_or_default(), status) {
        ("NoSuchBucket", _) => (Reason::BucketMissing, None),
        ("InvalidAccessKeyId" | "InvalidAccessKey" | "InvalidToken" | "ExpiredToken", _) => {
            (Reason::ObjectStorageLoginFailed, Some(Why::Key))
        }
        ("SignatureDoesNotMatch", _) => (Reason::ObjectStorageLoginFailed, Some(Why::Signature)),
        ("RequestTimeTooSkewed", _) => (Reason::ObjectStorageLoginFailed, Some(Why::Clock)),
        (
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "TemporaryRedirect"
            | "IllegalLocationConstraintException",
            _,
        )
        | (_, 301 | 307) => (Reason::ObjectStorageRegionWrong, None),
        ("AccessDenied" | "AllAccessDisabled" | "Forbidden", _) | ("", 401 | 403) => {
            (Reason::BucketAccessDenied, Some(doing))
        }
        (
            "NotImplemented"
            | "InvalidArgument"
            | "InvalidRequest"
            | "InvalidEncryptionAlgorithmError"
            | "ServerSideEncryptionConfigurationNotFoundError"
            | "MissingContentLength"
            | "XAmzContentSHA256Mismatch",
            _,
        )
        | (_, 405 | 501) => (Reason::ObjectStorageUnsupported, None),
        ("SlowDown" | "ServiceUnavailable" | "InternalError", _) | (_, 500..=599) => {
            (Reason::ObjectStorageUnreachable, Some(Why::Starting))
        }
        ("NoSuchKey" | "NotFound", _) if doing == Why::Get => {
            (Reason::ObjectStorageCheckFailed, Some(Why::Content))
        }
        _ => (Reason::ObjectStorageCheckFailed, None),
    };
    let wanted = region.filter(|_| reason == Reason::ObjectStorageRegionWrong);
    let status = status.to_string();
    Failure { reason, why, code: None }.code(wanted.or(code).unwrap_or(&status))
}

/// What it means that there was no answer.
fn of_transport(error: &(dyn Error + 'static)) -> Failure {
    if let Some(why) = reach::distrusted(error) {
        return Failure::of(Reason::ObjectStorageCertificateInvalid).why(why);
    }
    let resolves = !reach::causes(error).any(|it| it.to_string().contains("dns error"));
    if !resolves {
        return Failure::of(Reason::ObjectStorageUnresolvable);
    }
    let closed = reach::causes(error).find_map(|it| it.downcast_ref::<io::Error>());
    let why = closed.map_or(Why::Closed, reach::of_io);
    Failure::of(Reason::ObjectStorageUnreachable).why(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_what_is_to_be_done_about_them() {
        for (status, code, reason) in [
            (404, Some("NoSuchBucket"), Reason::BucketMissing),
            (403, Some("InvalidAccessKeyId"), Reason::ObjectStorageLoginFailed),
            (403, Some("SignatureDoesNotMatch"), Reason::ObjectStorageLoginFailed),
            (400, Some("AuthorizationHeaderMalformed"), Reason::ObjectStorageRegionWrong),
            (301, Some("PermanentRedirect"), Reason::ObjectStorageRegionWrong),
            (301, None, Reason::ObjectStorageRegionWrong),
            (403, Some("AccessDenied"), Reason::BucketAccessDenied),
            (403, None, Reason::BucketAccessDenied),
            (501, Some("NotImplemented"), Reason::ObjectStorageUnsupported),
            (503, Some("SlowDown"), Reason::ObjectStorageUnreachable),
            (404, None, Reason::ObjectStorageCheckFailed),
            (418, Some("Teapot"), Reason::ObjectStorageCheckFailed),
        ] {
            assert_eq!(of_answer(status, code, None, Why::Put).reason, reason, "{status} {code:?}");
        }
    }

    #[test]
    fn the_region_is_told_where_the_server_names_it() {
        let told = |region| of_answer(301, Some("PermanentRedirect"), region, Why::Put).code;
        assert_eq!(told(Some("eu-west-1")).unwrap().to_string(), "eu-west-1");
        assert_eq!(told(None).unwrap().to_string(), "PermanentRedirect");
    }
}
