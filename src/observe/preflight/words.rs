//! What a preflight found, for people: what is, and what to do. Secrets are named, and nothing of what is in them.

use statemachine::pins::Store;

use crate::{
    api::{ConvexInstance, Engine},
    convex::database_url::database_of,
    observe::Keys,
    plan::deployment,
    worker::preflight::{
        reason::{Reason, Why},
        subject::{Purpose, Subject},
        verdict::{Finding, Note},
    },
};

/// What an instance calls its servers.
pub(super) struct About<'a> {
    instance: &'a ConvexInstance,
    database: String,
    /// Whether users were let in to it.
    served: bool,
}

impl<'a> About<'a> {
    /// Of this instance, and the store that a pod is for.
    pub(super) fn of(instance: &'a ConvexInstance, keys: Option<&Keys>, store: &Store) -> Self {
        let of = |it: &Keys| database_of(&deployment::name(instance, &it.name, store));
        let database = keys.map(of).unwrap_or_default();
        let pins = instance.status.as_ref().and_then(|it| it.lifecycle.as_ref());
        let home = pins.filter(|it| it.served).and_then(|it| it.home.as_ref());
        Self { instance, database, served: home.is_some_and(|it| it.store == *store) }
    }

    /// Why the backend could not use a server.
    pub(super) fn failure(&self, finding: &Finding) -> String {
        let Some(failure) = &finding.failure else { return String::new() };
        let code = failure.code.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let said = match &finding.name {
            Subject::Database => self.database(failure.reason, failure.why, &code),
            Subject::Bucket(purposes) => {
                let bucket = self.bucket(purposes);
                self.storage(failure.reason, failure.why, &code, &bucket)
            }
        };
        format!(
            "{said}. The backend is not started before; it is looked at again every few seconds."
        )
    }

    /// Where the URL is.
    fn url(&self) -> String {
        let db = &self.instance.spec.backend.db;
        let (secret, key) = (db.secret_ref.as_deref(), db.url_key.as_deref());
        format!(
            "the URL in Secret \"{}\", key \"{}\"",
            secret.unwrap_or_default(),
            key.unwrap_or_default()
        )
    }

    fn is_postgres(&self) -> bool {
        self.instance.spec.backend.db.engine == Engine::Postgres
    }

    fn database(&self, reason: Reason, why: Option<Why>, code: &str) -> String {
        let (url, name) = (self.url(), &self.database);
        match reason {
            Reason::DatabaseUnresolvable => format!(
                "the host of {url} is not known to the cluster's DNS: correct it there. A Service of another namespace is called NAME.NAMESPACE.svc"
            ),
            Reason::DatabaseUnreachable => self.unreachable(why, code),
            Reason::DatabaseCertificateInvalid => self.certificate(why),
            Reason::DatabaseEncryptionRefused => format!(
                "the server of {url} offers no encryption: switch it on there, or set spec.backend.db.requireSSL: false where the network is to be trusted"
            ),
            Reason::DatabaseLoginFailed if why == Some(Why::Rules) => format!(
                "the server refuses this user, or its address, or a connection that is not encrypted{code}: allow the user of {url} in its rules (pg_hba.conf), and leave spec.backend.db.requireSSL at true where it wants encryption"
            ),
            Reason::DatabaseLoginFailed => format!(
                "the server refuses user or password of {url}{code}: correct them there. The Secret is read again within 30 s, and the pod made anew"
            ),
            Reason::DatabaseMissing => self.missing(why, code),
            Reason::DatabasePermissionDenied => self.denied(why, code),
            Reason::DatabaseReadOnly if why == Some(Why::Fenced) => format!(
                "table read_only of database \"{name}\" has a row, which keeps every backend from starting: somebody has fenced it off, as for a move. Delete the row once it is this instance's turn"
            ),
            Reason::DatabaseReadOnly => format!(
                "the server of {url} takes no writes{code}: it is a standby, or was made read-only. Name the primary; CloudNativePG's Service for it ends in -rw"
            ),
            Reason::DatabaseUnsupported if why == Some(Why::MariaDb) => "the server is MariaDB, which lacks the collation of the backend's tables (utf8mb4_0900_bin): use MySQL 8, or create the instance anew with engine postgres".to_owned(),
            Reason::DatabaseUnsupported => "the server is too old for the backend: use MySQL 8.0.17 or later".to_owned(),
            Reason::DatabaseConnectionsExhausted => format!(
                "the server takes no further connection{code}: raise max_connections, or end some of its clients"
            ),
            _ if why == Some(Why::Rules) => {
                format!("{url} is not taken by the driver: correct it there")
            }
            _ => format!(
                "the database refused the preflight{code}: the log of container gate and of the server say more"
            ),
        }
    }

