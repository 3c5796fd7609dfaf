//! One operator, one API server and one backend, moved by hand: nothing happens between two lines of
//! a test.

use std::sync::Arc;

use convex_operator::{
    context::{Context, GatewayApi, Guarded, Memory, Optional, Presence, Settings, Stores, served},
    controller,
    error::Error,
    events::Announcer,
    plan::{
        ClientSettingsPolicy,
        labels::{MANAGED_BY, MANAGER},
    },
    retry::Backoffs,
};
use gateway_api::{gatewayclasses::GatewayClass, gateways::Gateway, httproutes::HttpRoute};
use kube::{
    Resource,
    core::DeserializeGuard,
    runtime::{
        controller::Action,
        events::Reporter,
        reflector::{store, store::Writer},
        watcher::Event,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{api_server::ApiServer, backend::Backend, settle};

/// What is watched, as the writing side sees it.
struct Watches {
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
    gateway_api: GatewayWatches,
}

struct GatewayWatches {
    routes: Writer<DeserializeGuard<HttpRoute>>,
    policies: Writer<DeserializeGuard<ClientSettingsPolicy>>,
    gateways: Writer<DeserializeGuard<Gateway>>,
    classes: Writer<DeserializeGuard<GatewayClass>>,
    has: tokio::sync::watch::Sender<Presence>,
    hidden: bool,
}

/// The operator under test and its surroundings.
pub struct Rig {
    pub server: ApiServer,
    pub backend: Backend,
    context: Arc<Context>,
    watches: Mutex<Watches>,
}

impl Rig {
    /// An operator on an empty cluster.
    pub async fn new() -> Self {
        let server = ApiServer::default();
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "standard"}, "provisioner": "none"});
        server.put("storageclasses", class);
        let (context, watches) = operator(&server);
        let backend = Backend::answering("v1").await;
        Self { server, backend, context, watches: Mutex::new(watches) }
    }

    /// An operator on a cluster where this was applied.
    pub async fn with(instance: Value) -> Self {
        let rig = Self::new().await;
        rig.server.put("convexinstances", instance);
        rig
    }

    /// An operator whose one instance, `dev`, is Ready and at rest.
    pub async fn ready(instance: Value) -> Self {
        let rig = Self::with(instance).await;
        rig.run("dev", 12).await;
        assert_eq!(rig.phase("dev"), "Ready", "{}", rig.status("dev"));
        rig.server.writes();
        rig
    }

    /// The operator is started anew and remembers nothing.
    pub fn restarted(&mut self) {
        let (context, watches) = operator(&self.server);
        self.context = context;
        self.watches = Mutex::new(watches);
    }

    /// What the watches are told of the Gateway API.
    pub async fn has_gateway_api(&self, presence: Presence) {
        self.watches.lock().await.gateway_api.has.send_replace(presence);
    }

    /// The operator may look at this namespace alone, and at no classes.
    pub fn sees_only(&mut self, namespace: &str) {
        let context = Arc::get_mut(&mut self.context).unwrap();
        let api = &mut context.stores.gateway_api;
        api.namespace = Some(namespace.to_owned());
        let (tells, refused) = served();
        tells.send_replace(Presence::Refused);
        api.classes.served = refused;
        self.watches.get_mut().gateway_api.hidden = true;
    }

    /// The operator is told how many upgrades may be under way at a time.
    pub fn allows(&mut self, upgrades: usize) {
        let context = Arc::get_mut(&mut self.context).unwrap();
        context.settings.max_concurrent_upgrades = upgrades;
    }

    /// The watches bring everything that there is.
    pub async fn watched(&self) {
        let mut watches = self.watches.lock().await;
        tell(&mut watches.instances, self.server.all("convexinstances"));
        tell(&mut watches.claims, self.labelled("persistentvolumeclaims"));
        tell(&mut watches.configs, self.labelled("configmaps"));
        tell(&mut watches.services, self.labelled("services"));
        tell(&mut watches.stateful_sets, self.labelled("statefulsets"));
        tell(&mut watches.deployments, self.labelled("deployments"));
        tell(&mut watches.pods, self.labelled("pods"));
        tell(&mut watches.jobs, self.labelled("jobs"));
        tell(&mut watches.ingresses, self.labelled("ingresses"));
        tell(&mut watches.service_accounts, self.labelled("serviceaccounts"));
        tell(&mut watches.network_policies, self.labelled("networkpolicies"));
        tell(&mut watches.budgets, self.labelled("poddisruptionbudgets"));
        tell(&mut watches.gateway_api.routes, self.labelled("httproutes"));
        tell(&mut watches.gateway_api.policies, self.labelled("clientsettingspolicies"));
        let gateways = self.server.all("gateways");
        let hidden = watches.gateway_api.hidden;
        let gateways = gateways.into_iter().filter(|_| !hidden).collect();
        tell(&mut watches.gateway_api.gateways, gateways);
        tell(&mut watches.gateway_api.classes, self.server.all("gatewayclasses"));
    }

    /// The watch of Jobs brings what there is, ahead of all others.
    pub async fn watched_jobs(&self) {
        tell(&mut self.watches.lock().await.jobs, self.labelled("jobs"));
    }

    fn labelled(&self, plural: &str) -> Vec<Value> {
        let ours = |it: &Value| it["metadata"]["labels"][MANAGED_BY] == MANAGER;
        self.server.all(plural).into_iter().filter(ours).collect()
    }

    /// One look at one instance, the watches being up to date.
    pub async fn pass(&self, name: &str) -> Result<Action, Error> {
        self.watched().await;
        self.late_pass(&self.seen(name)).await
    }

    /// One look at an instance as it was read some time ago, the watches standing as they are.
    pub async fn late_pass(&self, instance: &Value) -> Result<Action, Error> {
        let instance = serde_json::from_value(instance.clone()).unwrap();
        Box::pin(controller::reconcile(Arc::new(instance), self.context.clone())).await
    }

    /// The operator is another one, which has not written to this instance.
    pub fn forgets(&self, name: &str) {
        let uid = self.seen(name)["metadata"]["uid"].clone();
        self.context.memory.forget(uid.as_str().unwrap_or_default());
    }

    /// The cluster and the operator take turns.
    pub async fn run(&self, name: &str, turns: usize) {
        for _ in 0..turns {
            if self.server.get("convexinstances", name).is_none() {
                return;
            }
            // A conflict ends a pass, and the next one looks again.
            let _ = self.pass(name).await;
            self.settle();
        }
    }

    /// Kubernetes' own controllers come to their end.
    pub fn settle(&self) {
        settle::settle(&self.server, &self.backend.address.to_string());
    }

    /// The instance as it is stored.
    pub fn seen(&self, name: &str) -> Value {
        self.server.get("convexinstances", name).unwrap_or_else(|| panic!("no instance {name}"))
    }

    pub fn status(&self, name: &str) -> Value {
        self.seen(name)["status"].clone()
    }

    pub fn phase(&self, name: &str) -> String {
        self.status(name)["phase"].as_str().unwrap_or("none").to_owned()
    }

    /// What the template of the backend says of its environment by itself, by name.
    pub fn environment(&self, name: &str) -> Value {
        let set = self.server.get("statefulsets", &format!("{name}-backend")).unwrap();
        let container = &set["spec"]["template"]["spec"]["containers"][0];
        let all = container["env"].as_array().unwrap().iter();
        let literal = all.filter(|it| it["value"].is_string());
        literal.map(|it| (it["name"].as_str().unwrap().to_owned(), it["value"].clone())).collect()
    }

    /// Status and reason of a condition, as in `False/NameConflict`.
    pub fn condition(&self, name: &str, type_: &str) -> String {
        let status = self.status(name);
        let all = status["conditions"].as_array().cloned().unwrap_or_default();
        let found = all.iter().find(|it| it["type"] == type_);
        found.map_or_else(String::new, |it| {
            format!("{}/{}", it["status"].as_str().unwrap(), it["reason"].as_str().unwrap())
        })
    }
}

