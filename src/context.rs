//! What every pass has at hand: the client, what was watched, and the little that is remembered.

mod optional;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use gateway_api::{gatewayclasses::GatewayClass, gateways::Gateway, httproutes::HttpRoute};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};
use kube::{Client, core::DeserializeGuard, runtime::reflector::Store};

pub use self::optional::{Optional, Presence, Served, served};
use crate::{
    api::ConvexInstance,
    convex::Migrations,
    events::Announcer,
    observe::{Answer, Identity},
    plan::ClientSettingsPolicy,
    retry::Backoffs,
};

/// What every pass has at hand.
pub struct Context {
    /// The one client; every call has a timeout, and at most 32 are in flight.
    pub client: Client,
    /// What the operator was told at its start.
    pub settings: Settings,
    /// What is watched.
    pub stores: Stores,
    /// Writes Events.
    pub announcer: Announcer,
    /// What is remembered between passes, and can be lost.
    pub memory: Memory,
    /// How long to wait after errors, by instance.
    pub backoffs: Backoffs,
}

impl Context {
    /// Forgets an instance that is gone.
    pub fn forget(&self, uid: &str) {
        self.memory.forget(uid);
        self.announcer.forget(uid);
        self.backoffs.reset(uid);
    }
}

/// What the operator was told at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespace that the operator itself runs in.
    pub namespace: String,
    /// The repository of backend images, without a tag.
    pub backend_repository: String,
    /// The repository of dashboard images, without a tag.
    pub dashboard_repository: String,
    /// The operator's own image, from which gates and workers run.
    pub worker_image: String,
    /// How many upgrades may be under way at a time; 0 for any number.
    pub max_concurrent_upgrades: usize,
}

/// What is watched: the instances, and the children that carry our label.
#[derive(Clone)]
pub struct Stores {
    /// Every instance, readable or not.
    pub instances: Store<DeserializeGuard<ConvexInstance>>,
    /// Claims with data.
    pub claims: Store<PersistentVolumeClaim>,
    /// What carries data for upgrades.
    pub jobs: Store<Job>,
    /// Environments of backends.
    pub configs: Store<ConfigMap>,
    /// Services of both parts.
    pub services: Store<Service>,
    /// Backends.
    pub stateful_sets: Store<StatefulSet>,
    /// Dashboards.
    pub deployments: Store<Deployment>,
    /// Pods of both parts.
    pub pods: Store<Pod>,
    /// Ways in from outside.
    pub ingresses: Store<Ingress>,
    /// Service accounts of both parts.
    pub service_accounts: Store<ServiceAccount>,
    /// Who may open connections to pods of both parts.
    pub network_policies: Store<NetworkPolicy>,
    /// How many pods of both parts a drain leaves.
    pub budgets: Store<PodDisruptionBudget>,
    /// What there is of the Gateway API.
    pub gateway_api: GatewayApi,
}

/// What is seen of the Gateway API.
#[derive(Clone)]
pub struct GatewayApi {
    /// Routes of ours.
    pub routes: Optional<HttpRoute>,
    /// Every Gateway, most of them somebody else's.
    pub gateways: Optional<Gateway>,
    /// What a controller is told of routes of ours besides.
    pub policies: Optional<ClientSettingsPolicy>,
    /// Every class.
    pub classes: Optional<GatewayClass>,
    /// The one namespace that is looked at; none where all are.
    pub namespace: Option<String>,
}

impl GatewayApi {
    /// Waits until it is known what there is. False where a watch has ended before.
    pub async fn is_known(&self) -> bool {
        self.routes.served.is_known().await
            && self.gateways.served.is_known().await
            && self.policies.served.is_known().await
            && self.classes.served.is_known().await
    }
}

/// How long the watch may take to bring what we wrote ourselves.
const NEWS: Duration = Duration::from_secs(5);

/// What the log of a container said of migrations, and when it was read.
pub type Heard = (Migrations, Instant);

/// What is remembered between passes. Losing it costs a few questions, and starts graces anew.
#[derive(Default)]
pub struct Memory {
    answers: Mutex<HashMap<String, (String, Answer)>>,
    heard: Mutex<HashMap<String, (String, Heard)>>,
    since: Mutex<HashMap<(String, Span), Instant>>,
    written: Mutex<HashMap<String, (u64, Instant)>>,
    databases: Mutex<HashMap<String, Identity>>,
}

