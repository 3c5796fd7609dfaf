//! What the provisioner reads out of claims and volumes, and the volume that it makes; no cluster needed.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use k8s_openapi::{
    api::core::v1::{PersistentVolume, PersistentVolumeClaim},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt;
use serde_json::json;

use crate::provisioner::PROVISIONER;

const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const STORAGE_PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// A volume that a claim waits for.
#[derive(Debug, PartialEq)]
pub struct Wanted {
    /// What it is to be called.
    pub name: String,
    /// The class of the claim.
    pub class: String,
    /// The node that the scheduler chose.
    pub node: String,
    /// How large.
    pub size: Quantity,
}

/// A bound claim that asks for more than it has.
#[derive(Debug, PartialEq)]
pub struct Growth {
    /// Its volume.
    pub volume: String,
    /// How large it is to be.
    pub size: Quantity,
}

/// The volume that a claim waits for from this provisioner, once the scheduler has chosen a node.
#[must_use]
pub fn wanted_by(claim: &PersistentVolumeClaim) -> Option<Wanted> {
    let annotations = claim.annotations();
    let spec = claim.spec.as_ref()?;
    let unbound = spec.volume_name.as_deref().unwrap_or_default().is_empty();
    let ours = annotations.get(STORAGE_PROVISIONER).is_some_and(|name| name == PROVISIONER);
    if !unbound || !ours || claim.metadata.deletion_timestamp.is_some() {
        return None;
    }
    Some(Wanted {
        name: format!("pvc-{}", claim.uid()?),
        class: spec.storage_class_name.clone()?,
        node: annotations.get(SELECTED_NODE)?.clone(),
        size: requested(claim)?,
    })
}

/// The growth that a bound claim asks for.
#[must_use]
pub fn growth_of(claim: &PersistentVolumeClaim) -> Option<Growth> {
    let status = claim.status.as_ref()?;
    let size = requested(claim)?;
    let bound = status.phase.as_deref() == Some("Bound");
    // The API server refuses to shrink a claim, so a difference is growth.
    let differs = status.capacity.as_ref()?.get("storage")? != &size;
    let volume = claim.spec.as_ref()?.volume_name.clone()?;
    (bound && differs).then_some(Growth { volume, size })
}

/// Whether this provisioner made the volume.
#[must_use]
pub fn is_ours(volume: &PersistentVolume) -> bool {
    volume.annotations().get(PROVISIONED_BY).is_some_and(|name| name == PROVISIONER)
}

/// Whether a volume was released and is not to be kept.
#[must_use]
pub fn is_to_be_removed(volume: &PersistentVolume) -> bool {
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    let policy =
        volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    is_ours(volume) && phase == Some("Released") && policy == Some("Delete")
}

/// The volume for a claim: a folder of the chosen node.
///
/// `local` and not `hostPath`: kubelet gives only the former to the pod's `fsGroup`.
///
/// # Errors
/// Never in practice: the object is fixed but for names.
pub fn object(
    claim: &PersistentVolumeClaim,
    wanted: &Wanted,
    path: &Path,
    reclaim_policy: Option<&str>,
) -> Result<PersistentVolume> {
    let annotations = BTreeMap::from([(PROVISIONED_BY, PROVISIONER)]);
    let spec = claim.spec.clone().unwrap_or_default();
    Ok(serde_json::from_value(json!({
        "metadata": { "name": wanted.name, "annotations": annotations },
        "spec": {
            "accessModes": spec.access_modes,
            "capacity": { "storage": wanted.size },
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim.namespace(),
                "name": claim.name_any(),
                "uid": claim.uid(),
            },
            "local": { "path": path },
            "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [{
                "key": "kubernetes.io/hostname", "operator": "In", "values": [wanted.node],
            }] }] } },
            "persistentVolumeReclaimPolicy": reclaim_policy.unwrap_or("Delete"),
            "storageClassName": wanted.class,
            "volumeMode": spec.volume_mode.as_deref().unwrap_or("Filesystem"),
        },
    }))?)
}

fn requested(claim: &PersistentVolumeClaim) -> Option<Quantity> {
    claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage").cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> PersistentVolumeClaim {
        serde_json::from_value(json!({
            "metadata": { "name": "demo-data", "namespace": "apps", "uid": "1-2-3", "annotations": {
                STORAGE_PROVISIONER: PROVISIONER, SELECTED_NODE: "node" } },
            "spec": { "accessModes": ["ReadWriteOnce"], "storageClassName": "standard",
                "resources": { "requests": { "storage": "1Gi" } } },
        }))
        .unwrap()
    }

    fn bound(has: &str) -> PersistentVolumeClaim {
        let mut claim = claim();
        claim.spec.as_mut().unwrap().volume_name = Some("pvc-1-2-3".into());
        let status = json!({ "phase": "Bound", "capacity": { "storage": has } });
        claim.status = Some(serde_json::from_value(status).unwrap());
        claim
    }

    fn volume(phase: &str, policy: &str) -> PersistentVolume {
        let wanted = wanted_by(&claim()).unwrap();
        let mut made = object(&claim(), &wanted, Path::new("/v"), Some(policy)).unwrap();
        made.status = Some(serde_json::from_value(json!({ "phase": phase })).unwrap());
        made
    }

    #[test]
    fn a_claim_waits_until_a_node_is_chosen() {
        let mut claim = claim();
        claim.annotations_mut().remove(SELECTED_NODE);
        assert_eq!(wanted_by(&claim), None);
    }

    #[test]
    fn a_claim_of_another_provisioner_is_left_alone() {
        let mut claim = claim();
        claim.annotations_mut().insert(STORAGE_PROVISIONER.into(), "other".into());
        assert_eq!(wanted_by(&claim), None);
    }

    #[test]
    fn the_volume_is_bound_to_its_claim_and_its_node() {
        let spec = volume("Pending", "Retain").spec.unwrap();
        let claim = spec.claim_ref.unwrap();
        assert_eq!(claim.name.as_deref(), Some("demo-data"));
        assert_eq!(claim.uid.as_deref(), Some("1-2-3"));
        assert_eq!(spec.local.unwrap().path, "/v");
        assert_eq!(spec.persistent_volume_reclaim_policy.as_deref(), Some("Retain"));
        assert_eq!(spec.capacity.unwrap()["storage"].0, "1Gi");
    }

    #[test]
    fn a_bound_claim_that_asks_for_more_grows() {
        let size = Quantity("1Gi".into());
        let expected = Growth { volume: "pvc-1-2-3".into(), size };
        assert_eq!(growth_of(&bound("500Mi")), Some(expected));
        assert_eq!(growth_of(&bound("1Gi")), None);
        assert_eq!(wanted_by(&bound("1Gi")), None);
    }

    #[test]
    fn only_a_released_volume_of_ours_that_nobody_keeps_is_removed() {
        assert!(is_to_be_removed(&volume("Released", "Delete")));
        assert!(!is_to_be_removed(&volume("Bound", "Delete")));
        assert!(!is_to_be_removed(&volume("Released", "Retain")));
        let mut foreign = volume("Released", "Delete");
        foreign.annotations_mut().clear();
        assert!(!is_to_be_removed(&foreign));
    }
}
