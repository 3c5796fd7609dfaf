//! Where a test stands: the cluster of the run and a namespace of its own.

use std::{path::Path, thread};

use anyhow::{Context, Result, ensure};
use cluster::Cluster;
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::{process::Command, runtime::Builder};

use crate::{Instance, Refusal, definition};

/// The cluster of the run and a namespace that goes when this is dropped, which nobody waits for.
pub struct Ground {
    cluster: Cluster,
    namespace: String,
}

impl Ground {
    /// A fresh namespace on the cluster that `CONVEX_TEST_CLUSTER` names, with the definition installed.
    ///
    /// # Errors
    /// The variable is not set, or the API server does not answer.
    pub async fn fresh(name: &str) -> Result<Self> {
        let cluster = Cluster::from_env().await?;
        definition::installed(&cluster.client()).await?;
        let wanted: Namespace =
            serde_json::from_value(json!({"metadata": {"generateName": format!("{name}-")}}))?;
        let namespaces = Api::<Namespace>::all(cluster.client());
        let made = namespaces.create(&PostParams::default(), &wanted).await?;
        Ok(Self { cluster, namespace: made.name_any() })
    }

    /// A client of the cluster's administrator.
    #[must_use]
    pub fn client(&self) -> Client {
        self.cluster.client()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Instances of the namespace, typed by nothing.
    #[must_use]
    pub fn instances(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<ConvexInstance>(&());
        Api::namespaced_with(self.client(), &self.namespace, &kind)
    }

    /// Creates an instance, or says why it was refused.
    ///
    /// # Errors
    /// The request failed for another reason.
    pub async fn create(&self, instance: &Instance) -> Result<Option<Refusal>> {
        self.post(instance, false).await
    }

    /// Why an instance would be refused; nothing is written.
    ///
    /// # Errors
    /// The request failed for another reason.
    pub async fn refusal(&self, instance: &Instance) -> Result<Option<Refusal>> {
        self.post(instance, true).await
    }

    /// Why an instance that exists would not get this spec; nothing is written.
    ///
    /// # Errors
    /// The request failed for another reason.
    pub async fn refusal_to_become(&self, instance: &Instance) -> Result<Option<Refusal>> {
        let spec = json!([{"op": "replace", "path": "/spec", "value": instance.spec()}]);
        let patch: Patch<Value> = Patch::Json(serde_json::from_value(spec)?);
        let dry = PatchParams { dry_run: true, ..PatchParams::default() };
        Refusal::of(self.instances().patch(instance.name(), &dry, &patch).await)
    }

    /// The instance as `kubectl apply --server-side --dry-run=server` would leave it.
    ///
    /// # Errors
    /// It is refused, or has a field that the definition does not know.
    pub async fn applied(&self, instance: &Instance) -> Result<DynamicObject> {
        let apply =
            PatchParams { dry_run: true, ..PatchParams::apply("on-cluster").validation_strict() };
        let patch = Patch::Apply(instance.manifest());
        let applied = self.instances().patch(instance.name(), &apply, &patch).await;
        applied.with_context(|| format!("applying {}", instance.name()))
    }

    /// What `kubectl` prints in this namespace.
    ///
    /// # Errors
    /// It cannot be run, or ends with an error.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let description = self.cluster.description();
        let output = Command::new(description.tool("kubectl")?)
            .arg("--kubeconfig")
            .arg(&description.kubeconfig)
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {}: {said}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    async fn post(&self, instance: &Instance, dry_run: bool) -> Result<Option<Refusal>> {
        let object: DynamicObject = serde_json::from_value(instance.manifest().clone())?;
        let how = PostParams { dry_run, ..PostParams::default() };
        Refusal::of(self.instances().create(&how, &object).await)
    }
}

impl Drop for Ground {
    /// On a thread of its own: this runs after a failed assertion, too, when the test's runtime no longer turns.
    fn drop(&mut self) {
        let kubeconfig = self.cluster.description().kubeconfig.clone();
        let namespace = self.namespace.clone();
        let remover = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(remove(&kubeconfig, &namespace))
        });
        if let Ok(Err(error)) = remover.join() {
            eprintln!("namespace {} stays: {error:#}", self.namespace);
        }
    }
}

async fn remove(kubeconfig: &Path, namespace: &str) -> Result<()> {
    let client = cluster::client::from_file(kubeconfig).await?;
    Api::<Namespace>::all(client).delete(namespace, &kube::api::DeleteParams::background()).await?;
    Ok(())
}
