//! A namespace of the test's own, what is done to the instances in it, and what is told where one does not come out.

pub mod data;
mod faults;
mod full;
pub mod midway;
mod objects;
pub mod places;
pub mod records;
pub mod upgrades;
pub mod users;
mod way_in;

use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use cluster::{Cluster, NodeKind, operator, wait};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};

use crate::{
    Follower, Ground, Instance, Kubectl, Reach, State, Witness,
    reach::{Door, Marker},
};

pub use objects::{Object, condition, is_ready, pod_name};

/// Enough for a machine on which a dozen tests start pods at the same time.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// How long the operator is silent before it counts as being at rest.
const REST: Duration = Duration::from_secs(2);

/// A namespace of the test's own.
pub struct Stage {
    /// The namespace, and what the API server says there.
    pub ground: Ground,
    /// The cluster of the run.
    pub cluster: Cluster,
    /// As its administrator.
    pub kubectl: Kubectl,
    reach: Reach,
    began: u64,
}

/// Plays a test in a namespace of its own and removes what is left of it.
///
/// # Errors
/// The test's own, with everything that was to be seen when it failed.
pub async fn played(name: &str, test: impl AsyncFnOnce(&Stage) -> Result<()>) -> Result<()> {
    let stage = Stage::set(name).await?;
    let outcome = match test(&stage).await {
        Ok(()) => stage.cleared().await,
        failed => failed,
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => {
            let account = stage.witness().account().await;
            Err(anyhow!("{error:#}\n-- in namespace {}{account}", stage.namespace()))
        }
    }
}

/// A small instance whose upgrades need no copy, and without a dashboard.
#[must_use]
pub fn small(name: &str) -> Instance {
    Instance::dev(name)
        .with("backend.storage.pvc.size", "1Gi")
        .with("dashboard.enabled", false)
        .with("maintenance.preUpgradeSnapshot", "Off")
}

impl Stage {
    /// A fresh namespace.
    ///
    /// # Errors
    /// `CONVEX_TEST_CLUSTER` is not set, or the API server does not answer.
    pub async fn set(name: &str) -> Result<Self> {
        let cluster = Cluster::from_env().await?;
        let began = cluster.audit_mark()?;
        let ground = Ground::fresh(name).await?;
        let kubectl = Kubectl::of(cluster.description())?;
        let reach = Reach::into(cluster.description())?;
        Ok(Self { ground, cluster, kubectl, reach, began })
    }

    /// A client of the cluster's administrator.
    #[must_use]
    pub fn client(&self) -> Client {
        self.cluster.client()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.ground.namespace()
    }

    /// Objects of a kind in the namespace.
    #[must_use]
    pub fn all<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client(), self.namespace())
    }

    /// Creates an instance.
    ///
    /// # Errors
    /// It is refused.
    pub async fn create(&self, instance: &Instance) -> Result<()> {
        let refusal = self.ground.create(instance).await?;
        ensure!(refusal.is_none(), "refused:\n{}", refusal.unwrap_or_default());
        Ok(())
    }

    /// Creates it and waits until it is as its spec wants it.
    ///
    /// # Errors
    /// It is refused, or does not become ready in time.
    pub async fn ready(&self, instance: &Instance) -> Result<State> {
        self.create(instance).await?;
        self.settled(instance.name()).await
    }

    /// Waits until it is as its spec wants it.
    ///
    /// # Errors
    /// It does not become so in time.
    pub async fn settled(&self, name: &str) -> Result<State> {
        self.follow(name).await?.until("Ready", PATIENCE, State::is_settled).await
    }

    /// Creates it and waits until it is ready and the operator has nothing left to ask or to write about it.
    ///
    /// # Errors
    /// As [`Self::ready`], or the operator does not come to rest.
    pub async fn served(&self, instance: &Instance) -> Result<State> {
        let state = self.ready(instance).await?;
        self.rest().await?;
        Ok(state)
    }

    /// Waits until the operator has nothing left to ask or to write.
    ///
    /// # Errors
    /// It does not come to rest.
    pub async fn rest(&self) -> Result<()> {
        self.until("rest", PATIENCE, || async {
            let mark = self.mark()?;
            // Nothing can be awaited that proves silence.
            tokio::time::sleep(REST).await;
            Ok(self.requests_since(mark)?.is_empty().then_some(()))
        })
        .await
    }

    /// Waits until the condition `Ready` has this reason.
    ///
    /// # Errors
    /// It does not get it in time.
    pub async fn because(&self, name: &str, reason: &str) -> Result<State> {
        let so = |state: &State| state.reason == reason;
        self.follow(name).await?.until(reason, PATIENCE, so).await
    }

    /// Waits until it is in a phase, with its stage after a slash.
    ///
    /// # Errors
    /// It does not get there in time.
    pub async fn phase(&self, name: &str, phase: &str) -> Result<State> {
        let there = |state: &State| state.phase == phase;
        self.follow(name).await?.until(phase, PATIENCE, there).await
    }

    /// Begins to follow an instance.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn follow(&self, name: &str) -> Result<Follower> {
        Follower::begin(&self.client(), self.namespace(), name).await
    }

    /// Changes the spec.
    ///
    /// # Errors
    /// It is refused.
    pub async fn patch(&self, name: &str, spec: Value) -> Result<()> {
        self.merge::<ConvexInstance>(name, json!({ "spec": spec })).await?;
        Ok(())
    }

    /// Deletes it and waits until it is gone.
    ///
    /// # Errors
    /// It is still there after a minute.
    pub async fn deleted(&self, name: &str) -> Result<()> {
        let mut follower = self.follow(name).await?;
        self.all::<ConvexInstance>().delete(name, &DeleteParams::default()).await?;
        follower.gone(PATIENCE, |_| {}).await
    }

    /// Opens the way to the backend of an instance.
    ///
    /// # Errors
    /// It has no pod with an address.
    pub async fn door(&self, name: &str) -> Result<Door> {
        self.enter(&self.pod(name).await?).await
    }

    /// Opens the way to any pod that serves as a backend.
    ///
    /// # Errors
    /// It has no address.
    pub async fn enter(&self, pod: &Pod) -> Result<Door> {
        self.reach.open(pod).await
    }

    /// What the stand-in says about its data; that it never saw a second writer holds in every test.
    ///
    /// # Errors
    /// It does not answer, or has seen a second writer.
    pub async fn marker(&self, name: &str) -> Result<Marker> {
        let marker = self.door(name).await?.marker().await?;
        ensure!(marker.second_writers == 0, "a second writer was seen: {marker:?}");
        Ok(marker)
    }

    /// Waits for a fact that is asked for again and again.
    ///
    /// # Errors
    /// It does not come true in time.
    pub async fn until<T, F, Answer>(&self, what: &str, patience: Duration, probe: F) -> Result<T>
    where
        F: FnMut() -> Answer,
        Answer: Future<Output = Result<Option<T>>>,
    {
        wait::until(what, patience, &[], probe).await
    }

    /// Deletes every instance that a test has left, while its namespace still takes what the operator writes about it.
    async fn cleared(&self) -> Result<()> {
        for instance in self.all::<ConvexInstance>().list(&ListParams::default()).await? {
            self.deleted(&instance.name_any()).await?;
        }
        Ok(())
    }

    fn witness(&self) -> Witness {
        let description = self.cluster.description();
        let hosted = description.node == NodeKind::Fake;
        Witness {
            client: self.client(),
            namespace: self.namespace().to_owned(),
            log: hosted.then(|| operator::log(description)),
        }
    }
}
