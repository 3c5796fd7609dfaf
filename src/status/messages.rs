//! What people are told: what is, why, and what to do, in one or two sentences.

mod by_hand;
mod cause;
mod control;
mod news;
mod release;
mod sentence;
mod workers;

use std::time::Duration;

use statemachine::{Phase, Step, Waiting};

use self::{cause::waiting_for, news::announced, sentence::sentence};
use crate::{
    api::{Blocked, ConvexInstance, ConvexInstanceStatus},
    observe::{Obstacle, World, cut},
    plan::Applied,
};

/// The reason of a claim that cannot grow.
pub(super) const RESIZE_REFUSED: &str = "VolumeResizeRefused";

/// What is told about one pass.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// What is, in a sentence or two.
    pub message: String,
    /// What has just happened, where an edge was taken.
    pub news: String,
    /// What keeps the instance where it is, or from being as its spec wants it.
    pub obstacle: Option<Obstacle>,
    /// The same, as it stands in the status.
    pub blocked: Option<Blocked>,
}

/// What is told about this pass.
pub(super) fn tell(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
    before: &ConvexInstanceStatus,
) -> Told {
    let found = obstacle(instance, step, world, applied);
    let obstacle = match found {
        // A cause that has gone quiet is still the cause: it is kept until another is known.
        Some(now) if step.phase == Phase::Degraded && !now.abnormal => {
            Some(kept(before).unwrap_or(now))
        }
        other => other,
    };
    let obstacle = match obstacle {
        Some(now) if !now.abnormal && step.taken.is_some() => {
            Some(cause::of_the_stage(step).unwrap_or(now))
        }
        other => other,
    };
    let message = cut(&sentence(instance, step, world, obstacle.as_ref()));
    let news = step.taken.and_then(|taken| announced(instance, step, taken.reason, world));
    let guard = step.waiting.as_ref().map_or("InstanceReady", Waiting::guard);
    let blocked = obstacle.as_ref().map(|it| Blocked {
        guard: guard.to_owned(),
        reason: it.reason.to_owned(),
        message: it.message.clone(),
    });
    Told { news: news.unwrap_or_else(|| message.clone()), message, obstacle, blocked }
}

fn kept(before: &ConvexInstanceStatus) -> Option<Obstacle> {
    let blocked = before.blocked_by.first()?;
    let reason = REASONS_KEPT.into_iter().find(|reason| *reason == blocked.reason)?;
    Some(Obstacle::new(reason, blocked.message.clone()))
}

/// Causes that a pod or a deployment tells while it fails, and not while it starts again or is asked nothing.
const REASONS_KEPT: [&str; 23] = [
    "BackendCrashing",
    "ImagePullFailed",
    "ContainerConfigError",
    "Unschedulable",
    "AdminKeyRejected",
    "BackendUnreachable",
    "ProbeInvalid",
    "VersionMismatch",
    "PodStuck",
    "DeadlineExceeded",
    "LogUnreadable",
    "MetadataAhead",
    "MigrationFailed",
    "ExportFailed",
    "ExportGone",
    "UsersLetIn",
    "CopyFailed",
    "ImportFailed",
    "ImportsUntold",
    "HoldRefused",
    "NameConflict",
    "Forbidden",
    "Rejected",
];

fn obstacle(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
) -> Option<Obstacle> {
    refused(applied)
        .or_else(|| failing(applied))
        .or_else(|| keyless(step, world))
        .or_else(|| lacking(step, world))
        .or_else(|| rolled(step, world, applied))
        .or_else(|| unheld(step, world, applied))
        .or_else(|| unresumed(step, applied))
        .or_else(|| {
            step.waiting.as_ref().map(|waiting| waiting_for(instance, step, waiting, world))
        })
        .or_else(|| world.keys_obstacle.clone())
        .or_else(|| world.outside.obstacle().cloned())
        .or_else(|| world.references.clone())
        .or_else(|| world.control.misread.clone())
        .or_else(|| super::conditions::surroundings(instance, step, world, applied))
        .or_else(|| not_grown(applied))
}

