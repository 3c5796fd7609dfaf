//! What is known of servers outside: what the Secrets of users say of them, and what the backend was given.
//!
//! Users' Secrets are read by name when a pass needs them. What they say is taken up while no upgrade is under way; where they
//! are missing or spoilt, and during an upgrade, the backend keeps what it was given, which is in Secrets of ours.

mod database;
mod hidden;
mod in_use;
mod kept;
mod storage;
mod value;

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use statemachine::pins::Store;

pub(in crate::observe) use self::hidden::Hidden;
pub use self::in_use::Identity;
use self::kept::Kept;
use super::{Keys, Obstacle, keys::Asked};
use crate::{
    api::ConvexInstance,
    context::Context,
    convex::InstanceName,
    plan::{
        deployment,
        labels::{self, Belongs},
        names::Names,
        outside::{Server, Settings, Values},
    },
};

/// What is known of servers outside.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// What the backend is to read; none where it cannot be had.
    pub settings: Option<Settings>,
    /// What is wrong with a Secret or a `ConfigMap` that the spec names.
    pub unread: Option<Obstacle>,
    /// Why the database that the spec names is not to be opened.
    pub taken: Option<Obstacle>,
    /// Whether something has changed that is not taken up before the upgrade is over.
    pub waits: bool,
    kept: Vec<Kept>,
}

impl Outside {
    /// No server outside is asked for.
    #[must_use]
    pub fn nothing() -> Self {
        Self::reading(Settings::new())
    }

    /// The backend is to read exactly this.
    #[must_use]
    pub fn reading(settings: Settings) -> Self {
        Self { settings: Some(settings), ..Self::default() }
    }

    /// What the backend was given of a server, or else is to be.
    #[must_use]
    pub fn given(&self, server: Server) -> Option<Values> {
        let kept = self.kept.iter().find(|it| it.0 == server);
        let wanted = || self.settings.as_ref()?.get(&server).cloned();
        kept.map(|it| Values::of(server, &it.1)).or_else(wanted)
    }

    /// What is in the way, the first of it.
    #[must_use]
    pub fn obstacle(&self) -> Option<&Obstacle> {
        self.unread.as_ref().or(self.taken.as_ref())
    }

    /// Our Secret of this name, as it was found.
    #[must_use]
    pub fn kept(&self, name: &str) -> Option<Arc<Secret>> {
        self.kept.iter().find(|it| it.1.name_any() == name).map(|it| it.1.clone())
    }

    /// The names of our Secrets that are there.
    pub fn stored(&self) -> impl Iterator<Item = String> {
        self.kept.iter().map(|it| it.1.name_any())
    }

    /// The same during an upgrade: what the backend was given counts, whatever has changed since.
    #[must_use]
    pub fn unmoved(mut self) -> Self {
        for Kept(server, secret) in &self.kept {
            let given = Values::of(*server, secret);
            if let Some(settings) = &mut self.settings {
                let wanted = settings.insert(*server, given.clone());
                self.waits |= wanted.is_some_and(|it| it != given);
            }
        }
        self
    }
}

/// Looks at what the spec names, where it names something.
pub(super) async fn read(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    keys: Option<&Keys>,
    stores: Asked<'_>,
) -> kube::Result<Outside> {
    let spec = &instance.spec.backend;
    let asked = [(Server::Database, spec.db.is_server()), (Server::Storage, spec.s3.enabled)];
    let asked: Vec<_> = asked.into_iter().filter(|it| it.1).map(|it| it.0).collect();
    // Without keys nothing is built, and the database has no name.
    let Some(keys) = keys else { return Ok(Outside::default()) };
    let own = stores.own.iter().map(|it| deployment::name(instance, &keys.name, it));
    let called = Called { keys, used: stores.used, own: own.collect() };
    let reader = Reader { ctx, instance, namespace: instance.namespace().unwrap_or_default() };
    let mut outside = Outside::nothing();
    for server in asked {
        let one = reader.one(server, names, &called).await?;
        outside.settings = outside.settings.zip(one.settings).map(|(mut all, one)| {
            all.extend(one);
            all
        });
        outside.unread = outside.unread.or(one.unread);
        outside.taken = outside.taken.or(one.taken);
        outside.kept.extend(one.kept);
    }
    Ok(outside)
}

