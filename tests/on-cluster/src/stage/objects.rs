//! The objects around an instance: read, changed and taken away by somebody who is not the operator.

use std::{fmt::Debug, fs, path::PathBuf};

use anyhow::{Context, Result};
use convex_operator::{
    api::{Condition, ConvexInstance},
    plan::names::Names,
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{PersistentVolumeClaim, Pod, Secret},
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{PATIENCE, Stage};

/// Any kind of object that lives in a namespace.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + DeserializeOwned
    + Serialize
    + Debug
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Serialize
        + Debug
{
}

impl Stage {
    /// An object by name.
    ///
    /// # Errors
    /// It is not there.
    pub async fn get<K: Object>(&self, name: &str) -> Result<K> {
        self.all::<K>().get(name).await.with_context(|| format!("{} {name}", K::kind(&())))
    }

    /// Makes an object, as anybody might.
    ///
    /// # Errors
    /// It is refused, or is no object of this kind.
    pub async fn make<K: Object>(&self, manifest: Value) -> Result<K> {
        let object: K = serde_json::from_value(manifest)?;
        Ok(self.all::<K>().create(&PostParams::default(), &object).await?)
    }

    /// Changes an object with a JSON merge patch, as anybody might.
    ///
    /// # Errors
    /// It is refused.
    pub async fn merge<K: Object>(&self, name: &str, patch: Value) -> Result<K> {
        let by = PatchParams { field_manager: Some("somebody".to_owned()), ..Default::default() };
        Ok(self.all::<K>().patch(name, &by, &Patch::Merge(patch)).await?)
    }

    /// Changes an object with a JSON patch, for what stands in lists.
    ///
    /// # Errors
    /// It is refused.
    pub async fn edit<K: Object>(&self, name: &str, operations: Value) -> Result<K> {
        let patch: Patch<Value> = Patch::Json(serde_json::from_value(operations)?);
        let by = PatchParams { field_manager: Some("somebody".to_owned()), ..Default::default() };
        Ok(self.all::<K>().patch(name, &by, &patch).await?)
    }

    /// Takes an object away; what it owns follows.
    ///
    /// # Errors
    /// It is not there.
    pub async fn remove<K: Object>(&self, name: &str) -> Result<()> {
        self.all::<K>().delete(name, &DeleteParams::background()).await?;
        Ok(())
    }

    /// The instance itself.
    ///
    /// # Errors
    /// It is not there.
    pub async fn instance(&self, name: &str) -> Result<ConvexInstance> {
        self.get(name).await
    }

    /// Instances, typed by nothing: also those that cannot be read.
    #[must_use]
    pub fn instances(&self) -> Api<DynamicObject> {
        self.ground.instances()
    }

    /// An instance as it is stored, whether it can be read or not.
    ///
    /// # Errors
    /// It is not there.
    pub async fn stored(&self, name: &str) -> Result<Value> {
        Ok(serde_json::to_value(self.instances().get(name).await?)?)
    }

    /// The one pod of its backend.
    ///
    /// # Errors
    /// It is not there.
    pub async fn pod(&self, name: &str) -> Result<Pod> {
        self.get(&pod_name(name)).await
    }

    /// Waits until the pod of this name is as wanted and takes traffic.
    ///
    /// # Errors
    /// It is not so in time.
    pub async fn pod_when(&self, name: &str, fact: impl Fn(&Pod) -> bool) -> Result<Pod> {
        self.until("backend pod as wanted", PATIENCE, || async {
            let pod = self.pod(name).await?;
            Ok((fact(&pod) && is_ready(&pod)).then_some(pod))
        })
        .await
    }

    /// A value of a Secret.
    ///
    /// # Errors
    /// It is not there, or not text.
    pub async fn secret(&self, name: &str, key: &str) -> Result<String> {
        let secret: Secret = self.get(name).await?;
        let value = secret.data.and_then(|mut data| data.remove(key));
        Ok(String::from_utf8(value.with_context(|| format!("{name} has no key {key}"))?.0)?)
    }

    /// What happened to the data directory of a claim, as the stand-ins wrote it down: start, stop, `second_writer`.
    ///
    /// # Errors
    /// The claim has no volume of this machine.
    pub async fn journal(&self, claim: &str) -> Result<Vec<String>> {
        let lines = self.lines_of(claim).await?;
        Ok(lines.iter().map(|it| it["event"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// The versions that opened the data of a claim, oldest first, as their backends kept it beside the data.
    ///
    /// # Errors
    /// As [`Self::journal`].
    pub async fn openers(&self, claim: &str) -> Result<Vec<String>> {
        self.writers(claim, "version").await
    }

    /// The images whose programs opened it, by their tags, whatever the environment made them say; a played node tells.
    ///
    /// # Errors
    /// As [`Self::journal`].
    pub async fn programs(&self, claim: &str) -> Result<Vec<String>> {
        self.writers(claim, "image").await
    }

    async fn writers(&self, claim: &str, what: &str) -> Result<Vec<String>> {
        let lines = self.lines_of(claim).await?;
        let starts = lines.iter().filter(|it| it["event"] == "start");
        Ok(starts.map(|it| it["writer"][what].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// The folder of this machine that is the volume of a claim.
    ///
    /// # Errors
    /// The claim has none.
    pub async fn volume(&self, claim: &str) -> Result<PathBuf> {
        let claim: PersistentVolumeClaim = self.get(claim).await?;
        let volume = claim.spec.and_then(|spec| spec.volume_name).context("an unbound claim")?;
        Ok(self.cluster.description().run.join("volumes").join(volume))
    }

    async fn lines_of(&self, claim: &str) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.volume(claim).await?.join("writers.jsonl"))?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

/// What the one pod of an instance's backend is called.
#[must_use]
pub fn pod_name(name: &str) -> String {
    format!("{}-0", Names::of(name).backend())
}

/// Whether Kubernetes holds a pod for ready.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = |all: &Vec<_>| all.iter().any(is_true);
    pod.meta().deletion_timestamp.is_none() && conditions.is_some_and(ready)
}

fn is_true(condition: &k8s_openapi::api::core::v1::PodCondition) -> bool {
    condition.type_ == "Ready" && condition.status == "True"
}

/// A condition of an instance.
///
/// # Errors
/// It has none of this type.
pub fn condition(instance: &ConvexInstance, type_: &str) -> Result<Condition> {
    let all = instance.status.as_ref().map(|status| status.conditions.clone());
    let found = all.into_iter().flatten().find(|it| it.type_ == type_);
    found.with_context(|| format!("{} has no condition {type_}", instance.name_any()))
}
