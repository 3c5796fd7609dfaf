//! The conditions of the parts of an instance: secrets, storage, backend, dashboard.

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use statemachine::{Phase, Step};

use super::{connected, verdict::Verdict};
use crate::{
    api::{Condition, ConditionStatus, ConditionType, ConvexInstance, Mode},
    observe::{AdminFound, Obstacle, World, hold},
    plan::Applied,
    status::messages,
};

/// One condition for each part.
pub(super) fn of(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
) -> Vec<Verdict> {
    let asked = instance.spec.dashboard.enabled;
    let dashboard = dashboard(world).filter(|_| asked);
    vec![
        secrets(world, applied),
        storage(instance, world, applied),
        Verdict::unless(ConditionType::BackendReady, backend(step, world).as_ref(), "Serving"),
        Verdict::unless(
            ConditionType::DashboardReady,
            dashboard.as_ref(),
            if asked { "Available" } else { "Disabled" },
        ),
        connected::database(instance, world),
        connected::storage(instance, world),
        exposed(instance, world),
    ]
}

fn exposed(instance: &ConvexInstance, world: &World) -> Verdict {
    let type_ = ConditionType::Exposed;
    match instance.spec.networking.way_in() {
        Mode::None => Verdict::new(type_, true, "NotRequested", "reached inside the cluster only"),
        Mode::Ingress => {
            Verdict::unless(type_, world.exposure.obstacle.as_ref(), "AddressAssigned")
        }
        Mode::Shared | Mode::OwnGateway => match &world.exposure.obstacle {
            None => Verdict::new(type_, true, "Accepted", world.exposure.limits.clone()),
            some => Verdict::unless(type_, some.as_ref(), ""),
        },
    }
}

fn secrets(world: &World, applied: &Applied) -> Verdict {
    let type_ = ConditionType::SecretsReady;
    let lacking = lacking(world, applied);
    if lacking.is_none() && world.outside.waits {
        let waits = "a Secret or ConfigMap that the spec names has changed: that is taken up once the upgrade is over";
        return Verdict::new(type_, true, "ChangePending", waits);
    }
    Verdict::unless(type_, lacking.as_ref(), "Present")
}

fn lacking(world: &World, applied: &Applied) -> Option<Obstacle> {
    if let Some(obstacle) = world.keys_obstacle.as_ref().or(world.outside.unread.as_ref()) {
        return Some(obstacle.clone());
    }
    let kept = world
        .keys
        .as_ref()
        .is_some_and(|keys| keys.admin_found == AdminFound::Whole && keys.is_kept());
    // What was created in this pass was not found in it.
    (!kept && applied.writes == 0).then(|| {
        Obstacle::passing("SecretsPending", "the Secrets of the instance are not there yet")
    })
}

fn storage(instance: &ConvexInstance, world: &World, applied: &Applied) -> Verdict {
    let type_ = ConditionType::StorageReady;
    if !instance.spec.backend.storage.pvc.enabled {
        if instance.spec.backend.db.is_server() {
            return Verdict::new(type_, true, "External", "all data is in servers outside");
        }
        return Verdict::new(
            type_,
            true,
            "Ephemeral",
            "the data lives in the pod and dies with it",
        );
    }
    let Some(claim) = world.children.claim() else {
        return Verdict::new(type_, false, "ClaimMissing", "the claim is not there");
    };
    if claim.metadata.deletion_timestamp.is_some() {
        return Verdict::new(
            type_,
            false,
            "ClaimTerminating",
            "somebody has deleted the claim: it goes, with the data, as soon as no pod uses it. Make a copy of the data now.",
        );
    }
    let not_grown = applied.not_grown.as_ref().filter(|it| it.name == claim.name_any());
    if let Some(refused) = not_grown.and_then(|_| messages::not_grown(applied)) {
        return Verdict::new(type_, false, refused.reason, refused.message);
    }
    let phase = claim.status.as_ref().and_then(|it| it.phase.as_deref()).unwrap_or("Pending");
    let message = match (phase, &world.trouble) {
        ("Pending", Some(trouble)) if trouble.reason == "VolumePending" => trouble.message.clone(),
        _ => String::new(),
    };
    Verdict::new(type_, phase == "Bound", phase, message)
}

