//! What every pass has at hand: the client, what was watched, and the little that is remembered.

mod guarded;
mod memory;
mod optional;

use gateway_api::{gatewayclasses::GatewayClass, gateways::Gateway, httproutes::HttpRoute};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};
use kube::{Client, runtime::reflector::Store};

pub use self::{
    guarded::{Guarded, Undecoded},
    memory::{Heard, Memory, Span},
    optional::{Optional, Presence, Served, served},
};
use crate::{events::Announcer, plan::ClientSettingsPolicy, retry::Backoffs};

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
    pub instances: Store<Guarded>,
    /// Claims with data.
    pub claims: Store<PersistentVolumeClaim>,
    /// What carries data for upgrades.
    pub jobs: Store<Job>,
    /// Records of which backend may open which store.
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