    fn unreachable(&self, why: Option<Why>, code: &str) -> String {
        let url = self.url();
        match why {
            Some(Why::Refused) => format!(
                "nobody listens at host and port of {url}: start the server, or correct the URL"
            ),
            Some(Why::TimedOut) => format!(
                "the server of {url} does not answer in time: it may be down, or a NetworkPolicy or a firewall may keep this namespace from it"
            ),
            Some(Why::Starting) => format!("the server of {url} is starting or stopping{code}"),
            _ => format!(
                "what listens at host and port of {url} ends the connection: it may be no {} server, or one that is being started",
                if self.is_postgres() { "PostgreSQL" } else { "MySQL" }
            ),
        }
    }

    fn certificate(&self, why: Option<Why>) -> String {
        let db = &self.instance.spec.backend.db;
        let url = self.url();
        let authority = db.ca_secret_ref.as_ref().map(|secret| {
            format!("Secret \"{secret}\", key \"{}\"", db.ca_key.as_deref().unwrap_or("ca.crt"))
        });
        match (why, authority) {
            (Some(Why::Host), _) => format!(
                "the certificate of the server does not name the host of {url}: name the server there as its certificate does, or have one issued for this host"
            ),
            (Some(Why::Expired), _) => format!(
                "the certificate of the server of {url} is expired or not valid yet: renew it, and look at the clocks"
            ),
            (Some(Why::Authorities), Some(authority)) => {
                format!(
                    "the certificate authorities in {authority} cannot be read: put them there as PEM"
                )
            }
            (_, Some(authority)) => format!(
                "the certificate of the server of {url} is signed by none of the authorities in {authority}: put that of the server there"
            ),
            (_, None) => format!(
                "the certificate of the server of {url} is signed by an authority that nobody knows: put the authority into a Secret and name that in spec.backend.db.caSecretRef (for CloudNativePG <cluster>-ca)"
            ),
        }
    }

    /// With the statement to be run.
    fn missing(&self, why: Option<Why>, code: &str) -> String {
        let name = &self.database;
        if self.served {
            return format!(
                "database \"{name}\", which this instance has served from, is not on the server of {}: lead back to the server that has it, or restore it from a backup. None is made in its place; to begin anew, create another instance",
                self.url()
            );
        }
        let sql = if self.is_postgres() {
            format!("CREATE DATABASE \"{name}\" OWNER \"USER-OF-THE-URL\";")
        } else {
            format!("CREATE DATABASE `{name}`; GRANT ALL ON `{name}`.* TO 'USER-OF-THE-URL'@'%';")
        };
        if why == Some(Why::Create) {
            return format!(
                "database \"{name}\" is not on the server, and the user of {} may not make it{code}: have an administrator of the server run {sql}",
                self.url()
            );
        }
        format!(
            "database \"{name}\" is not on the server of {}, and a backend of this instance name opens no other: run {sql} or set spec.backend.db.createDatabase: IfMissing",
            self.url()
        )
    }

