//! What the backend itself says: asked once for every container that Kubernetes holds for ready.

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use statemachine::Phase;

use super::{
    Children, Keys, Obstacle,
    backend::{is_ready, of_pod},
    phase, uid,
};
use crate::{
    api::ConvexInstance,
    context::Context,
    convex,
    plan::backend::{API_PORT, CONTAINER},
};

/// What one container of the backend said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which container: the pod's UID and the container's id.
    pub container: String,
    /// The version that it answers with, and that it takes the admin key; or why not.
    pub verdict: Result<String, Obstacle>,
}

impl Answer {
    /// Whether this pod answered with this version and takes the admin key.
    #[must_use]
    pub fn serves(&self, pod: &Pod, version: &str) -> bool {
        self.container == container(pod) && self.verdict.as_deref() == Ok(version)
    }
}

/// Asks the one backend pod, unless this very container has answered well before.
pub(super) async fn ask(
    ctx: &Context,
    instance: &ConvexInstance,
    children: &Children,
    keys: Option<&Keys>,
) -> Option<Answer> {
    let [pod] = &children.pods[..] else { return None };
    if !is_ready(pod) || matches!(phase(instance), Phase::Deleting | Phase::Unknown) {
        return None;
    }
    let (uid, id) = (uid(instance), container(pod));
    let known = ctx.memory.answer(&uid, &id).filter(|it| it.verdict.is_ok());
    if known.is_some() {
        return known;
    }
    let keys = keys?;
    let answer = Answer { container: id.clone(), verdict: verdict(instance, pod, keys).await };
    ctx.memory.remember(&uid, &id, answer.clone());
    Some(answer)
}

async fn verdict(instance: &ConvexInstance, pod: &Pod, keys: &Keys) -> Result<String, Obstacle> {
    let unreachable = |error: &convex::Error| {
        let name = pod.name_any();
        let (reason, advice) = match error {
            convex::Error::KeyRejected { .. } => (
                "AdminKeyRejected",
                "Does the pod run with another INSTANCE_NAME or INSTANCE_SECRET?",
            ),
            convex::Error::NotConvex(_) | convex::Error::TooLarge => {
                ("ProbeInvalid", "Is spec.backend.image an image of the Convex backend?")
            }
            _ => (
                "BackendUnreachable",
                "The operator asks the pod by its address on port 3210: does a NetworkPolicy forbid that?",
            ),
        };
        Obstacle::new(reason, format!("pod {name} {error}. {advice}"))
    };
    let address = address(pod).ok_or_else(|| {
        Obstacle::passing("BackendStarting", format!("pod {} has no address yet", pod.name_any()))
    })?;
    let backend = convex::Backend::at(address);
    let version = backend.version().await.map_err(|error| unreachable(&error))?;
    let key = keys
        .of_store(instance, &of_pod(pod).store)
        .map_err(|error| Obstacle::new("AdminKeyNotMinted", error.to_string()))?;
    backend.check_admin_key(&key).await.map_err(|error| unreachable(&error))?;
    Ok(version)
}

pub(super) fn address(pod: &Pod) -> Option<SocketAddr> {
    let ip: IpAddr = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
    Some(SocketAddr::new(ip, u16::try_from(API_PORT).ok()?))
}

/// What tells one run of the backend from the next.
pub(super) fn container(pod: &Pod) -> String {
    let statuses = pod.status.as_ref().and_then(|it| it.container_statuses.as_ref());
    let ours = statuses.into_iter().flatten().find(|it| it.name == CONTAINER);
    let id = ours.and_then(|it| it.container_id.clone()).unwrap_or_default();
    format!("{}/{id}", pod.uid().unwrap_or_default())
}
