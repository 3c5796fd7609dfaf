//! Whether everything that the spec refers to exists, is free, and can be carried out.

use std::fmt::Debug;

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, StatefulSet},
        core::v1::{ConfigMap, Service},
        networking::v1::Ingress,
    },
};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use statemachine::Phase;

use super::{Children, Obstacle, phase};
use crate::{
    api::{ConvexInstance, Mode},
    context::{Context, Guarded},
    plan::{
        labels::{self, Belongs},
        names::Names,
    },
};

/// What is in the way, the first of it.
pub(super) async fn read(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    children: &Children,
    opened: Option<&Obstacle>,
) -> kube::Result<Option<Obstacle>> {
    let known = claim(ctx, instance, names, children).or_else(|| opened.cloned());
    if known.is_some() || phase(instance) != Phase::Pending {
        return Ok(known);
    }
    // Before the first child is made, every name is looked up: what is not ours is not watched.
    let look = Look { ctx, instance };
    Ok(look
        .conflict::<ConfigMap>("ConfigMap", &names.gate())
        .await?
        .or(look.conflict::<Service>("Service", &names.backend_service()).await?)
        .or(look.conflict::<StatefulSet>("StatefulSet", &names.backend()).await?)
        .or(look.dashboard(names).await?)
        .or(look.way_in(names).await?))
}

/// Why the claim must not be opened. One that an instance has served from may have been restored by
/// hand, without our labels; that of another living instance is never touched.
pub(super) fn barred(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    children: &Children,
    (served, opened): (bool, Option<&Obstacle>),
) -> Option<Obstacle> {
    children.claim()?;
    let claim = claim(ctx, instance, names, children);
    claim.filter(|it| !served || it.reason == "ClaimInUse").or_else(|| opened.cloned())
}

fn claim(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    children: &Children,
) -> Option<Obstacle> {
    let claim = children.claim();
    let user = claim.and_then(|claim| user(ctx, instance, &claim.metadata));
    claim_used_by(user.as_deref(), instance, names, children)
}

/// What is wrong with the claim, where it is labelled with this living instance.
fn claim_used_by(
    user: Option<&str>,
    instance: &ConvexInstance,
    names: &Names,
    children: &Children,
) -> Option<Obstacle> {
    let storage = &instance.spec.backend.storage.pvc;
    let existing = storage.existing_claim.as_deref();
    let Some(claim) = children.claim() else {
        let name = existing?;
        let before = phase(instance) == Phase::Pending;
        return before.then(|| {
            Obstacle::new("ClaimMissing", format!("claim \"{name}\" of spec.backend.storage.pvc.existingClaim is not in this namespace; create it, or restore it from a backup."))
        });
    };
    let name = claim.name_any();
    let belongs = labels::belongs(instance, &claim.metadata);
    if let (Some(owner), false) = (user, belongs == Belongs::Ours) {
        return Some(Obstacle::new(
            "ClaimInUse",
            format!(
                "claim \"{name}\" holds the data of ConvexInstance \"{owner}\"; two backends on one volume would destroy it. Name another claim."
            ),
        ));
    }
    match (belongs, existing) {
        (Belongs::Ours, _) | (_, Some(_)) => None,
        (Belongs::Retained, None) => Some(Obstacle::new(
            "NameConflict",
            format!(
                "claim \"{name}\" was kept from an earlier instance \"{}\" (deletionPolicy Retain). To take it over with its data, create the instance with spec.backend.storage.pvc.existingClaim: {} (where an upgrade has moved the data, it is the claim whose annotation convex.icod.de/sealed is the largest number); to start anew, delete the claim and Secret \"{}\", or choose another name.",
                instance.name_any(),
                children.deed.as_ref().map_or_else(|| name.clone(), |it| names.store(&it.store)),
                names.instance_secret()
            ),
        )),
        (Belongs::Foreign, None) => Some(Obstacle::conflict("PersistentVolumeClaim", &name)),
    }
}

/// The living instance that a claim belongs to.
fn user(
    ctx: &Context,
    instance: &ConvexInstance,
    claim: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
) -> Option<String> {
    let uid = claim.labels.as_ref()?.get(labels::INSTANCE_UID)?.clone();
    let living = |it: &Guarded| {
        it.meta().uid.as_ref() == Some(&uid) && it.meta().namespace == instance.namespace()
    };
    ctx.stores.instances.find(living).and_then(|it| it.meta().name.clone())
}

struct Look<'a> {
    ctx: &'a Context,
    instance: &'a ConvexInstance,
}

impl Look<'_> {
    /// Who has no dashboard has no use for its names.
    async fn dashboard(&self, names: &Names) -> kube::Result<Option<Obstacle>> {
        if !self.instance.spec.dashboard.enabled {
            return Ok(None);
        }
        let deployment = self.conflict::<Deployment>("Deployment", &names.dashboard()).await?;
        Ok(deployment.or(self.conflict::<Service>("Service", &names.dashboard()).await?))
    }

    async fn way_in(&self, names: &Names) -> kube::Result<Option<Obstacle>> {
        match self.instance.spec.networking.way_in() {
            Mode::Ingress => self.conflict::<Ingress>("Ingress", &names.way_in()).await,
            Mode::None | Mode::Shared | Mode::OwnGateway => Ok(None),
        }
    }

    async fn conflict<K>(&self, kind: &str, name: &str) -> kube::Result<Option<Obstacle>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Debug,
    {
        let namespace = self.instance.namespace().unwrap_or_default();
        let api: Api<K> = Api::namespaced(self.ctx.client.clone(), &namespace);
        let found = api.get_metadata_opt(name).await?;
        let foreign =
            found.filter(|it| labels::belongs(self.instance, &it.metadata) != Belongs::Ours);
        Ok(foreign.map(|_| Obstacle::conflict(kind, name)))
    }
}

#[cfg(test)]
mod tests;