/// How the deployments are called that are the instance's.
struct Called<'a> {
    keys: &'a Keys,
    used: &'a Store,
    own: Vec<InstanceName>,
}

struct Reader<'a> {
    ctx: &'a Context,
    instance: &'a ConvexInstance,
    namespace: String,
}

impl Reader<'_> {
    async fn one(
        &self,
        server: Server,
        names: &Names,
        called: &Called<'_>,
    ) -> kube::Result<Outside> {
        let name = server.secret(names);
        let found = self.get::<Secret>(&name).await?;
        let is_ours = |it: &Secret| labels::belongs(self.instance, &it.metadata) == Belongs::Ours;
        if found.as_ref().is_some_and(|it| !is_ours(it)) {
            let unread = Some(Obstacle::conflict("Secret", &name));
            return Ok(Outside { unread, ..Outside::default() });
        }
        let kept = found.map(|it| Kept(server, Arc::new(it)));
        if let Some(unread) = kept.as_ref().and_then(|it| it.renamed(called)) {
            let kept = kept.into_iter().collect();
            return Ok(Outside { unread: Some(unread), kept, ..Outside::default() });
        }
        let given = kept.as_ref().map(|it| Values::of(server, &it.1));
        let opened = kept.as_ref().is_some_and(|it| it.is_of(&called.keys.deployment));
        let wanted = match server {
            Server::Database => self.database(called).await?,
            Server::Storage => self.storage().await?.map(|values| (values, None)),
        };
        let mut outside = match wanted {
            Ok((values, identity)) => self.admitted((given, opened), values, identity).await?,
            Err(unread) => given_up(server, given, unread),
        };
        outside.kept.extend(kept);
        Ok(outside)
    }

    /// What is wanted, unless it is a database that another instance has.
    async fn admitted(
        &self,
        (given, opened): (Option<Values>, bool),
        wanted: Values,
        identity: Option<Identity>,
    ) -> kube::Result<Outside> {
        let Some(identity) = identity else {
            return Ok(Outside::reading(Settings::from([(Server::Storage, wanted)])));
        };
        let known = opened && given.as_ref().is_some_and(|it| self.has(it, &identity));
        let taken = self.taken(&identity, known).await?;
        // What was given under another name is no leave to open the database of this one.
        let kept = given.filter(|_| opened);
        let counts = if taken.is_some() { kept } else { Some(wanted) };
        let settings = counts.map(|it| Settings::from([(Server::Database, it)]));
        Ok(Outside { settings, taken, ..Outside::default() })
    }

    async fn get<K>(&self, name: &str) -> kube::Result<Option<K>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        Api::namespaced(self.ctx.client.clone(), &self.namespace).get_opt(name).await
    }

    async fn secret(&self, name: &str) -> kube::Result<value::Holder> {
        let data = self.get::<Secret>(name).await?.map(|it| it.data.unwrap_or_default());
        let bytes = data.map(|it| it.into_iter().map(|(key, value)| (key, value.0)).collect());
        Ok(value::Holder::new("Secret", name, &self.namespace, bytes))
    }

    async fn config(&self, name: &str) -> kube::Result<value::Holder> {
        let data = self.get::<ConfigMap>(name).await?.map(|it| it.data.unwrap_or_default());
        let bytes: Option<BTreeMap<_, _>> =
            data.map(|it| it.into_iter().map(|(key, value)| (key, value.into_bytes())).collect());
        Ok(value::Holder::new("ConfigMap", name, &self.namespace, bytes))
    }
}

/// Nothing new can be had: what the backend was given stays, where it was given something.
fn given_up(server: Server, given: Option<Values>, unread: Obstacle) -> Outside {
    let settings = given.map(|it| Settings::from([(server, it)]));
    Outside { settings, unread: Some(unread), ..Outside::default() }
}

#[cfg(test)]
mod tests;