fn operator(server: &ApiServer) -> (Arc<Context>, Watches) {
    let client = server.client();
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
    let reporter = Reporter { controller: MANAGER.to_owned(), instance: None };
    let context = Context {
        announcer: Announcer::new(client.clone(), reporter),
        client,
        settings: Settings {
            namespace: "convex-system".to_owned(),
            backend_repository: "example.com/backend".to_owned(),
            dashboard_repository: "example.com/dashboard".to_owned(),
            worker_image: "example.com/operator:v0".to_owned(),
            max_concurrent_upgrades: 0,
        },
        stores,
        memory: Memory::default(),
        backoffs: Backoffs::default(),
    };
    let watches = Watches {
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
    (Arc::new(context), watches)
}

/// The Gateway API is installed.
fn gateway_api() -> (GatewayApi, GatewayWatches) {
    let (routes, policies, gateways, classes) = (store(), store(), store(), store());
    let (has, served) = served();
    has.send_replace(Presence::Watched);
    let watches = GatewayWatches {
        routes: routes.1,
        policies: policies.1,
        gateways: gateways.1,
        classes: classes.1,
        has,
        hidden: false,
    };
    let api = GatewayApi {
        routes: Optional { store: routes.0, served: served.clone() },
        policies: Optional { store: policies.0, served: served.clone() },
        gateways: Optional { store: gateways.0, served: served.clone() },
        classes: Optional { store: classes.0, served },
        namespace: None,
    };
    (api, watches)
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