/// What lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// The backend of an instance is away.
    Away,
    /// No attempt to migrate has succeeded since one failed.
    MigrationFailed,
    /// The API server fails to write a child.
    Failing,
    /// The backend of an instance answers badly.
    Unanswered,
    /// A deployment does not do what it is asked for.
    Unasked,
    /// A pod is asked for and there is none.
    Unmade,
    /// The target of an upgrade serves and is not migrated.
    Unmigrated,
    /// The image of an upgrade cannot be pulled.
    Unproven,
    /// A status that differs from the written one, and is not urgent.
    Unwritten,
    /// A worker failed, and another one is to take its place.
    WorkerFailed,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// What this container said before.
    #[must_use]
    pub fn answer(&self, instance: &str, container: &str) -> Option<Answer> {
        let answers = locked(&self.answers);
        answers.get(instance).filter(|(of, _)| of == container).map(|(_, answer)| answer.clone())
    }

    /// Remembers what a container said.
    pub fn remember(&self, instance: &str, container: &str, answer: Answer) {
        locked(&self.answers).insert(instance.to_owned(), (container.to_owned(), answer));
    }

    /// What was heard of the migrations of this container before.
    #[must_use]
    pub fn heard(&self, instance: &str, container: &str) -> Option<Heard> {
        let heard = locked(&self.heard);
        heard.get(instance).filter(|(of, _)| of == container).map(|(_, heard)| heard.clone())
    }

    /// Remembers what was heard of the migrations of a container.
    pub fn hear(&self, instance: &str, container: &str, heard: Heard) {
        locked(&self.heard).insert(instance.to_owned(), (container.to_owned(), heard));
    }

    /// Remembers that an instance has this database.
    pub fn has(&self, instance: &str, database: &Identity) {
        locked(&self.databases).insert(instance.to_owned(), database.clone());
    }

    /// The same where no other instance has it. Of two that ask at the same time, one is told no.
    #[must_use]
    pub fn takes(&self, instance: &str, database: &Identity) -> bool {
        let mut databases = locked(&self.databases);
        let taken = databases.iter().any(|(by, it)| by != instance && it == database);
        if !taken {
            databases.insert(instance.to_owned(), database.clone());
        }
        !taken
    }

    /// How long something has lasted: from the first pass that found it so without a break.
    #[must_use]
    pub fn lasted(&self, instance: &str, span: Span, lasts: bool) -> Option<Duration> {
        let mut since = locked(&self.since);
        let key = (instance.to_owned(), span);
        if !lasts {
            since.remove(&key);
            return None;
        }
        Some(since.entry(key).or_insert_with(Instant::now).elapsed())
    }

    /// Remembers the resourceVersion that we gave an instance, or a child, by writing to it.
    pub fn wrote(&self, object: &str, revision: Option<&str>) {
        if let Some(revision) = revision.and_then(|it| it.parse().ok()) {
            let mut written = locked(&self.written);
            written.retain(|_, (_, when)| when.elapsed() < NEWS);
            written.insert(object.to_owned(), (revision, Instant::now()));
        }
    }

    /// Whether this is an object as it was before we last wrote to it: the watch is about to bring the
    /// news. Only for a few seconds: after a restore of etcd an older resourceVersion is the newest there is,
    /// and what is skipped wrongly would be refused by the API server anyway.
    #[must_use]
    pub fn is_outdated(&self, object: &str, revision: Option<&str>) -> bool {
        let revision: Option<u64> = revision.and_then(|it| it.parse().ok());
        let written = locked(&self.written).get(object).copied();
        revision.is_some_and(|it| {
            written.is_some_and(|(written, when)| it < written && when.elapsed() < NEWS)
        })
    }

    /// Forgets an instance that is gone.
    pub fn forget(&self, instance: &str) {
        locked(&self.answers).remove(instance);
        locked(&self.heard).remove(instance);
        locked(&self.written).remove(instance);
        locked(&self.databases).remove(instance);
        locked(&self.since).retain(|(of, _), _| of != instance);
    }
}
