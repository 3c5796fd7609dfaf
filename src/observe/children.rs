//! The children that exist, as the watches tell; what they lack is asked for by name.

mod exports;
mod ours;
pub(super) mod stores;

use std::sync::Arc;

use gateway_api::{gateways::Gateway, httproutes::HttpRoute};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
};
use kube::{Api, ResourceExt};

use statemachine::pins::{Pins, Store as StoreName};

use self::ours::{jobs, of_parts, ours, pods, readable};
use crate::{
    api::ConvexInstance,
    context::Context,
    plan::{
        Claimed, ClientSettingsPolicy,
        deed::Deed,
        exports::Exports,
        gate::Record,
        labels::{self, Belongs, Part},
        names::Names,
    },
};

/// The children of one instance that exist. Objects of somebody else are not among them, except for a
/// claim, which may be taken over.
#[derive(Clone, Debug, Default)]
pub struct Children {
    /// The store that the data is in, or is meant for.
    pub store: StoreName,
    /// The claims of all stores of this instance, that one's included.
    pub claims: Vec<Claimed>,
    /// What is known of data on a server by the Secret with its keys.
    pub deed: Option<Deed>,
    /// Where exports are kept.
    pub exports: Exports,
    /// What carries data, or has carried some.
    pub jobs: Vec<Arc<Job>>,
    /// Every pod of theirs that is not fully gone.
    pub workers: Vec<Arc<Pod>>,
    /// The record of which backend may open which store.
    pub gate: Option<Arc<ConfigMap>>,
    /// The Service of the backend.
    pub service: Option<Arc<Service>>,
    /// The backend.
    pub stateful_set: Option<Arc<StatefulSet>>,
    /// Every pod of the backend that is not fully gone.
    pub pods: Vec<Arc<Pod>>,
    /// Those of them that lost a label by which the Service leads to them.
    pub unreached: Vec<String>,
    /// The dashboard.
    pub dashboard: Option<Arc<Deployment>>,
    /// The Service of the dashboard.
    pub dashboard_service: Option<Arc<Service>>,
    /// Every pod of the dashboard that is not fully gone.
    pub dashboard_pods: Vec<Arc<Pod>>,
    /// Service accounts that were made for parts.
    pub service_accounts: Vec<Arc<ServiceAccount>>,
    /// Who may open connections to pods.
    pub network_policies: Vec<Arc<NetworkPolicy>>,
    /// How many pods a drain leaves.
    pub budgets: Vec<Arc<PodDisruptionBudget>>,
    /// How the instance is reached from outside.
    pub ingress: Option<Arc<Ingress>>,
    /// A Gateway of its own.
    pub gateway: Option<Arc<Gateway>>,
    /// The routes to its hosts.
    pub routes: Vec<Arc<HttpRoute>>,
    /// What a controller is told of them besides.
    pub policies: Vec<Arc<ClientSettingsPolicy>>,
}

impl Children {
    /// Looks them up.
    ///
    /// # Errors
    /// When the API server does not answer about a claim.
    pub async fn read(
        ctx: &Context,
        instance: &ConvexInstance,
        names: &Names,
        pins: &Pins,
    ) -> kube::Result<Self> {
        let watched = &ctx.stores;
        let gate = ours(&watched.configs, instance, &names.gate());
        let record = gate.as_deref().and_then(Record::of);
        let deed = stores::deed(ctx, instance, names).await?;
        let known = (pins, record.as_ref(), deed.as_ref());
        let (store, claim) = stores::in_use(ctx, instance, names, known).await?;
        let stateful_set = ours(&watched.stateful_sets, instance, &names.backend());
        let jobs = jobs(&watched.jobs, instance);
        let claims = stores::claims(&watched.claims, instance, (&store, claim.as_ref()));
        let claims = stores::with_copy(ctx, instance, names, pins, (&jobs, claims)).await?;
        let backends = Self::backend_pods(ctx, instance, names, (&claim, &stateful_set)).await?;
        Ok(Self {
            claims,
            store,
            deed,
            exports: exports::seen(ctx, instance, names, pins).await?,
            jobs,
            workers: pods(&watched.pods, instance, Part::Worker),
            gate,
            service: ours(&watched.services, instance, &names.backend_service()),
            stateful_set,
            unreached: unreached(instance, &backends),
            pods: backends,
            dashboard: ours(&watched.deployments, instance, &names.dashboard()),
            dashboard_service: ours(&watched.services, instance, &names.dashboard()),
            dashboard_pods: pods(&watched.pods, instance, Part::Dashboard),
            service_accounts: of_parts(&watched.service_accounts, instance, names),
            network_policies: of_parts(&watched.network_policies, instance, names),
            budgets: of_parts(&watched.budgets, instance, names),
            ingress: ours(&watched.ingresses, instance, &names.way_in()),
            gateway: readable(&watched.gateway_api.gateways, instance).pop(),
            routes: readable(&watched.gateway_api.routes, instance),
            policies: readable(&watched.gateway_api.policies, instance),
        })
    }