fn backend(step: &Step, world: &World) -> Option<Obstacle> {
    if world.backend_serves() {
        return None;
    }
    let answered = world.answer.as_ref().and_then(|it| it.verdict.as_ref().err());
    let why = world.trouble.as_ref().or(answered).cloned();
    let stopped = (step.phase == Phase::Suspended)
        .then(|| Obstacle::passing("Suspended", "stopped by spec.suspend"));
    stopped
        .or(why)
        .or_else(|| Some(Obstacle::passing("BackendNotServing", "the backend does not serve yet")))
}

/// What the dashboard lacks.
pub(in crate::status) fn dashboard(world: &World) -> Option<Obstacle> {
    if world.requisites.dashboard.is_some() {
        return world.requisites.dashboard.clone();
    }
    let Some(deployment) = world.children.dashboard.as_deref() else {
        return Some(Obstacle::passing("DashboardStarting", "the dashboard is not there yet"));
    };
    let trouble = unmade(deployment).or_else(|| world.dashboard_trouble());
    (!is_available(deployment)).then(|| {
        trouble.unwrap_or_else(|| Obstacle::passing("DashboardStarting", "the dashboard starts"))
    })
}

/// A pod that may not be made is nowhere to be asked: a quota, or the Pod Security Standard of the namespace.
fn unmade(deployment: &Deployment) -> Option<Obstacle> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let failure =
        conditions.iter().find(|it| it.type_ == "ReplicaFailure" && it.status == "True")?;
    let why = failure.message.as_deref().unwrap_or_default();
    Some(Obstacle::new("PodRefused", format!("a pod of the dashboard may not be made: {why}")))
}

fn is_available(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|it| it.replicas).unwrap_or(1);
    let Some(status) = &deployment.status else { return wanted == 0 };
    let current = status.observed_generation >= deployment.metadata.generation;
    let updated = status.updated_replicas.unwrap_or_default() >= wanted;
    current && updated && status.available_replicas.unwrap_or_default() >= wanted
}

/// A deployment that does not do what it is asked for.
pub(in crate::status) fn not_resumed(error: &str) -> Obstacle {
    let why = format!(
        "users are still turned away by the pause of the upgrade: the deployment does not let itself be resumed ({error}). Its log says why; where its volume is full, raise spec.backend.storage.pvc.size."
    );
    Obstacle::new("TrafficHeld", why)
}

/// What keeps an instance whose backend serves from being as its spec wants it.
pub(in crate::status) fn surroundings(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
) -> Option<Obstacle> {
    if step.phase != Phase::Ready {
        return None;
    }
    let paused = hold::is_paused_by_owner(instance, world.hold.as_ref());
    let flows = applied.flows || world.traffic_flows() || (paused && world.service_flows());
    let held = || match &applied.unresumed {
        Some(error) => {
            let lasts = applied.unasked_for >= Some(messages::UNHELD);
            Obstacle { abnormal: lasts, ..not_resumed(error) }
        }
        _ if world.service_flows() => Obstacle::passing(
            "TrafficHeld",
            "users are turned away by the pause of the upgrade until it is lifted",
        ),
        _ => Obstacle::passing(
            "TrafficHeld",
            "the Service of the backend is not there or leads nowhere yet",
        ),
    };
    let dashboard = || dashboard(world).filter(|_| instance.spec.dashboard.enabled);
    // Whoever waits for an instance to be Ready goes on to its hosts. Once it is, what passes by itself takes that away from nobody.
    let awaited = world.exposure.awaited && !was_ready(instance);
    let kept_out = || world.exposure.obstacle.clone().filter(|it| it.abnormal || awaited);
    (!flows).then(held).or_else(dashboard).or_else(kept_out)
}

fn was_ready(instance: &ConvexInstance) -> bool {
    let ready = |it: &Condition| it.type_ == "Ready" && it.status == ConditionStatus::True;
    instance.status.iter().flat_map(|it| &it.conditions).any(ready)
}
