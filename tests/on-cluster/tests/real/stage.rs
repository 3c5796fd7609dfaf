//! A namespace of the test's own, and what is asked of the instances in it.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::{Cluster, operator::USER, wait};
use convex_operator::{api::ConvexInstance, plan::names::Names};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Pod, Secret};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use on_cluster::{
    Follower, Ground, Instance, Kubectl, Reach, State, Witness,
    reach::{Door, Marker},
};
use serde_json::{Value, json};

/// Enough for a node on which a dozen tests start pods at the same time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A namespace of the test's own.
pub struct Stage {
    ground: Ground,
    pub cluster: Cluster,
    pub kubectl: Kubectl,
    reach: Reach,
}

/// Plays a test in a namespace of its own, then removes what is left, and fails with everything that was to be seen.
pub async fn played(name: &str, test: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let stage = Stage::set(name).await.unwrap();
    let played = async {
        test(&stage).await?;
        stage.cleared().await?;
        stage.nothing_was_forbidden()
    };
    if let Err(error) = played.await {
        panic!("{error:#}{}", stage.witness().account().await);
    }
}

/// A small instance whose upgrades need no copy.
pub fn small(name: &str) -> Instance {
    Instance::dev(name)
        .with("backend.storage.pvc.size", "1Gi")
        .with("maintenance.preUpgradeSnapshot", "Off")
}

impl Stage {
    async fn set(name: &str) -> Result<Self> {
        let cluster = Cluster::from_env().await?;
        let ground = Ground::fresh(name).await?;
        let enforced = json!({ "metadata": { "labels": {
            "pod-security.kubernetes.io/enforce": "restricted" } } });
        let namespaces = Api::<Namespace>::all(cluster.client());
        let patch = Patch::Merge(enforced);
        namespaces.patch(ground.namespace(), &PatchParams::default(), &patch).await?;
        let kubectl = Kubectl::of(cluster.description())?;
        let reach = Reach::into(cluster.description())?;
        Ok(Self { ground, cluster, kubectl, reach })
    }

    pub fn client(&self) -> Client {
        self.cluster.client()
    }

    pub fn namespace(&self) -> &str {
        self.ground.namespace()
    }

    pub fn all<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client(), self.namespace())
    }

    pub async fn create(&self, instance: &Instance) -> Result<()> {
        let refusal = self.ground.create(instance).await?;
        ensure!(refusal.is_none(), "refused:\n{}", refusal.unwrap_or_default());
        Ok(())
    }

    /// Creates it and waits until it is as its spec wants it.
    pub async fn ready(&self, instance: &Instance) -> Result<State> {
        self.create(instance).await?;
        self.settled(instance.name()).await
    }

    pub async fn settled(&self, name: &str) -> Result<State> {
        self.follow(name).await?.until("Ready", PATIENCE, State::is_settled).await
    }

    pub async fn follow(&self, name: &str) -> Result<Follower> {
        Follower::begin(&self.client(), self.namespace(), name).await
    }

    /// Changes the spec.
    pub async fn patch(&self, name: &str, spec: Value) -> Result<()> {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.all::<ConvexInstance>().patch(name, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// Deletes it and waits until it is gone.
    pub async fn deleted(&self, name: &str) -> Result<()> {
        let mut follower = self.follow(name).await?;
        self.all::<ConvexInstance>().delete(name, &DeleteParams::default()).await?;
        follower.gone(PATIENCE, |_| {}).await
    }

    pub async fn pod(&self, name: &str) -> Result<Pod> {
        self.all::<Pod>().get(&pod_name(name)).await.context("the backend's pod")
    }

    /// Waits until the pod of this name is another one, or the same one again, and it takes traffic.
    pub async fn pod_when(&self, name: &str, fact: impl Fn(&Pod) -> bool) -> Result<Pod> {
        wait::until("backend pod as wanted", PATIENCE, &[], || async {
            let pod = self.pod(name).await?;
            Ok((fact(&pod) && is_ready(&pod)).then_some(pod))
        })
        .await
    }

    pub async fn door(&self, name: &str) -> Result<Door> {
        self.reach.open(&self.pod(name).await?).await
    }

    /// What the stand-in says about its data; that it never saw a second writer holds in every test.
    pub async fn marker(&self, name: &str) -> Result<Marker> {
        let marker = self.door(name).await?.marker().await?;
        ensure!(marker.second_writers == 0, "a second writer was seen: {marker:?}");
        Ok(marker)
    }

    /// A value of a Secret.
    pub async fn secret(&self, name: &str, key: &str) -> Result<String> {
        let secret = self.all::<Secret>().get(name).await?;
        let value = secret.data.and_then(|mut data| data.remove(key));
        Ok(String::from_utf8(value.with_context(|| format!("{name} has no key {key}"))?.0)?)
    }

    /// What happened to the data directory of a claim, as the stand-ins wrote it down: start, stop, `second_writer`.
    pub async fn journal(&self, claim: &str) -> Result<Vec<String>> {
        let claim = self.all::<PersistentVolumeClaim>().get(claim).await?;
        let volume = claim.spec.and_then(|spec| spec.volume_name).context("an unbound claim")?;
        let folder = self.cluster.description().run.join("volumes").join(volume);
        let text = fs::read_to_string(folder.join("writers.jsonl"))?;
        let events = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line)?;
            Ok(line["event"].as_str().unwrap_or_default().to_owned())
        });
        events.collect()
    }

    /// Deletes every instance that a test has left, while its namespace still takes what the operator writes about it.
    async fn cleared(&self) -> Result<()> {
        for instance in self.all::<ConvexInstance>().list(&ListParams::default()).await? {
            self.deleted(&instance.name_any()).await?;
        }
        Ok(())
    }

    /// That the operator never asked for what its role does not give it, in this test or any other.
    fn nothing_was_forbidden(&self) -> Result<()> {
        let asked = self.cluster.audit()?;
        let forbidden: Vec<_> = asked
            .iter()
            .filter(|it| it.user == USER && it.code == 403)
            .map(|it| format!("{} {}", it.verb, it.uri))
            .collect();
        ensure!(forbidden.is_empty(), "forbidden to the operator:\n{}", forbidden.join("\n"));
        Ok(())
    }

    fn witness(&self) -> Witness {
        Witness { client: self.client(), namespace: self.namespace().to_owned(), log: None }
    }
}

/// What the one pod of an instance's backend is called.
pub fn pod_name(name: &str) -> String {
    format!("{}-0", Names::of(name).backend())
}

pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|it| it.type_ == "Ready" && it.status == "True"))
}
