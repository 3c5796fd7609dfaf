//! Why a backend could not work with a server, in words for machines.

use serde::{Deserialize, Serialize};

/// What condition and message are called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The name of the database's host leads nowhere.
    DatabaseUnresolvable,
    /// Nobody answers there, or not as a database does.
    DatabaseUnreachable,
    /// The server's certificate is not to be trusted.
    DatabaseCertificateInvalid,
    /// The server offers no encryption.
    DatabaseEncryptionRefused,
    /// User or password are wrong, or the user may not come from here.
    DatabaseLoginFailed,
    /// The server has no such database.
    DatabaseMissing,
    /// The database holds nothing, and users were let in to it.
    DatabaseEmpty,
    /// The user may not do what the backend does.
    DatabasePermissionDenied,
    /// Nothing can be written.
    DatabaseReadOnly,
    /// The server is none that the backend works with.
    DatabaseUnsupported,
    /// The server takes no further connection.
    DatabaseConnectionsExhausted,
    /// The server refused something in its own way.
    DatabaseCheckFailed,
    /// The name of the endpoint's host leads nowhere.
    ObjectStorageUnresolvable,
    /// Nobody answers there, or not as object storage does.
    ObjectStorageUnreachable,
    /// The server's certificate is not to be trusted.
    ObjectStorageCertificateInvalid,
    /// The keys are wrong, or there are none.
    ObjectStorageLoginFailed,
    /// The bucket is in another region.
    ObjectStorageRegionWrong,
    /// The server does not know a feature that is asked for.
    ObjectStorageUnsupported,
    /// The server refused something in its own way.
    ObjectStorageCheckFailed,
    /// There is no such bucket.
    BucketMissing,
    /// The keys do not open this bucket.
    BucketAccessDenied,
    /// A word of another version of the operator.
    #[serde(other)]
    PreflightFailed,
}

impl Reason {
    /// The word for conditions.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DatabaseUnresolvable => "DatabaseUnresolvable",
            Self::DatabaseUnreachable => "DatabaseUnreachable",
            Self::DatabaseCertificateInvalid => "DatabaseCertificateInvalid",
            Self::DatabaseEncryptionRefused => "DatabaseEncryptionRefused",
            Self::DatabaseLoginFailed => "DatabaseLoginFailed",
            Self::DatabaseMissing => "DatabaseMissing",
            Self::DatabaseEmpty => "DatabaseEmpty",
            Self::DatabasePermissionDenied => "DatabasePermissionDenied",
            Self::DatabaseReadOnly => "DatabaseReadOnly",
            Self::DatabaseUnsupported => "DatabaseUnsupported",
            Self::DatabaseConnectionsExhausted => "DatabaseConnectionsExhausted",
            Self::DatabaseCheckFailed => "DatabaseCheckFailed",
            Self::ObjectStorageUnresolvable => "ObjectStorageUnresolvable",
            Self::ObjectStorageUnreachable => "ObjectStorageUnreachable",
            Self::ObjectStorageCertificateInvalid => "ObjectStorageCertificateInvalid",
            Self::ObjectStorageLoginFailed => "ObjectStorageLoginFailed",
            Self::ObjectStorageRegionWrong => "ObjectStorageRegionWrong",
            Self::ObjectStorageUnsupported => "ObjectStorageUnsupported",
            Self::ObjectStorageCheckFailed => "ObjectStorageCheckFailed",
            Self::BucketMissing => "BucketMissing",
            Self::BucketAccessDenied => "BucketAccessDenied",
            Self::PreflightFailed => "PreflightFailed",
        }
    }
}

/// What exactly, where a reason has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// The port is closed.
    Refused,
    /// No answer came in time.
    TimedOut,
    /// The connection was ended.
    Closed,
    /// The server is starting or stopping.
    Starting,
    /// The certificate is signed by an authority that is not known.
    Issuer,
    /// The certificate is for another host.
    Host,
    /// The certificate is expired, or not valid yet.
    Expired,
    /// The certificate authorities cannot be read.
    Authorities,
    /// The server's rules refuse this user, host or database, or want encryption.
    Rules,
    /// The database may not be made.
    Create,
    /// Users were let in to the database before.
    Served,
    /// The database may not be opened.
    Connect,
    /// Tables may not be made.
    Tables,
    /// There is no schema to make tables in.
    Schema,
    /// The server is a standby, or was made read-only.
    Standby,
    /// The backend's own table says that nothing may be written.
    Fenced,
    /// It is `MariaDB`.
    MariaDb,
    /// It is too old.
    Old,
    /// The access key is not known.
    Key,
    /// The secret key does not belong to it.
    Signature,
    /// No credentials are to be had.
    Credentials,
    /// The clocks of the two differ.
    Clock,
    /// Objects may not be written.
    Put,
    /// Objects may not be read.
    Get,
    /// Objects may not be listed.
    List,
    /// What was read is not what was written.
    Content,
    /// Another version of the operator has a word for it.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_called_the_same_everywhere() {
        let word = serde_json::to_value(Reason::BucketMissing).unwrap();
        assert_eq!(word, Reason::BucketMissing.word());
    }

    #[test]
    fn a_word_of_another_version_is_told_as_such() {
        let read = |word: &str| serde_json::from_str::<Reason>(&format!("\"{word}\"")).unwrap();
        assert_eq!(read("DatabaseMissing"), Reason::DatabaseMissing);
        assert_eq!(read("DatabaseOnFire"), Reason::PreflightFailed);
        assert_eq!(serde_json::from_str::<Why>("\"fire\"").unwrap(), Why::Other);
    }
}
