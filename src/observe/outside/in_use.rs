//! Whose a database is. Convex has no way to wait for one: of two backends the last that starts takes it from the other, and
//! both would go on taking it from each other.
//!
//! Nothing is published for that. Which database an instance has is in the Secret of ours that its backend reads; those of
//! instances that would open a database of the same name are read by name, in the moment in which another one asks for it.

use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Secret};
use kube::{Api, Resource, ResourceExt, runtime::reflector::ObjectRef};

use statemachine::Phase;

use super::{Reader, database::server};
use crate::{
    api::{ConditionStatus, ConvexInstance, Database},
    context::Guarded,
    convex::{
        InstanceName,
        database_url::{DatabaseUrl, Encryption, Server as Engine, database_of},
    },
    observe::{Obstacle, age, phase, uid},
    plan::{
        backend::CONTAINER,
        labels,
        names::Names,
        outside::{Server, Values},
        secrets::INSTANCE_NAME,
    },
};

const IN_USE: &str = "DatabaseInUse";

/// A database, wherever it is asked for from. It says nothing of who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    variable: &'static str,
    host: String,
    port: String,
    database: String,
}

impl Identity {
    /// The database of this name on the server of a URL that is used in a namespace.
    #[must_use]
    pub fn of(url: &DatabaseUrl, namespace: &str, database: &str) -> Self {
        let address = url.address();
        let (host, port) = address.rsplit_once(':').unwrap_or((&address, ""));
        Self {
            variable: url.variable(),
            host: anywhere(host, namespace),
            port: port.to_owned(),
            database: database.to_owned(),
        }
    }
}

/// A host as every namespace would have to spell it: the names of one Service are one.
fn anywhere(host: &str, namespace: &str) -> String {
    let host = host.trim_end_matches('.');
    let labels: Vec<_> = host.split('.').collect();
    // NAME.NAMESPACE.svc, or a pod of it: POD.NAME.NAMESPACE.svc. Elsewhere the word means something else.
    let service = [2, 3].into_iter().find(|at| labels.get(*at) == Some(&"svc"));
    match service {
        Some(at) => labels[..at].join("."),
        None if host.contains(['.', ':']) => host.to_owned(),
        None => format!("{host}.{namespace}"),
    }
}

/// Another instance.
struct Other {
    namespace: String,
    name: String,
    uid: String,
    /// What it says of its database, where it is older than whoever asks.
    elder: Option<Database>,
}

