//! What the backend's pod takes from its namespace: looked up by name before a template asks for it.
//!
//! A pod that asks for what is not there is not made, or does not start, and the one before it is gone by then. So the
//! backend stays as it is until everything is there; variables are taken key by key, so that none has a name that is not
//! for the spec to set, whatever somebody puts into the source later.

mod sources;

use std::fmt::Debug;

use k8s_openapi::{
    ClusterResourceScope, NamespaceResourceScope,
    api::{
        core::v1::{ConfigMap, PersistentVolumeClaim, Secret, ServiceAccount},
        scheduling::v1::PriorityClass,
    },
};
use kube::{Api, Resource, ResourceExt, runtime::reflector::ObjectRef};
use serde::de::DeserializeOwned;
use statemachine::pins::Store;

pub use self::sources::Sources;
use super::{Obstacle, phase};
use crate::{
    api::{ConvexInstance, ExtraVolume, Pod},
    context::Context,
    plan::{claim_name, names::Names},
};

/// What was found of it.
#[derive(Clone, Debug, Default)]
pub struct Requisites {
    /// Where its further variables come from.
    pub sources: Sources,
    /// What of it is missing, or must not be used.
    pub obstacle: Option<Obstacle>,
    /// What the dashboard must not mount.
    pub dashboard: Option<Obstacle>,
}

/// Looks everything up that the spec names. Nothing is looked up of an instance that goes.
pub(super) async fn read(ctx: &Context, instance: &ConvexInstance) -> kube::Result<Requisites> {
    if phase(instance) == statemachine::Phase::Deleting || is_deleted(instance) {
        return Ok(Requisites::default());
    }
    let look = Look { ctx, instance };
    let sources = sources::read(&look).await?;
    let (sources, obstacle) = match sources {
        Ok(sources) => (sources, None),
        Err(obstacle) => (Sources::default(), Some(obstacle)),
    };
    let pod = instance.spec.backend.pod.as_ref();
    let obstacle = match (obstacle, pod) {
        (None, Some(pod)) => look.pod(pod).await?,
        (known, _) => known,
    };
    Ok(Requisites { sources, obstacle, dashboard: look.dashboard() })
}

fn is_deleted(instance: &ConvexInstance) -> bool {
    instance.meta().deletion_timestamp.is_some()
}

struct Look<'a> {
    ctx: &'a Context,
    instance: &'a ConvexInstance,
}

impl Look<'_> {
    async fn pod(&self, pod: &Pod) -> kube::Result<Option<Obstacle>> {
        let account = pod.service_account.as_ref().and_then(|it| it.name.as_deref());
        let field = "spec.backend.pod.serviceAccount.name";
        if let Some(missing) = self.missing::<ServiceAccount>(account, field).await? {
            return Ok(Some(missing));
        }
        if let Some(missing) = self.priority(pod.priority_class_name.as_deref()).await? {
            return Ok(Some(missing));
        }
        for volume in &pod.volumes {
            if let Some(missing) = self.volume(volume).await? {
                return Ok(Some(missing));
            }
        }
        Ok(None)
    }

    async fn volume(&self, volume: &ExtraVolume) -> kube::Result<Option<Obstacle>> {
        let field = format!("spec.backend.pod.volumes ({})", volume.name);
        let claim = volume.persistent_volume_claim.as_ref().map(|it| it.claim_name.as_str());
        if let Some(taken) = claim.and_then(|it| self.data(it, "backend")) {
            return Ok(Some(taken));
        }
        let (mut configs, mut secrets) = (Vec::new(), Vec::new());
        let needed = |optional: Option<bool>| optional != Some(true);
        let config = volume.config_map.as_ref().filter(|it| needed(it.optional));
        configs.extend(config.map(|it| it.name.as_str()));
        let secret = volume.secret.as_ref().filter(|it| needed(it.optional));
        secrets.extend(secret.and_then(|it| it.secret_name.as_deref()));
        let sources = volume.projected.iter().flat_map(|it| it.sources.iter().flatten());
        for source in sources {
            let config = source.config_map.as_ref().filter(|it| needed(it.optional));
            configs.extend(config.map(|it| it.name.as_str()));
            let secret = source.secret.as_ref().filter(|it| needed(it.optional));
            secrets.extend(secret.map(|it| it.name.as_str()));
        }
        let mut missing = self.missing::<PersistentVolumeClaim>(claim, &field).await?;
        for name in configs {
            missing = missing.or(self.missing::<ConfigMap>(Some(name), &field).await?);
        }
        for name in secrets {
            missing = missing.or(self.missing::<Secret>(Some(name), &field).await?);
        }
        Ok(missing)
    }

    /// A pod on another node would keep the backend from its volume.
    fn dashboard(&self) -> Option<Obstacle> {
        let dashboard = &self.instance.spec.dashboard;
        let pod = dashboard.pod.as_ref().filter(|_| dashboard.enabled)?;
        let claims = pod.volumes.iter().filter_map(|it| it.persistent_volume_claim.as_ref());
        claims.map(|it| &it.claim_name).find_map(|it| self.data(it, "dashboard"))
    }

    /// The data of an instance is opened by its own backend and by nobody else.
    fn data(&self, claim: &str, part: &str) -> Option<Obstacle> {
        let namespace = self.instance.meta().namespace.clone().unwrap_or_default();
        let of_an_instance =
            self.ctx.stores.claims.get(&ObjectRef::new(claim).within(&namespace)).is_some();
        let names = Names::of(&self.instance.name_any());
        let own = claim == claim_name(self.instance, &names, &Store::Original);
        (of_an_instance || own).then(|| {
            Obstacle::new(
                "ClaimInUse",
                format!(
                    "claim \"{claim}\" of spec.{part}.pod.volumes holds the data of an instance, which nobody else may open; the {part} stays as it is. Name another claim."
                ),
            )
        })
    }

    async fn missing<K>(&self, name: Option<&str>, field: &str) -> kube::Result<Option<Obstacle>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Debug,
    {
        let Some(name) = name else { return Ok(None) };
        let namespace = self.instance.meta().namespace.clone().unwrap_or_default();
        let api: Api<K> = Api::namespaced(self.ctx.client.clone(), &namespace);
        let found = api.get_metadata_opt(name).await?;
        Ok(found.is_none().then(|| missing(&K::kind(&()), name, field)))
    }

    async fn priority(&self, name: Option<&str>) -> kube::Result<Option<Obstacle>> {
        let Some(name) = name else { return Ok(None) };
        let found = match self.cluster_wide::<PriorityClass>().get_metadata_opt(name).await {
            // Who may look at one namespace only takes the spec at its word.
            Err(kube::Error::Api(status)) if status.code == 403 => return Ok(None),
            found => found?,
        };
        let field = "spec.backend.pod.priorityClassName";
        Ok(found.is_none().then(|| missing("PriorityClass", name, field)))
    }

    fn cluster_wide<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = ClusterResourceScope>,
    {
        Api::all(self.ctx.client.clone())
    }
}

fn missing(kind: &str, name: &str, field: &str) -> Obstacle {
    let place = if kind == "PriorityClass" { "in this cluster" } else { "in this namespace" };
    Obstacle::new(
        "ReferenceMissing",
        format!(
            "{kind} \"{name}\" of {field} is not {place}, and the pod of the backend would not start without it; it stays as it is. Create it, or name another one. Looking again within 30 s."
        ),
    )
}
