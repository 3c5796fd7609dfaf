//! What a platform team runs beside an instance, and how it hands it over: a real PostgreSQL server with TLS under a private
//! authority, and a real S3 server.
//!
//! What is handed over has the shape that `CloudNativePG` and an `ObjectBucketClaim` give it, so that samples work as they are.
//! Nobody resolves names on clusters of ours: servers are known by their address, at which pods know their node, too.

use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result};
use cluster::description::Description;
use serde_json::{Value, json};
use servers::{Authority, Encryption, Place, Postgres, S3, unique};
use tempfile::TempDir;

use crate::Kubectl;

/// The first ports that servers are given; every one has ports of its own.
const PORTS: (u16, u16) = (5432, 7070);
/// The bucket of the sample.
const BUCKET: &str = "orders";

/// The two servers; they end with this.
pub struct Beside {
    /// The database server.
    pub postgres: Postgres,
    /// The object storage.
    pub s3: S3,
    authority: Authority,
    /// What every password is: it must not be seen anywhere.
    canary: String,
    _folder: TempDir,
}

impl Beside {
    /// Starts both where pods of a cluster reach them.
    ///
    /// # Errors
    /// One of them does not start.
    pub async fn start(cluster: &Description) -> Result<Self> {
        static STARTED: AtomicU16 = AtomicU16::new(0);
        let nth = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir()?;
        let authority = Authority::create(&folder.path().join("ca"))?;
        let place = Place::in_cluster(folder.path(), cluster);
        let encryption = Encryption::Required(&authority);
        let postgres = Postgres::start(&place.clone().at_port(PORTS.0 + nth), encryption).await?;
        let s3 = S3::start(&place.at_port(PORTS.1 + nth), Encryption::None).await?;
        Ok(Self { postgres, s3, authority, canary: unique(), _folder: folder })
    }

    /// The password of every user.
    #[must_use]
    pub fn canary(&self) -> &str {
        &self.canary
    }

    /// Makes a database of this name, with a role of its own, as `CloudNativePG` does, and what it hands over: Secret
    /// `<cluster>-app` and Secret `<cluster>-ca`.
    ///
    /// # Errors
    /// The server refuses.
    pub fn database(&self, cluster: &str, name: &str) -> Result<[Value; 2]> {
        self.postgres.role(name, &self.canary)?;
        self.postgres.database(name, name)?;
        let (address, password) = (self.postgres.address(), &self.canary);
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let uri = format!("{}/{name}", self.postgres.url((name, password)));
        let app = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
            "metadata": {"name": format!("{cluster}-app"), "labels": {"cnpg.io/cluster": cluster}},
            "stringData": {
                "username": name, "user": name, "password": password, "dbname": name,
                "host": host, "port": port, "uri": uri,
                "pgpass": format!("{host}:{port}:{name}:{name}:{password}\n"),
            },
        });
        let authority = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": format!("{cluster}-ca"), "labels": {"cnpg.io/cluster": cluster}},
            "stringData": {"ca.crt": self.authority.certificate()},
        });
        Ok([app, authority])
    }

    /// Makes a bucket with a user of its own, as a provisioner of buckets does, and what it hands over: a `ConfigMap` and a Secret
    /// of the claim's name.
    ///
    /// # Errors
    /// The server refuses.
    pub fn bucket(&self, claim: &str, bucket: &str) -> Result<[Value; 2]> {
        let key_id = format!("{bucket}-user");
        self.s3.user(&key_id, &self.canary)?;
        self.s3.bucket(bucket, &key_id)?;
        let address = self.s3.address();
        let config = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": claim},
            "data": {
                "BUCKET_HOST": address.ip().to_string(), "BUCKET_PORT": address.port().to_string(),
                "BUCKET_NAME": bucket, "BUCKET_REGION": self.s3.region(), "BUCKET_SUBREGION": "",
            },
        });
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": claim},
            "stringData": {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": self.canary},
        });
        Ok([config, secret])
    }

    /// Makes everything that the sample `prod.yaml` names, and hands it over in a namespace.
    ///
    /// # Errors
    /// A server refuses, or the API server.
    pub async fn hand_over(&self, kubectl: &Kubectl, namespace: &str) -> Result<()> {
        let database = self.database("orders-db", "orders")?;
        let storage = self.bucket("orders-bucket", BUCKET)?;
        for object in [database, storage].as_flattened() {
            kubectl.apply(namespace, &object.to_string()).await?;
        }
        Ok(())
    }

    /// How many documents the sample's database holds.
    ///
    /// # Errors
    /// There is none.
    pub fn documents(&self) -> Result<u64> {
        let count = self.postgres.sql("orders", "SELECT count(*) FROM documents")?;
        count.parse().context("a count")
    }

    /// The keys in the sample's bucket.
    ///
    /// # Errors
    /// There is none.
    pub fn keys(&self) -> Result<Vec<String>> {
        self.s3.objects(BUCKET)
    }
}