impl Reader<'_> {
    /// Why this database is not to be opened: another instance has it. What a backend was given already is not asked for again.
    pub(super) async fn taken(
        &self,
        identity: &Identity,
        given: bool,
    ) -> kube::Result<Option<Obstacle>> {
        let own = uid(self.instance);
        if given {
            self.ctx.memory.has(&own, identity);
            return Ok(None);
        }
        for other in self.others(&identity.database) {
            let opens = self.opens(&other, &identity.database).await?;
            let has = match opens {
                None => self.wants(&other, &identity.database).await?,
                opens => opens,
            };
            if has.as_ref() == Some(identity) {
                self.ctx.memory.leaves(&own);
                return Ok(Some(self.told(Some(&other))));
            }
        }
        let all = self.ctx.stores.instances.state();
        self.ctx.memory.frees(|of| all.iter().any(|it| it.meta().uid.as_deref() == Some(of)));
        // Of two that ask at once, while neither is known to be the older, the first one gets it.
        let gets = self.ctx.memory.takes(&own, identity);
        Ok((!gets).then(|| self.told(None)))
    }

    /// Whether what the backend was given leads to this database, by whatever user and password.
    pub(super) fn has(&self, given: &Values, identity: &Identity) -> bool {
        let given = url(given).map(|url| Identity::of(&url, &self.namespace, &identity.database));
        given.as_ref() == Some(identity)
    }

    /// Who might have a database of this name.
    fn others(&self, database: &str) -> Vec<Other> {
        let own = uid(self.instance);
        let all = self.ctx.stores.instances.state();
        let others = all.iter().filter(|it| {
            let meta = it.meta();
            let server = it.0.as_ref().map_or(true, |it| it.spec.backend.db.is_server());
            let has = || self.databases_of(it).iter().any(|it| it == database);
            server && meta.uid.as_ref() != Some(&own) && has()
        });
        let named = others.filter_map(|it| {
            let meta = it.meta().clone();
            let elder = age(&meta) < age(self.instance.meta()) && meta.deletion_timestamp.is_none();
            let elder = it.0.as_ref().ok().filter(|it| elder && is_on_its_way(it));
            let elder = elder.map(|it| it.spec.backend.db.clone());
            Some(Other { namespace: meta.namespace?, name: meta.name?, uid: meta.uid?, elder })
        });
        named.collect()
    }

    /// What the databases of an instance are called: by the environment of its backend, or where that is not made yet by its
    /// spec; and by what its upgrades have left, which is its way back.
    fn databases_of(&self, of: &Guarded) -> Vec<String> {
        let meta = of.meta();
        let name = meta.name.clone().unwrap_or_default();
        let namespace = meta.namespace.clone().unwrap_or_default();
        let set = ObjectRef::new(&Names::of(&name).backend()).within(&namespace);
        let set = self.ctx.stores.stateful_sets.get(&set);
        let moved = set.as_deref().and_then(|it| it.annotations().get(labels::INSTANCE_NAME));
        let told = set.as_deref().filter(|_| moved.is_none()).and_then(deployment_of);
        let instance = of.0.as_ref().ok();
        let spec = || instance.and_then(|it| it.spec.backend.instance.name.clone());
        let first = told.or_else(spec).unwrap_or(name);
        let status = instance.and_then(|it| it.status.as_ref());
        let left = status.into_iter().flat_map(|it| it.stores.iter().map(|it| it.database.clone()));
        let all = moved.into_iter().cloned().chain([first]);
        let databases = all.map(|it| InstanceName::parse(&it).map_or(it, |it| database_of(&it)));
        databases.chain(left.flatten()).collect()
    }

    /// The database that the backend of another instance was given.
    async fn opens(&self, other: &Other, database: &str) -> kube::Result<Option<Identity>> {
        let secrets: Api<Secret> = Api::namespaced(self.ctx.client.clone(), &other.namespace);
        let name = Server::Database.secret(&Names::of(&other.name));
        let found = secrets.get_opt(&name).await?;
        let owned = |it: &Secret| it.owner_references().iter().any(|owner| owner.uid == other.uid);
        let Some(secret) = found.filter(owned) else { return Ok(None) };
        let values = Values::of(Server::Database, &secret);
        Ok(url(&values).map(|url| Identity::of(&url, &other.namespace, database)))
    }

    /// The database that an older instance is about to be given: what its Secret leads to, where that is of use.
    async fn wants(&self, other: &Other, database: &str) -> kube::Result<Option<Identity>> {
        let Some(db) = &other.elder else { return Ok(None) };
        let named = db.secret_ref.as_deref().zip(db.url_key.as_deref());
        let Some((name, key)) = named else { return Ok(None) };
        let of =
            Reader { ctx: self.ctx, instance: self.instance, namespace: other.namespace.clone() };
        let holder = of.secret(name).await?;
        let encryption = Encryption { required: false, authorities: false };
        let url = server(db.engine).zip(holder.text(key).ok());
        let url = url.and_then(|(engine, text)| DatabaseUrl::read(engine, text, encryption).ok());
        Ok(url.map(|url| Identity::of(&url, &other.namespace, database)))
    }

    fn is_told(&self) -> bool {
        let status = self.instance.status.iter();
        status.flat_map(|it| &it.conditions).any(|it| it.reason == IN_USE)
    }

    fn told(&self, by: Option<&Other>) -> Obstacle {
        let whose = whose(by, &self.namespace);
        // Whose it is may be said in the log alone, once: the status says the rest for as long as it lasts.
        if let Some(by) = by.filter(|_| !self.is_told()) {
            let instance = self.instance.name_any();
            let (namespace, by) = (&self.namespace, format!("{}/{}", by.namespace, by.name));
            tracing::info!(namespace, instance, by, "a database is in use by another instance");
        }
        let db = &self.instance.spec.backend.db;
        let (secret, key) = (db.secret_ref.as_deref(), db.url_key.as_deref());
        Obstacle::new(
            IN_USE,
            format!(
                "the database that Secret \"{}\", key \"{}\" leads to is that of {whose}, which has it or is the older one, and keeps it; two backends on one database would take it from each other without end. Lead to another server, create the instance anew with another spec.backend.instance.name, or delete the other one. Looking again within 30 s.",
                secret.unwrap_or_default(),
                key.unwrap_or_default()
            ),
        )
    }
}

/// Whether nothing but another one that has its database keeps it from being given that. One that waits for something else, or is
/// left as it is, would keep everybody else waiting as well.
fn is_on_its_way(instance: &ConvexInstance) -> bool {
    let conditions = instance.status.iter().flat_map(|it| &it.conditions);
    let mut waits =
        conditions.filter(|it| it.type_ == "Ready" && it.status == ConditionStatus::False);
    let paused = labels::is_paused(instance);
    !paused && (phase(instance) != Phase::Pending || waits.all(|it| it.reason == IN_USE))
}

/// Who is not of this namespace is not named in it.
fn whose(by: Option<&Other>, namespace: &str) -> String {
    by.filter(|it| it.namespace == namespace).map_or_else(
        || "another ConvexInstance".to_owned(),
        |it| format!("ConvexInstance \"{}\"", it.name),
    )
}

/// The name of the deployment that a backend opens.
fn deployment_of(set: &StatefulSet) -> Option<String> {
    let containers = &set.spec.as_ref()?.template.spec.as_ref()?.containers;
    let backend = containers.iter().find(|it| it.name == CONTAINER)?;
    let named = backend.env.iter().flatten().find(|it| it.name == INSTANCE_NAME)?;
    named.value.clone()
}

fn url(values: &Values) -> Option<DatabaseUrl> {
    let encryption = Encryption { required: true, authorities: false };
    let of = |engine: Engine, key: &str| {
        let text = std::str::from_utf8(values.get(key)?).ok()?;
        DatabaseUrl::read(engine, text, encryption).ok()
    };
    of(Engine::Postgres, "POSTGRES_URL").or_else(|| of(Engine::Mysql, "MYSQL_URL"))
}

#[cfg(test)]
mod tests;
