//! What people are told: what is, why, and what to do, in one or two sentences.

use std::time::Duration;

use kube::ResourceExt;
use statemachine::{Phase, Step, Waiting, pins::Direction, taken::Reason};

use crate::{
    api::{Blocked, ConvexInstance, ConvexInstanceStatus},
    observe::{Obstacle, World, cut},
    plan::{Applied, labels::VERSION},
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
    let message = cut(&sentence(instance, step, world, obstacle.as_ref()));
    let news = step.taken.and_then(|taken| announced(instance, taken.reason, world));
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

/// Causes that a pod tells while it crashes, and not while it starts again.
const REASONS_KEPT: [&str; 10] = [
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
];

fn obstacle(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
) -> Option<Obstacle> {
    refused(applied)
        .or_else(|| rolled(step, applied))
        .or_else(|| {
            step.waiting.as_ref().map(|waiting| waiting_for(instance, step, waiting, world))
        })
        .or_else(|| world.keys_obstacle.clone())
        .or_else(|| world.references.clone())
        .or_else(|| super::conditions::surroundings(instance, step, world))
        .or_else(|| not_grown(applied))
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

/// What was seen of pods in this pass says nothing about the template that was just changed.
fn rolled(step: &Step, applied: &Applied) -> Option<Obstacle> {
    let now = applied.rolled && step.phase == Phase::Ready;
    now.then(|| Obstacle::passing("RollingOut", "a changed setting is being rolled out"))
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

fn waiting_for(
    instance: &ConvexInstance,
    step: &Step,
    waiting: &Waiting,
    world: &World,
) -> Obstacle {
    let own = || Obstacle::new(waiting.reason(), waiting.to_string());
    let passing = || Obstacle::passing(waiting.reason(), waiting.to_string());
    match waiting {
        Waiting::ForReferences => world.references.clone().unwrap_or_else(own),
        Waiting::Lost(_) => lost(instance, world).unwrap_or_else(own),
        Waiting::ForBackend(_) | Waiting::ForOthersGone => {
            let barred = world.barred.clone();
            let told = barred.or_else(|| backend(step, world));
            told.unwrap_or_else(|| others(waiting, world))
        }
        Waiting::ForWayBack(strategy) => Obstacle::new(
            waiting.reason(),
            format!(
                "the upgrade to {} is not begun: {} needs a copy or an export of the data first, which this version of the operator does not make. Set spec.maintenance.upgradeStrategy to inPlace and preUpgradeSnapshot to Off to go on without a way back, or put spec.version back.",
                short(&instance.spec.version),
                strategy.name()
            ),
        ),
        Waiting::ForChildrenGone => leaving(waiting, world),
        // What stopped the upgrade is worth more than that it has stopped, which the sentence says anyhow.
        Waiting::ForHelp(_) => backend(step, world).unwrap_or_else(own),
        Waiting::ForBackendStopped | Waiting::ForFences | Waiting::ForResume(_) => passing(),
        _ => own(),
    }
}

/// What is waited for, with every pod that is taken for this backend's: one of them may be a stray.
fn others(waiting: &Waiting, world: &World) -> Obstacle {
    let pods: Vec<_> = world.children.pods.iter().map(|pod| pod.name_any()).collect();
    let there = if pods.is_empty() { "none".to_owned() } else { pods.join(", ") };
    Obstacle::passing(waiting.reason(), format!("{waiting} (pods there are: {there})"))
}

/// Whoever waits this long waits for a person: a finalizer of somebody else, a lost node, a pod that is kept.
const LEAVING: Duration = Duration::from_mins(3);

fn leaving(waiting: &Waiting, world: &World) -> Obstacle {
    let left = world.leftovers.join(", ");
    if world.facts.waited < LEAVING {
        return Obstacle::passing(waiting.reason(), format!("waiting for {left}"));
    }
    Obstacle::new(
        "ChildrenStuck",
        format!(
            "the deletion waits for {left}, longer than they should take: see what keeps them (finalizers, a lost node, a controller of somebody else). Nothing is forced, for a backend that still runs still writes."
        ),
    )
}

fn lost(instance: &ConvexInstance, world: &World) -> Option<Obstacle> {
    let storage = &instance.spec.backend.storage.pvc;
    if storage.enabled && world.children.claim_is_lost() {
        let name = world.claim_name(instance);
        if world.children.claim_is_going() {
            return Some(Obstacle::new(
                "StoreLost",
                format!(
                    "claim \"{name}\", which holds the data of this instance, is being deleted: it goes, with the data, as soon as no pod uses it. Make a copy of the data now; the backend is left running."
                ),
            ));
        }
        return Some(Obstacle::new(
            "StoreLost",
            format!(
                "claim \"{name}\", which holds the data of this instance, is gone or has lost its volume. An empty one is not made in its place: restore \"{name}\" from a backup or a retained volume."
            ),
        ));
    }
    world.keys_obstacle.clone()
}

/// Why the backend does not serve: what its pod tells, else what it answered.
fn backend(step: &Step, world: &World) -> Option<Obstacle> {
    let answered = world.answer.as_ref().map(|it| &it.verdict);
    match (&world.trouble, answered) {
        (Some(trouble), _) => Some(trouble.clone()),
        (None, Some(Err(obstacle))) => Some(obstacle.clone()),
        (None, Some(Ok(version))) => {
            let aim = aim(world).filter(|aim| aim != version)?;
            (step.phase != Phase::Ready).then(|| other_version(world, version, aim))
        }
        (None, None) => None,
    }
}

/// A pod that is yet to be replaced answers as it was asked to; only a new one that does so is wrong.
fn other_version(world: &World, answers: &str, aim: &str) -> Obstacle {
    let asked = world.children.pods.first().and_then(|pod| pod.annotations().get(VERSION));
    let (now, then) = (short(answers), short(aim));
    if asked.is_some_and(|asked| asked != aim) {
        return Obstacle::passing(
            "BackendReplacing",
            format!("the backend of version {now} is being replaced by {then}"),
        );
    }
    Obstacle::new(
        "VersionMismatch",
        format!("the backend answers as version {now}, and {then} was asked for"),
    )
}

fn aim(world: &World) -> Option<&str> {
    let pins = &world.facts.pins;
    let aim = pins.upgrade.as_ref().map(|it| match it.direction {
        Direction::Forward => &it.to.release.version,
        Direction::Rollback => &it.from.release.version,
    });
    aim.or(pins.home.as_ref().map(|home| &home.release.version)).map(String::as_str)
}

fn sentence(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    obstacle: Option<&Obstacle>,
) -> String {
    let version = short(&instance.spec.version);
    let why = obstacle.map(|it| it.message.as_str()).unwrap_or_default();
    match (step.phase, obstacle) {
        (Phase::Ready, None) => format!("the backend serves {}", short(&world.release().version)),
        (Phase::Suspended, _) => "suspended by spec.suspend; all data is kept".to_owned(),
        (Phase::Provisioning, Some(_)) => format!("waiting for the backend: {why}"),
        (Phase::Upgrading(stage), Some(_)) => {
            format!("upgrading to {version}, {}: {why}", format!("{stage:?}").to_lowercase())
        }
        (Phase::Degraded, _) => degraded(world, why),
        (_, Some(_)) => why.to_owned(),
        (Phase::Pending, None) => "looking at what the spec refers to".to_owned(),
        (Phase::Provisioning, None) => {
            format!("creating secrets, storage, backend and dashboard for version {version}")
        }
        (Phase::Upgrading(stage), None) => {
            format!("upgrading to {version}, {}", format!("{stage:?}").to_lowercase())
        }
        (Phase::Deleting, None) => "removing what belongs to the instance".to_owned(),
        (Phase::Unknown, None) => "a newer operator wrote this status".to_owned(),
    }
}

fn degraded(world: &World, why: &str) -> String {
    let Some(upgrade) = &world.facts.pins.upgrade else { return why.to_owned() };
    let (from, to) = (short(&upgrade.from.release.version), short(&upgrade.to.release.version));
    let back = if upgrade.has_way_back() {
        format!("To go back: set spec.version to {}.", upgrade.from.release.version)
    } else {
        format!("There is no way back to {from}: none was asked for (preUpgradeSnapshot Off).")
    };
    format!(
        "upgrade {} to {to} stopped in {:?}: {why}. {back} To try again: annotate convex.icod.de/retry=<anything new>.",
        upgrade.id.0, upgrade.stage
    )
}

/// What is said about an edge, where that is more than what is said about the phase.
fn announced(instance: &ConvexInstance, reason: Reason, world: &World) -> Option<String> {
    let version = short(&instance.spec.version);
    let runs = short(&world.release().version);
    Some(match reason {
        Reason::Provisioning | Reason::Settled => {
            format!("creating secrets, storage, backend and dashboard for version {version}")
        }
        Reason::Ready => format!("backend serves {runs}, admin key accepted"),
        Reason::UpgradeStarted => format!("{runs} -> {version} in place, without a way back"),
        Reason::UpgradeFinished => {
            format!("backend serves {version} after {}s", world.facts.waited.as_secs())
        }
        Reason::Recovered => format!("the backend serves {runs} again"),
        Reason::Resumed => "resumed: the backend is started again".to_owned(),
        Reason::MemoryLost => {
            "the status was lost: looking at what is there before anything is moved".to_owned()
        }
        _ => return None,
    })
}

/// A commit id by its first seven characters, as people call it; anything else in full.
pub(super) fn short(version: &str) -> String {
    let commit = version.len() == 40 && version.bytes().all(|it| it.is_ascii_hexdigit());
    version[..if commit { 7 } else { version.len() }].to_owned()
}