    /// A pod that lost a label is not watched any more and may well be running: before there is held to be
    /// none, the API server is asked for the one that the `StatefulSet` makes. It is ours where it has our
    /// claim open or our `StatefulSet` has made it.
    async fn backend_pods(
        ctx: &Context,
        instance: &ConvexInstance,
        names: &Names,
        (claim, set): (&Option<Arc<PersistentVolumeClaim>>, &Option<Arc<StatefulSet>>),
    ) -> kube::Result<Vec<Arc<Pod>>> {
        let labelled = pods(&ctx.stores.pods, instance, Part::Backend);
        if !labelled.is_empty() {
            return Ok(labelled);
        }
        let namespace = instance.namespace().unwrap_or_default();
        let api: Api<Pod> = Api::namespaced(ctx.client.clone(), &namespace);
        let found = api.get_opt(&names.backend_pod()).await?;
        let claim =
            claim.as_deref().filter(|it| labels::belongs(instance, &it.metadata) == Belongs::Ours);
        let made_by = set.as_ref().and_then(|it| it.uid());
        let ours = found.filter(|pod| {
            claim.is_some_and(|it| mounts(pod, &it.name_any()))
                || made_by.is_some_and(|uid| pod.owner_references().iter().any(|it| it.uid == uid))
        });
        Ok(ours.map(Arc::new).into_iter().collect())
    }

    /// Whether there is nothing at all, nor anything that is to be taken over.
    #[must_use]
    pub fn are_none(&self) -> bool {
        let objects = [
            !self.claims.is_empty(),
            self.gate.is_some(),
            self.service.is_some(),
            self.stateful_set.is_some(),
            self.dashboard.is_some(),
            self.dashboard_service.is_some(),
            !self.service_accounts.is_empty(),
            !self.network_policies.is_empty(),
            !self.budgets.is_empty(),
            self.ingress.is_some(),
            self.gateway.is_some(),
            !self.routes.is_empty(),
            !self.policies.is_empty(),
        ];
        !objects.contains(&true) && self.pods.is_empty() && self.dashboard_pods.is_empty()
    }

    /// The record of which backend may open which store; none where it cannot be read, which means closed.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        Record::of(self.gate.as_deref()?)
    }

    /// Whether the record carries this fence or a newer one.
    #[must_use]
    pub fn gate_carries(&self, fence: &str) -> bool {
        self.gate.as_deref().is_some_and(|gate| labels::carries(&gate.metadata, fence))
    }

    /// Whether the `StatefulSet` carries this fence or a newer one.
    #[must_use]
    pub fn set_carries(&self, fence: &str) -> bool {
        self.stateful_set.as_deref().is_some_and(|set| labels::carries(&set.metadata, fence))
    }
}

fn unreached(instance: &ConvexInstance, backends: &[Arc<Pod>]) -> Vec<String> {
    let mut wanted = labels::selector(instance, Part::Backend);
    wanted.insert(labels::TRAFFIC.to_owned(), "flows".to_owned());
    let lacks = |pod: &&Arc<Pod>| {
        pod.metadata.deletion_timestamp.is_none()
            && wanted.iter().any(|(key, value)| pod.labels().get(key) != Some(value))
    };
    backends.iter().filter(lacks).map(|pod| pod.name_any()).collect()
}

/// Whether a pod has a claim among its volumes.
pub(super) fn mounts(pod: &Pod, claim: &str) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let mut claims = volumes.filter_map(|it| it.persistent_volume_claim.as_ref());
    claims.any(|it| it.claim_name == claim)
}
