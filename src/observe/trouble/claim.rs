//! Why a claim has no volume.

use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::{Api, ResourceExt, api::ListParams};

use crate::{context::Context, observe::Obstacle};

/// Whether the claim still waits for its volume.
pub(super) fn is_pending(claim: &PersistentVolumeClaim) -> bool {
    claim.status.as_ref().and_then(|it| it.phase.as_deref()).is_none_or(|phase| phase == "Pending")
}

/// Why this claim is pending; the classes of the cluster are asked for.
pub(super) async fn of(ctx: &Context, claim: &PersistentVolumeClaim) -> Obstacle {
    let classes: Api<StorageClass> = Api::all(ctx.client.clone());
    let found = classes.list_metadata(&ListParams::default()).await;
    let names = found.map(|it| it.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>());
    pending(claim, names.ok().as_deref())
}

/// Why this claim is pending, where these are the classes of the cluster; none where they are not known.
pub(super) fn pending(claim: &PersistentVolumeClaim, existing: Option<&[String]>) -> Obstacle {
    let name = claim.name_any();
    let Some(existing) = existing else {
        let message = format!("claim \"{name}\" waits for its volume");
        return Obstacle::passing("VolumePending", message);
    };
    let listed = if existing.is_empty() { "none".to_owned() } else { existing.join(", ") };
    match claim.spec.as_ref().and_then(|it| it.storage_class_name.clone()) {
        Some(wanted) if !existing.contains(&wanted) => Obstacle::new(
            "VolumePending",
            format!(
                "claim \"{name}\" is Pending: no StorageClass \"{wanted}\". Existing classes: {listed}."
            ),
        ),
        None => Obstacle::new(
            "VolumePending",
            format!(
                "claim \"{name}\" is Pending: it names no StorageClass and the cluster has no default one. Existing classes: {listed}."
            ),
        ),
        Some(class) => Obstacle::passing(
            "VolumePending",
            format!("claim \"{name}\" waits for its volume of StorageClass \"{class}\""),
        ),
    }
}