    fn denied(&self, why: Option<Why>, code: &str) -> String {
        let (name, url) = (&self.database, self.url());
        match (why, self.is_postgres()) {
            (Some(Why::Tables), true) => format!(
                "the user of {url} may make no tables in database \"{name}\": run there GRANT CREATE ON SCHEMA public TO \"USER-OF-THE-URL\"; or make the user owner of the database"
            ),
            (Some(Why::Schema), true) => format!(
                "database \"{name}\" has no schema for the user of {url}: its search_path leads nowhere. Run there CREATE SCHEMA public AUTHORIZATION \"USER-OF-THE-URL\";"
            ),
            (_, true) => format!(
                "the user of {url} is refused by database \"{name}\"{code}: run GRANT ALL ON DATABASE \"{name}\" TO \"USER-OF-THE-URL\"; or make the user its owner"
            ),
            (_, false) => format!(
                "the user of {url} is refused by database \"{name}\"{code}: run GRANT ALL ON `{name}`.* TO 'USER-OF-THE-URL'@'%';"
            ),
        }
    }

    /// A bucket, by its name where the spec says it, and by its field where a Secret does.
    fn bucket(&self, purposes: &[Purpose]) -> String {
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
        match (&s3.bucket_key, &s3.bucket) {
            (None, Some(bucket)) => format!("bucket \"{bucket}\""),
            (Some(key), _) => format!("the bucket that key \"{key}\" of the Secret names"),
            (None, None) => "the bucket of the ObjectBucketClaim".to_owned(),
        }
    }

    /// Where the keys are.
    fn keys(&self) -> String {
        let s3 = &self.instance.spec.backend.s3;
        match s3.secret_ref.as_ref().or(s3.config_map_ref.as_ref()) {
            Some(secret) => format!("Secret \"{secret}\""),
            None => "the ServiceAccount of the backend".to_owned(),
        }
    }

    fn storage(&self, reason: Reason, why: Option<Why>, code: &str, bucket: &str) -> String {
        let keys = self.keys();
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
            (Reason::ObjectStorageLoginFailed, Some(Why::Signature)) => format!(
                "the secret key in {keys} does not belong to its access key{code}: correct it there"
            ),
            (Reason::ObjectStorageLoginFailed, Some(Why::Clock)) => format!(
                "the clocks of this node and of object storage differ too much{code}: set them"
            ),
            (Reason::ObjectStorageLoginFailed, Some(Why::Credentials)) => format!(
                "no credentials for object storage are to be had by {keys}: look at its role, or name keys in spec.backend.s3.secretRef"
            ),
            (Reason::ObjectStorageLoginFailed, _) => format!(
                "object storage does not know the access key in {keys}{code}: correct it there"
            ),
            (Reason::ObjectStorageRegionWrong, _) => format!(
                "{bucket} is not in the region that is asked for{code}: set spec.backend.s3.region to that of the bucket"
            ),
            (Reason::BucketMissing, _) => format!(
                "{bucket} does not exist: make it, or correct its name. The operator makes no buckets"
            ),
            (Reason::BucketAccessDenied, it) => format!(
                "{} may not {} in {bucket}{code}: allow s3:PutObject, s3:GetObject and s3:DeleteObject on all of it",
                if self.instance.spec.backend.s3.secret_ref.is_some() {
                    format!("the access key in {keys}")
                } else {
                    keys
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

/// What people should know though the backend can use it.
pub(super) fn note(note: Note) -> String {
    match note {
        Note::Connections { allowed, pool } => format!(
            "the server takes {allowed} connections, and the backend may open {pool}: set spec.backend.tuning.maxDatabaseConnections below {allowed}, or raise max_connections of the server"
        ),
        Note::Uncreatable => "the user of the URL may make no databases, which spec.backend.db.createDatabase: IfMissing leaves to it: an upgrade into a fresh store would hold users until one is made by hand. Have an administrator of the server run ALTER ROLE \"USER-OF-THE-URL\" CREATEDB;".to_owned(),
        Note::Undeletable => "objects can be written and may not be deleted: what the backend deletes stays, and so does a small object below .convex-operator/preflight/ of every pod. Allow s3:DeleteObject".to_owned(),
    }
}
