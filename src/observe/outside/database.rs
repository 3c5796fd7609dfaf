//! What the spec says of its database server.

use rustls_pki_types::{CertificateDer, pem::PemObject};
use statemachine::pins::Store;

use super::{Called, Identity, Reader, value::Holder};
use crate::{
    api::{ConvexInstance, Database, Engine},
    convex::{
        InstanceName,
        database_url::{DatabaseUrl, Encryption, Server, database_of},
    },
    observe::Obstacle,
    plan::{
        deployment,
        outside::{AUTHORITIES, Values, authorities},
    },
};

/// The key of certificate authorities where the spec names none: cert-manager and `CloudNativePG` call it so.
const CA_KEY: &str = "ca.crt";
/// The largest bundle of authorities that is taken: a Secret holds 1 MiB in all.
const LARGEST_CA: usize = 512 * 1024;

/// What the backend is to read, and which database that is.
pub(super) type Wanted = Result<(Values, Option<Identity>), Obstacle>;

impl Reader<'_> {
    /// Reads the Secrets that the spec names.
    pub(super) async fn database(&self, called: &Called<'_>) -> kube::Result<Wanted> {
        let db = &self.instance.spec.backend.db;
        let url = match &db.secret_ref {
            Some(name) => Some(self.secret(name).await?),
            None => None,
        };
        let ca = match &db.ca_secret_ref {
            Some(name) => Some(self.secret(name).await?),
            None => None,
        };
        let name = named(self.instance, &called.keys.deployment, called.used);
        Ok(name.and_then(|database| {
            let (values, url) = values(db, url.as_ref(), ca.as_ref())?;
            Ok((values, Some(Identity::of(&url, &self.namespace, &database))))
        }))
    }
}

/// Which server an engine is.
pub(super) const fn server(engine: Engine) -> Option<Server> {
    match engine {
        Engine::Postgres => Some(Server::Postgres),
        Engine::Mysql => Some(Server::Mysql),
        Engine::Sqlite => None,
    }
}

/// The database that the backend opens, unless the spec means another one.
/// One that an upgrade has made has a name that nobody could have meant.
fn named(
    instance: &ConvexInstance,
    name: &InstanceName,
    store: &Store,
) -> Result<String, Obstacle> {
    let opened = database_of(name);
    let meant = instance.spec.backend.db.database_name.as_ref();
    let meant = meant.filter(|_| !deployment::is_renamed(instance, store));
    let Some(meant) = meant else { return Ok(opened) };
    if *meant == opened {
        return Ok(opened);
    }
    let message = format!(
        "the backend of instance name \"{name}\" opens database \"{opened}\" and no other, and spec.backend.db.databaseName is \"{meant}\". Create the instance anew with spec.backend.instance.name: {meant}, or without databaseName and with a database \"{opened}\" on the server."
    );
    Err(Obstacle::new("DatabaseNameMismatch", message))
}

fn values(
    db: &Database,
    url: Option<&Holder>,
    ca: Option<&Holder>,
) -> Result<(Values, DatabaseUrl), Obstacle> {
    let (holder, key) = url.zip(db.url_key.as_deref()).ok_or_else(unnamed)?;
    let server = server(db.engine).ok_or_else(unnamed)?;
    let required = db.require_ssl.unwrap_or(true);
    let encryption = Encryption { required, authorities: ca.is_some() };
    let url = DatabaseUrl::read(server, holder.text(key)?, encryption)
        .map_err(|error| holder.invalid(key, format!("is not taken: {error}")))?;
    let mut values = Values::default().with(url.variable(), url.expose());
    if !required {
        values = values.with("DO_NOT_REQUIRE_SSL", "true");
    }
    if let Some(ca) = ca {
        let key = db.ca_key.as_deref().unwrap_or(CA_KEY);
        let variable = match server {
            Server::Postgres => "PG_CA_FILE",
            Server::Mysql => "MYSQL_CA_FILE",
        };
        values = values.with(AUTHORITIES, bundle(ca, key)?).with(variable, authorities());
    }
    Ok((values, url))
}

/// The API server refuses a spec without.
fn unnamed() -> Obstacle {
    Obstacle::new(
        "SecretMissing",
        "the spec names no Secret with the URL of the database: set spec.backend.db.secretRef and spec.backend.db.urlKey",
    )
}

/// Certificates as PEM and nothing else: a private key that came along would be handed to a process that has no use for it.
fn bundle<'a>(holder: &'a Holder, key: &str) -> Result<&'a [u8], Obstacle> {
    let bytes = holder.bytes(key)?;
    let invalid = |why: &str| Err(holder.invalid(key, why));
    if bytes.len() > LARGEST_CA {
        return invalid("is larger than 512 KiB, which is no bundle of certificate authorities");
    }
    if bytes.windows(11).any(|it| it == b"PRIVATE KEY") {
        return invalid("holds a private key; name a key that holds certificates only");
    }
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(bytes),
        _ => invalid("is not a certificate in PEM, which begins with -----BEGIN CERTIFICATE-----"),
    }
}

#[cfg(test)]
mod tests;
