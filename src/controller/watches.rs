//! What is watched: every instance, and every child that carries our label, each once.

mod emptied;
mod failures;
mod gateways;

use std::{fmt::Debug, hash::Hash};

use futures::{Stream, StreamExt, future};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Service, ServiceAccount},
        networking::v1::{Ingress, NetworkPolicy},
        policy::v1::PodDisruptionBudget,
    },
};
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        Controller, WatchStreamExt, reflector,
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;

use self::failures::{Failures, Patience};
use crate::{
    context::{Guarded, Stores},
    plan::labels::{INSTANCE, MANAGED_BY, MANAGER},
    readiness,
};

type Loop = Controller<Guarded>;

/// The loop over everything that is watched, and what it has seen.
pub(super) struct Watches {
    /// What was seen.
    pub(super) stores: Stores,
    controller: Loop,
}

impl Watches {
    /// Begins to watch one namespace, or all of them.
    pub(super) fn start(client: &Client, namespace: Option<&str>) -> Self {
        let source = Source { client, namespace };
        let (instances, stream) = source.reflect::<Guarded>(watcher::Config::default());
        let mut controller = Controller::for_stream(stream, instances.clone());
        let stores = Stores {
            claims: source.children::<PersistentVolumeClaim>(&mut controller),
            jobs: source.children::<Job>(&mut controller),
            configs: source.children::<ConfigMap>(&mut controller),
            services: source.children::<Service>(&mut controller),
            stateful_sets: source.children::<StatefulSet>(&mut controller),
            deployments: source.children::<Deployment>(&mut controller),
            pods: source.children::<Pod>(&mut controller),
            ingresses: source.children::<Ingress>(&mut controller),
            service_accounts: source.children::<ServiceAccount>(&mut controller),
            network_policies: source.children::<NetworkPolicy>(&mut controller),
            budgets: source.children::<PodDisruptionBudget>(&mut controller),
            gateway_api: source.gateway_api(&mut controller, &instances),
            instances,
        };
        Self { stores, controller }
    }

    pub(super) fn into_controller(self) -> Loop {
        self.controller
    }
}

struct Source<'a> {
    client: &'a Client,
    namespace: Option<&'a str>,
}

impl Source<'_> {
    /// Watches the children of one kind; a change of one is a reason to look at the instance that its
    /// label names.
    fn children<K>(&self, controller: &mut Loop) -> Store<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + Debug
            + Send
            + Sync
            + 'static,
    {
        let ours = watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
        let (store, stream) = self.reflect::<K>(ours);
        let without = Controller::for_stream(futures::stream::empty(), reflector::store().0);
        let with = std::mem::replace(controller, without);
        *controller = with.watches_stream(stream, |child: K| instance_of(&child));
        store
    }

    fn reflect<K>(
        &self,
        config: watcher::Config,
    ) -> (Store<K>, impl Stream<Item = Result<K, watcher::Error>> + Send + 'static + use<K>)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + DeserializeOwned
            + Clone
            + Debug
            + Send
            + Sync
            + 'static,
        K::DynamicType: Hash + Eq,
    {
        let api: Api<K> = match self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let (reader, writer) = reflector::store();
        readiness::watches(&K::kind(&()));
        let mut failures = Failures::of(K::kind(&()).into_owned());
        let stream = watcher(api, config)
            .inspect(move |event| match event {
                Err(error) => failures.heed(error),
                Ok(event) => {
                    if matches!(event, watcher::Event::InitDone) {
                        readiness::listed(&K::kind(&()));
                    }
                    failures.told(event);
                }
            })
            .backoff(Patience::default())
            .reflect(writer)
            .touched_objects();
        (reader, seen(stream).boxed())
    }
}

/// What a watch has seen. Its failures are told and waited after where it is made: the controller would hold all watches up for
/// one that fails, and longer from time to time (`Controller::trigger_backoff` of kube-runtime).
fn seen<K>(
    watch: impl Stream<Item = Result<K, watcher::Error>>,
) -> impl Stream<Item = Result<K, watcher::Error>> {
    watch.filter(|it| future::ready(it.is_ok()))
}

fn instance_of(child: &impl Resource) -> Option<ObjectRef<Guarded>> {
    let name = child.labels().get(INSTANCE)?;
    Some(ObjectRef::new(name).within(&child.namespace()?))
}

fn is_refused(error: &watcher::Error) -> bool {
    matches!(refusal(error), Some(401 | 403 | 404))
}

/// What the API server answered.
fn refusal(error: &watcher::Error) -> Option<u16> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status.code),
        _ => None,
    }
}

/// Waits until every watch has told what there is: a child that is not known yet is not a child that is
/// missing. False where a watch has ended before, because the operator is being stopped.
pub(super) async fn complete(stores: &Stores) -> bool {
    let lists = futures::try_join!(
        stores.claims.wait_until_ready(),
        stores.jobs.wait_until_ready(),
        stores.configs.wait_until_ready(),
        stores.services.wait_until_ready(),
        stores.stateful_sets.wait_until_ready(),
        stores.deployments.wait_until_ready(),
        stores.pods.wait_until_ready(),
        stores.ingresses.wait_until_ready(),
        stores.service_accounts.wait_until_ready(),
        stores.network_policies.wait_until_ready(),
        stores.budgets.wait_until_ready(),
    );
    lists.is_ok() && stores.gateway_api.is_known().await
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_watch_that_fails_holds_no_other_up() {
        let all = [Ok(1), Err(watcher::Error::NoResourceVersion), Ok(2)];
        let seen: Vec<_> = seen(stream::iter(all)).map(Result::unwrap).collect().await;
        assert_eq!(seen, [1, 2]);
    }
}
