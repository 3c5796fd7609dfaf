//! Whether a pod that is not our backend has the claim open.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::ListParams};
use statemachine::Phase;

use super::{Children, Obstacle, backend, children::mounts, phase};
use crate::{
    api::ConvexInstance,
    context::Context,
    plan::{
        labels::{self, Part},
        names::Names,
    },
};

/// How many pods are asked for at a time.
const PAGE: u32 = 500;

/// Who else has the claim open, where our own backend is not asked for yet: an access mode of
/// `ReadWriteOnce` keeps nodes apart and not pods, and an instance that was deleted by force leaves a pod
/// that still writes.
pub(super) async fn read(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    children: &Children,
) -> kube::Result<Option<Obstacle>> {
    let Some(claim) = children.claim().map(ResourceExt::name_any) else { return Ok(None) };
    let starts = match phase(instance) {
        Phase::Suspended => !instance.spec.suspend,
        Phase::Deleting | Phase::Unknown => false,
        _ => true,
    };
    if !starts || backend::is_started(children) {
        return Ok(None);
    }
    let namespace = instance.namespace().unwrap_or_default();
    let pods: Api<Pod> = Api::namespaced(ctx.client.clone(), &namespace);
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let found = pods.list(&page).await?;
        let user = found.items.iter().find(|pod| {
            let ours = is_worker(instance, pod) || pod.name_any() == names.backend_pod();
            !is_over(pod) && mounts(pod, &claim) && !ours
        });
        if let Some(user) = user {
            return Ok(Some(opened_by(&claim, user)));
        }
        match found.metadata.continue_.filter(|it| !it.is_empty()) {
            Some(next) => page = page.continue_token(&next),
            None => return Ok(None),
        }
    }
}

/// A Job of an upgrade: nothing is started beside it anyhow.
fn is_worker(instance: &ConvexInstance, pod: &Pod) -> bool {
    let carries = labels::selector(instance, Part::Worker);
    carries.iter().all(|(key, value)| pod.labels().get(key) == Some(value))
}

/// Every container of the pod has ended, and none is started again.
fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// What keeps the pod makes another one: that is what has to go, and who keeps it in turn is not known here.
fn opened_by(claim: &str, pod: &Pod) -> Obstacle {
    let name = pod.name_any();
    let controller = pod.owner_references().iter().find(|it| it.controller == Some(true));
    let (kept, end) = match controller {
        None => (String::new(), format!("kubectl delete pod {name}")),
        Some(it) => {
            let end = match it.kind.as_str() {
                "StatefulSet" => format!("kubectl delete statefulset {}", it.name),
                "Job" => format!("kubectl delete job {}", it.name),
                _ => "stop what keeps it".to_owned(),
            };
            (format!(" (kept by {} {})", it.kind, it.name), end)
        }
    };
    Obstacle::new(
        "ClaimInUse",
        format!(
            "pod \"{name}\"{kept} has claim \"{claim}\" open; two backends on one volume would destroy it. It is waited for; if it is not to stay: {end}"
        ),
    )
}
