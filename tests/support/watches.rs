//! What is watched: the stores that the operator reads, and the hand that fills them.

use convex_operator::{
    context::{GatewayApi, Guarded, Optional, Presence, Stores, served},
    plan::{
        ClientSettingsPolicy,
        labels::{MANAGED_BY, MANAGER},
    },
};
use gateway_api::{gatewayclasses::GatewayClass, gateways::Gateway, httproutes::HttpRoute};
use kube::{
    Resource,
    core::DeserializeGuard,
    runtime::{
        reflector::{store, store::Writer},
        watcher::Event,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::api_server::ApiServer;

/// What is watched, as the writing side sees it.
pub struct Watches {
    instances: Writer<Guarded>,
    claims: Writer<k8s_openapi::api::core::v1::PersistentVolumeClaim>,
    configs: Writer<k8s_openapi::api::core::v1::ConfigMap>,
    services: Writer<k8s_openapi::api::core::v1::Service>,
    stateful_sets: Writer<k8s_openapi::api::apps::v1::StatefulSet>,
    deployments: Writer<k8s_openapi::api::apps::v1::Deployment>,
    pods: Writer<k8s_openapi::api::core::v1::Pod>,
    jobs: Writer<k8s_openapi::api::batch::v1::Job>,
    ingresses: Writer<k8s_openapi::api::networking::v1::Ingress>,
    service_accounts: Writer<k8s_openapi::api::core::v1::ServiceAccount>,
    network_policies: Writer<k8s_openapi::api::networking::v1::NetworkPolicy>,
    budgets: Writer<k8s_openapi::api::policy::v1::PodDisruptionBudget>,
    pub gateway_api: GatewayWatches,
}

pub struct GatewayWatches {
    routes: Writer<DeserializeGuard<HttpRoute>>,
    policies: Writer<DeserializeGuard<ClientSettingsPolicy>>,
    gateways: Writer<DeserializeGuard<Gateway>>,
    classes: Writer<DeserializeGuard<GatewayClass>>,
    pub has: tokio::sync::watch::Sender<Presence>,
    /// The same of Gateways alone.
    pub has_gateways: tokio::sync::watch::Sender<Presence>,
    /// Whether nobody may look at Gateways.
    pub hidden: bool,
}

impl Watches {
    /// The stores of an operator that was just started, and what fills them.
    pub fn of_a_cluster() -> (Stores, Self) {
        let (instances, instances_in) = store();
        let (claims, claims_in) = store();
        let (configs, configs_in) = store();
        let (services, services_in) = store();
        let (stateful_sets, stateful_sets_in) = store();
        let (deployments, deployments_in) = store();
        let (pods, pods_in) = store();
        let (jobs, jobs_in) = store();
        let (ingresses, ingresses_in) = store();
        let (service_accounts, service_accounts_in) = store();
        let (network_policies, network_policies_in) = store();
        let (budgets, budgets_in) = store();
        let (gateway_api, gateway_api_in) = gateway_api();
        let stores = Stores {
            instances,
            claims,
            jobs,
            configs,
            services,
            stateful_sets,
            deployments,
            pods,
            ingresses,
            service_accounts,
            network_policies,
            budgets,
            gateway_api,
        };
        let watches = Self {
            instances: instances_in,
            claims: claims_in,
            configs: configs_in,
            services: services_in,
            stateful_sets: stateful_sets_in,
            deployments: deployments_in,
            pods: pods_in,
            jobs: jobs_in,
            ingresses: ingresses_in,
            service_accounts: service_accounts_in,
            network_policies: network_policies_in,
            budgets: budgets_in,
            gateway_api: gateway_api_in,
        };
        (stores, watches)
    }

    /// They bring everything that there is.
    pub fn bring(&mut self, server: &ApiServer) {
        tell(&mut self.instances, server.all("convexinstances"));
        tell(&mut self.claims, labelled(server, "persistentvolumeclaims"));
        tell(&mut self.configs, labelled(server, "configmaps"));
        tell(&mut self.services, labelled(server, "services"));
        tell(&mut self.stateful_sets, labelled(server, "statefulsets"));
        tell(&mut self.deployments, labelled(server, "deployments"));
        tell(&mut self.pods, labelled(server, "pods"));
        tell(&mut self.jobs, labelled(server, "jobs"));
        tell(&mut self.ingresses, labelled(server, "ingresses"));
        tell(&mut self.service_accounts, labelled(server, "serviceaccounts"));
        tell(&mut self.network_policies, labelled(server, "networkpolicies"));
        tell(&mut self.budgets, labelled(server, "poddisruptionbudgets"));
        tell(&mut self.gateway_api.routes, labelled(server, "httproutes"));
        tell(&mut self.gateway_api.policies, labelled(server, "clientsettingspolicies"));
        let gateways = server.all("gateways");
        let hidden = self.gateway_api.hidden;
        let gateways = gateways.into_iter().filter(|_| !hidden).collect();
        tell(&mut self.gateway_api.gateways, gateways);
        tell(&mut self.gateway_api.classes, server.all("gatewayclasses"));
    }

    /// That of Jobs brings what there is, ahead of all others.
    pub fn bring_jobs(&mut self, server: &ApiServer) {
        tell(&mut self.jobs, labelled(server, "jobs"));
    }
}

/// The Gateway API is installed.
fn gateway_api() -> (GatewayApi, GatewayWatches) {
    let (routes, policies, gateways, classes) = (store(), store(), store(), store());
    let ((has, served_all), (has_gateways, gateways_served)) = (served(), served());
    has.send_replace(Presence::Watched);
    has_gateways.send_replace(Presence::Watched);
    let watches = GatewayWatches {
        routes: routes.1,
        policies: policies.1,
        gateways: gateways.1,
        classes: classes.1,
        has,
        has_gateways,
        hidden: false,
    };
    let api = GatewayApi {
        routes: Optional { store: routes.0, served: served_all.clone() },
        policies: Optional { store: policies.0, served: served_all.clone() },
        gateways: Optional { store: gateways.0, served: gateways_served },
        classes: Optional { store: classes.0, served: served_all },
        namespace: None,
    };
    (api, watches)
}

fn labelled(server: &ApiServer, plural: &str) -> Vec<Value> {
    let ours = |it: &Value| it["metadata"]["labels"][MANAGED_BY] == MANAGER;
    server.all(plural).into_iter().filter(ours).collect()
}

fn tell<K>(writer: &mut Writer<K>, objects: Vec<Value>)
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + 'static,
{
    writer.apply_watcher_event(&Event::Init);
    for object in objects {
        writer.apply_watcher_event(&Event::InitApply(serde_json::from_value(object).unwrap()));
    }
    writer.apply_watcher_event(&Event::InitDone);
}