/// A webhook that does not answer, above all: nothing else says so.
fn failing(applied: &Applied) -> Option<Obstacle> {
    let error = applied.failed.as_ref().filter(|_| applied.fails)?;
    let message = format!(
        "the API server fails to write what belongs to the instance: {error}. It is tried again and again."
    );
    Some(Obstacle::new("WriteFailed", message))
}

/// What the claim has is served from; only its owner or the owner of its class can make it more.
pub(super) fn not_grown(applied: &Applied) -> Option<Obstacle> {
    let it = applied.not_grown.as_ref()?;
    Some(Obstacle::new(
        RESIZE_REFUSED,
        format!(
            "claim \"{}\" keeps its size, and everything else goes on: {}. Let its StorageClass grow volumes (allowVolumeExpansion: true), or lift the quota.",
            it.name,
            it.message.trim_end_matches('.')
        ),
    ))
}

/// Without keys nothing is planned, and what else is waited for is of no use.
fn keyless(step: &Step, world: &World) -> Option<Obstacle> {
    let waits = !matches!(step.phase, Phase::Pending | Phase::Deleting | Phase::Suspended);
    let keyless = world.keys_obstacle.clone().filter(|_| world.keys.is_none());
    let unread = || world.outside.obstacle().cloned();
    let unled = || unread().filter(|_| world.outside.settings.is_none());
    keyless.or_else(unled).filter(|_| waits && !world.is_lost())
}

/// What the backend's pod takes from its namespace is not there: it is not rolled, and what else is waited for is of no use.
fn lacking(step: &Step, world: &World) -> Option<Obstacle> {
    let waits = !matches!(step.phase, Phase::Pending | Phase::Deleting | Phase::Suspended);
    world.requisites.obstacle.clone().filter(|_| waits && !world.is_lost())
}

/// A deployment that starts is asked again at once.
pub(super) const UNHELD: Duration = Duration::from_secs(10);

/// A volume that is full, above all: its deployment cannot even note that it is paused.
fn unheld(step: &Step, world: &World, applied: &Applied) -> Option<Obstacle> {
    let error = applied.unheld.as_ref()?;
    let lasts = world.facts.waited >= UNHELD;
    let waits = step.waiting == Some(Waiting::ForTrafficHeld) && lasts;
    waits.then(|| {
        Obstacle::new(
            "HoldRefused",
            format!(
                "users are not turned away, and nothing is made of data that they write to: the deployment does not let itself be paused ({error}). Its log says why; where its volume is full, raise spec.backend.storage.pvc.size."
            ),
        )
    })
}

/// Another try is not heard of before users are in again, and whoever asked for one has to know why.
fn unresumed(step: &Step, applied: &Applied) -> Option<Obstacle> {
    let error = applied.unresumed.as_ref().filter(|_| step.phase == Phase::Degraded)?;
    (applied.unasked_for >= Some(UNHELD)).then(|| super::conditions::not_resumed(error))
}

/// What was seen of pods in this pass says nothing about the template that was just changed.
fn rolled(step: &Step, world: &World, applied: &Applied) -> Option<Obstacle> {
    let now = applied.rolled && step.phase == Phase::Ready;
    let why = if world.control.restarts(world.now) {
        "the backend is being restarted (spec.maintenance.restartInterval)"
    } else {
        "a changed setting is being rolled out"
    };
    now.then(|| Obstacle::passing("RollingOut", why))
}

fn refused(applied: &Applied) -> Option<Obstacle> {
    let conflict = applied.conflicts.first().map(|it| Obstacle::conflict(&it.kind, &it.name));
    conflict.or_else(|| {
        let it = applied.refused.first()?;
        let what = format!("{} \"{}\": {}", it.kind, it.name, it.message);
        Some(match it.reason.as_str() {
            "Forbidden" => Obstacle::new(
                "Forbidden",
                format!("the API server does not let the operator write {what}"),
            ),
            _ => Obstacle::new("Rejected", format!("the API server rejects {what}")),
        })
    })
}

/// A commit id by its first seven characters, as people call it; anything else in full.
pub(super) fn short(version: &str) -> String {
    let commit = version.len() == 40 && version.bytes().all(|it| it.is_ascii_hexdigit());
    version[..if commit { 7 } else { version.len() }].to_owned()
}
