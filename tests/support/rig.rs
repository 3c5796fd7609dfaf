//! One operator, one API server and one backend, moved by hand: nothing happens between two lines of
//! a test.

use std::sync::Arc;

use convex_operator::{
    context::{Context, Memory, Presence, Settings, served},
    controller,
    error::Error,
    events::Announcer,
    plan::labels::MANAGER,
    retry::Backoffs,
};
use kube::runtime::{controller::Action, events::Reporter};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{api_server::ApiServer, backend::Backend, settle, watches::Watches};

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
        let api = &self.watches.lock().await.gateway_api;
        api.has.send_replace(presence);
        api.has_gateways.send_replace(presence);
    }

    /// The operator's role does not let it look at any Gateway.
    pub async fn may_see_no_gateways(&self) {
        let api = &mut self.watches.lock().await.gateway_api;
        api.has_gateways.send_replace(Presence::Refused);
        api.hidden = true;
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
        self.watches.lock().await.bring(&self.server);
    }

    /// The watch of Jobs brings what there is, ahead of all others.
    pub async fn watched_jobs(&self) {
        self.watches.lock().await.bring_jobs(&self.server);
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
    let (stores, watches) = Watches::of_a_cluster();
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
    (Arc::new(context), watches)
}
