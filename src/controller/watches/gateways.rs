//! Watches of the Gateway API. A cluster may not have it, get it later and lose it again; and most of its objects are
//! somebody else's, who may be ahead of us: one that we cannot read is as if it were not there.

use std::fmt::Debug;

use futures::{Stream, StreamExt, future, stream};
use gateway_api::{gatewayclasses::GatewayClass, gateways::Gateway, httproutes::HttpRoute};
use kube::{
    Api, Resource, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt, reflector,
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::watch::Sender;

use super::{
    Guarded, Loop, Source,
    emptied::until_emptied,
    failures::{Failures, Patience},
    instance_of, is_refused, refusal, seen,
};
use crate::{
    api::{ConvexInstance, Mode},
    context::{GatewayApi, Optional, Presence, served},
    plan::{
        ClientSettingsPolicy,
        labels::{MANAGED_BY, MANAGER},
    },
};

impl Source<'_> {
    /// Watches routes of ours, and Gateways and classes of everybody; what changes is a reason to look at the instances that
    /// rely on it.
    pub(super) fn gateway_api(
        &self,
        controller: &mut Loop,
        instances: &Store<Guarded>,
    ) -> GatewayApi {
        let ours = || watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
        let all = watcher::Config::default;
        let (routes, stream) = optional::<HttpRoute>(self.scoped(), ours());
        with(controller, |it| it.watches_stream(stream, |route| instance_of(&route)));
        let (policies, stream) = optional::<ClientSettingsPolicy>(self.scoped(), ours());
        with(controller, |it| it.watches_stream(stream, |policy| instance_of(&policy)));
        let (gateways, stream) = optional::<Gateway>(self.scoped(), all());
        let known = instances.clone();
        let relying = move |gateway: DeserializeGuard<Gateway>| relying_on(&known, &gateway);
        with(controller, |it| it.watches_stream(stream, relying));
        let (classes, stream) = optional::<GatewayClass>(Api::all(self.client.clone()), all());
        let known = instances.clone();
        with(controller, |it| it.watches_stream(stream, move |_| through_gateways(&known)));
        let namespace = self.namespace.map(str::to_owned);
        GatewayApi { routes, gateways, policies, classes, namespace }
    }

    fn scoped<K>(&self) -> Api<DeserializeGuard<K>>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        match self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }
}

fn with(controller: &mut Loop, more: impl FnOnce(Loop) -> Loop) {
    let without = Loop::for_stream(futures::stream::empty(), reflector::store().0);
    *controller = more(std::mem::replace(controller, without));
}

type Told<K> = Result<DeserializeGuard<K>, watcher::Error>;

fn optional<K>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
) -> (Optional<K>, impl Stream<Item = Told<K>> + Send + 'static + use<K>)
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let (tells, served) = served();
    let mut failures = Failures::of(K::kind(&()).into_owned());
    // A watch that was refused and is let in again tells nothing of it: it is begun anew.
    let begun = move || until_emptied(watcher(api.clone(), config.clone()).boxed()).boxed();
    let stream = stream::repeat_with(begun)
        .flat_map(until_refused)
        .inspect(move |event| match event {
            Err(error) => told::<K>(&tells, error, &mut failures),
            Ok(event) => {
                if matches!(event, watcher::Event::InitDone) {
                    tell::<K>(&tells, Presence::Watched);
                }
                failures.told(event);
            }
        })
        .backoff(Patience::default())
        .reflect(writer)
        .touched_objects();
    (Optional { store, served }, seen(stream).boxed())
}

type Event<K> = Result<watcher::Event<K>, watcher::Error>;

/// Up to a refusal, and that one too; nothing is asked after it.
fn until_refused<K>(watch: impl Stream<Item = Event<K>>) -> impl Stream<Item = Event<K>> {
    let ending = |event: Event<K>| {
        let is_last = event.as_ref().is_err_and(is_refused);
        stream::iter([Some(event)].into_iter().chain(is_last.then_some(None)))
    };
    watch.flat_map(ending).scan((), |(), event| future::ready(event))
}

/// A kind that is not there is nothing to warn of.
fn told<K: Resource<DynamicType = ()>>(
    tells: &Sender<Presence>,
    error: &watcher::Error,
    failures: &mut Failures,
) {
    match refusal(error) {
        Some(404) => tell::<K>(tells, Presence::Missing),
        Some(401 | 403) => tell::<K>(tells, Presence::Refused),
        _ => failures.heed(error),
    }
}

fn tell<K: Resource<DynamicType = ()>>(tells: &Sender<Presence>, presence: Presence) {
    if tells.send_replace(presence) != presence {
        tracing::info!(kind = %K::kind(&()), ?presence, "whether the cluster has a kind that it may lack");
    }
}

/// The instances that name this Gateway, and the one that it is a child of.
fn relying_on(
    instances: &Store<Guarded>,
    gateway: &DeserializeGuard<Gateway>,
) -> Vec<ObjectRef<Guarded>> {
    let (name, namespace) = (gateway.name_any(), gateway.namespace());
    let names = |it: &ConvexInstance| {
        it.spec.networking.parent_refs.iter().any(|parent| {
            parent.name == name && parent.namespace.clone().or_else(|| it.namespace()) == namespace
        })
    };
    let mut relying = those(instances, names);
    relying.extend(instance_of(gateway));
    relying
}

fn through_gateways(instances: &Store<Guarded>) -> Vec<ObjectRef<Guarded>> {
    let through = |it: &ConvexInstance| {
        matches!(it.spec.networking.way_in(), Mode::Shared | Mode::OwnGateway)
    };
    those(instances, through)
}

fn those(
    instances: &Store<Guarded>,
    wanted: impl Fn(&ConvexInstance) -> bool,
) -> Vec<ObjectRef<Guarded>> {
    let all = instances.state();
    let wanted = all.iter().filter(|it| it.0.as_ref().is_ok_and(&wanted));
    wanted.map(|it| ObjectRef::from_obj(&**it)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kube::core::Status;

    use super::*;

    fn failure(code: u16) -> Event<GatewayClass> {
        let status = Status::failure("no", "No").with_code(code).boxed();
        Err(watcher::Error::WatchError(status))
    }

    #[tokio::test]
    async fn a_watch_ends_with_the_refusal_and_asks_nothing_after_it() {
        let asked = AtomicUsize::new(0);
        let events = [Ok(watcher::Event::Init), failure(500), failure(404), failure(404)];
        let watch = stream::iter(events).inspect(|_| {
            asked.fetch_add(1, Ordering::Relaxed);
        });
        let told: Vec<_> = until_refused(watch).collect().await;
        assert_eq!((told.len(), asked.into_inner()), (3, 3));
    }
}
