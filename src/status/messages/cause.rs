//! What keeps an instance where it is, with what to do about it.

use std::time::Duration;

use kube::ResourceExt;
use statemachine::{Phase, Stage, Step, Waiting, pins::Direction};

use super::{
    by_hand, control,
    release::to_set,
    short,
    workers::{
        attempt_ended, export_gone, going, imports, let_in, or_go_back, overdue, stray, worker,
    },
};
use crate::{
    api::ConvexInstance,
    observe::{Obstacle, World},
    plan::labels::VERSION,
};

/// What is told about a wait.
pub(super) fn waiting_for(
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
        Waiting::NoWayBack(_) => {
            let upgrade = world.facts.pins.upgrade.as_ref();
            let told = upgrade.and_then(|it| by_hand::told(instance, world, it));
            told.map_or_else(own, |told| Obstacle::new(waiting.reason(), told))
        }
        Waiting::ForWayBack(strategy) if instance.spec.backend.db.is_server() => Obstacle::new(
            waiting.reason(),
            format!(
                "the upgrade to {} is not begun: its strategy ({}) needs a copy of the database or a new one, and the operator makes neither on a server. Set spec.maintenance.preUpgradeSnapshot to Auto and spec.maintenance.exportImport.into to SameStore, or put spec.version back.",
                short(&instance.spec.version),
                strategy.name()
            ),
        ),
        Waiting::ForWayBack(strategy) => Obstacle::new(
            waiting.reason(),
            format!(
                "the upgrade to {} is not begun: its strategy ({}) needs a volume to copy or to fill, and the data of this instance is on none (storage.pvc.enabled is false). Set spec.maintenance.upgradeStrategy to inPlace and preUpgradeSnapshot to \"Off\" (quoted, for YAML) to go on without a way back, or put spec.version back.",
                short(&instance.spec.version),
                strategy.name()
            ),
        ),
        Waiting::Refused(release) => Obstacle::new(
            waiting.reason(),
            format!(
                "version {} was rolled back and is not tried again by itself: annotate convex.icod.de/retry=<anything new> once its cause is gone, set spec.version to another version, or, to stay with what serves, set {}",
                short(&release.version),
                to_set(instance, world, world.release())
            ),
        ),
        // A proof needs no claim: what keeps it from its end is not that one goes.
        Waiting::ForImageProven(_) => {
            worker(world).or_else(|| going(instance, world)).unwrap_or_else(passing)
        }
        Waiting::ForExport(_) | Waiting::ForCopy(_) | Waiting::ForImport(_) => {
            let gone = export_gone(instance, world).map(|it| or_go_back(instance, world, it));
            let told = gone.or_else(|| going(instance, world)).or_else(|| worker(world));
            told.unwrap_or_else(passing)
        }
        Waiting::ForApproval | Waiting::ForWindow | Waiting::ForTurn => {
            control::waits(instance, world).unwrap_or_else(own)
        }
        Waiting::ForChildrenGone => leaving(waiting, world),
        // What stopped the upgrade is worth more than that it has stopped, which the sentence says anyhow.
        Waiting::ForHelp(_) => {
            let backend = backend(step, world);
            let told = let_in(step, world).or_else(|| attempt_ended(instance, world));
            let told = told.or_else(|| backend.clone().filter(|it| it.abnormal));
            let told = told.or_else(|| stray(world)).or_else(|| imports(world)).or(backend);
            told.or_else(|| overdue(instance, world)).unwrap_or_else(own)
        }
        Waiting::HoldUnsupported => Obstacle::new(
            waiting.reason(),
            format!(
                "version {} is too old to turn users away, and what they write while it is exported would be lost: set spec.maintenance.preUpgradeSnapshot to Copy, or accept that (spec.maintenance.acceptUnheldExport: true)",
                short(&world.release().version)
            ),
        ),
        Waiting::ForTrafficHeld => {
            broken(world).or_else(|| going(instance, world)).unwrap_or_else(passing)
        }
        Waiting::ForJobsStopped => stray(world).or_else(|| imports(world)).unwrap_or_else(passing),
        Waiting::ForBackendStopped => going(instance, world).unwrap_or_else(passing),
        Waiting::ForFences | Waiting::ForResume(_) => passing(),
        _ => own(),
    }
}

/// A way back is bought from a backend that answers: one that is broken can neither be paused nor asked.
fn broken(world: &World) -> Option<Obstacle> {
    let trouble = world.trouble.as_ref().filter(|it| it.abnormal && !world.backend_serves())?;
    let from = &world.release().version;
    Some(Obstacle::new(
        trouble.reason,
        format!(
            "no way back can be made of {}, which does not serve: {}. Mend it first with spec.version {from}, or go on without a way back: spec.maintenance.preUpgradeSnapshot \"Off\" (quoted, for YAML)",
            short(from),
            trouble.message.trim_end_matches('.')
        ),
    ))
}

/// What a stage is about as a whole: what is waited for when it is entered is over in a moment, and would be told for long.
pub(super) fn of_the_stage(step: &Step) -> Option<Obstacle> {
    let Phase::Upgrading(stage) = step.phase else { return None };
    let (reason, words) = match stage {
        Stage::Exporting => (
            "ExportRunning",
            "the image of the target is proven, users are turned away, and a way back is made and verified",
        ),
        Stage::Rolling => ("BackendReplacing", "the backend is being replaced"),
        Stage::Importing => {
            ("ImportRunning", "the export is loaded into the backend and counted there")
        }
    };
    Some(Obstacle::passing(reason, words))
}

/// A pod that may be made is made in less, on a busy cluster too.
const UNMADE: Duration = Duration::from_secs(20);

/// What is waited for, with every pod that is taken for this backend's: one of them may be a stray.
fn others(waiting: &Waiting, world: &World) -> Obstacle {
    let pods: Vec<_> = world.children.pods.iter().map(|pod| pod.name_any()).collect();
    if pods.is_empty() {
        let told = format!("{waiting}: its pod is not made yet");
        if world.unmade.is_none_or(|it| it < UNMADE) {
            return Obstacle::passing(waiting.reason(), told);
        }
        let set = world.names.backend();
        return Obstacle::new(
            "PodNotMade",
            format!(
                "{told}, which takes long: `kubectl describe statefulset {set}` tells why, such as a quota, a LimitRange, or the Pod Security Standard of the namespace"
            ),
        );
    }
    Obstacle::passing(waiting.reason(), format!("{waiting} (pods there are: {})", pods.join(", ")))
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
            let aim = aim(world).filter(|aim| aim != version && step.phase != Phase::Ready);
            let unmigrated = || world.unmigrated.as_ref().map(|it| it.obstacle.clone());
            aim.map(|aim| other_version(world, version, aim)).or_else(unmigrated)
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

/// The version that is to answer now: until a way back is bought that is the old one.
fn aim(world: &World) -> Option<&str> {
    let upgrade = world.facts.pins.upgrade.as_ref();
    let stays = upgrade.filter(|it| it.stage == Stage::Exporting).map(|it| &it.from.release);
    let home = || world.facts.pins.home.as_ref().map(|home| home.release.version.as_str());
    stays.map(|it| it.version.as_str()).or_else(|| gone_to(world)).or_else(home)
}

/// The version that the upgrade under way goes to, whatever the spec says by now.
pub(super) fn gone_to(world: &World) -> Option<&str> {
    let upgrade = world.facts.pins.upgrade.as_ref()?;
    Some(match upgrade.direction {
        Direction::Forward => &upgrade.to.release.version,
        Direction::Rollback => &upgrade.from.release.version,
    })
}
