//! What is, and what has just happened, in a sentence or two.

use statemachine::{
    Phase, Stage, Step,
    pins::{Direction, Release, Upgrade},
};

use super::{
    super::account::upgrade::{is_there, way_back},
    by_hand,
    cause::gone_to,
    control,
    release::to_set,
    short,
};
use crate::{
    api::{ConvexInstance, Engine},
    observe::{Obstacle, World, asked_again, hold},
};

/// What is.
pub(super) fn sentence(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    obstacle: Option<&Obstacle>,
) -> String {
    let version = short(gone_to(world).unwrap_or(&instance.spec.version));
    let why = obstacle.map(|it| it.message.as_str()).unwrap_or_default();
    match (step.phase, obstacle) {
        (Phase::Ready, None) => serving(instance, world),
        (Phase::Suspended, _) => suspended(instance),
        (Phase::Provisioning, Some(_)) => format!("waiting for the backend: {why}"),
        (Phase::Upgrading(stage), Some(_)) => {
            format!("upgrading to {version}, {}: {why}", format!("{stage:?}").to_lowercase())
        }
        (Phase::Degraded, _) => degraded(instance, world, why),
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

fn serving(instance: &ConvexInstance, world: &World) -> String {
    let version = short(&world.release().version);
    if hold::is_paused_by_owner(instance, world.hold.as_ref()) {
        return format!(
            "the backend serves {version}; the deployment is paused, and nobody but administrators gets through until it is resumed in the dashboard or by POST /api/v1/unpause_deployment"
        );
    }
    format!("the backend serves {version}")
}

fn suspended(instance: &ConvexInstance) -> String {
    let backend = &instance.spec.backend;
    let kept = backend.db.engine != Engine::Sqlite || backend.storage.pvc.enabled;
    let data = if kept {
        "all data is kept"
    } else {
        "the data, which was on no volume (storage.pvc.enabled is false), went with the pod"
    };
    format!("suspended by spec.suspend; {data}")
}

fn degraded(instance: &ConvexInstance, world: &World, why: &str) -> String {
    let Some(upgrade) = &world.facts.pins.upgrade else { return at_home(instance, world, why) };
    let (from, to) = (short(&upgrade.from.release.version), short(&upgrade.to.release.version));
    let there = upgrade.has_way_back() && !world.facts.way_back_gone;
    let kept = way_back(instance, upgrade, world).filter(|_| there && is_there(upgrade, world));
    let kept = kept.map(|it| format!("The data of {from} is kept: {it}. ")).unwrap_or_default();
    let (id, stage, why) = (&upgrade.id.0, upgrade.stage, why.trim_end_matches('.'));
    let asked = asked_again(instance).filter(|it| !it.is_empty() && *it != upgrade.retry);
    let again = if upgrade.stage == Stage::Exporting && asked.is_some() {
        format!(
            "Another try is asked for, and begins once {from} serves users again and no worker of the last one runs."
        )
    } else {
        "To try again: annotate convex.icod.de/retry=<anything new>.".to_owned()
    };
    if upgrade.direction == Direction::Rollback {
        let elsewhere = elsewhere_from(world, upgrade);
        return format!(
            "the rollback of upgrade {id} to {from} stopped in {stage:?}: {why}. {kept}It goes on by itself once {from} serves. {elsewhere}{again}"
        );
    }
    let back = if there {
        format!("{kept}To go back: set {}.", to_set(instance, world, &upgrade.from.release))
    } else if let Some(by_hand) = by_hand::told(instance, world, upgrade) {
        by_hand
    } else if upgrade.has_way_back() {
        let gone = way_back(instance, upgrade, world).unwrap_or_default();
        format!("There is no way back to {from} any more: {gone}, is gone.")
    } else {
        format!("There is no way back to {from}: none was asked for (preUpgradeSnapshot Off).")
    };
    let older = elsewhere(world, upgrade).unwrap_or_default();
    format!("upgrade {id} to {to} stopped in {stage:?}: {why}. {older}{back} {again}")
}

/// A registry may be gone that the old image was had from.
fn elsewhere_from(world: &World, upgrade: &Upgrade) -> String {
    let Release { version, image, .. } = &upgrade.from.release;
    let gone =
        |it: &Obstacle| it.reason == "ImagePullFailed" && it.message.contains(image.as_str());
    let gone = world.trouble.as_ref().is_some_and(gone);
    if !gone {
        return String::new();
    }
    format!(
        "If another registry has that image, set spec.version to {version} and spec.backend.image to {image} there. "
    )
}

/// What is wished for instead, where the store has moved on from it.
fn elsewhere(world: &World, upgrade: &Upgrade) -> Option<String> {
    let wish = &world.facts.wish.release;
    let same = upgrade.stage != Stage::Exporting && upgrade.to.store == upgrade.from.store;
    let another = *wish != upgrade.to.release && !upgrade.came_from(wish);
    let (wished, to) = (short(&wish.version), short(&upgrade.to.release.version));
    (same && another && world.facts.outgrown).then(|| {
        format!("{wished} is not tried: the store was given to {to} after it, and may have been migrated. ")
    })
}

/// What is wished for is not even tried where the store has moved on; that is said beside what fails.
fn at_home(instance: &ConvexInstance, world: &World, why: &str) -> String {
    let (wished, home) = (&world.facts.wish.release.version, &world.release().version);
    if !world.facts.outgrown || wished == home {
        // A way out may be wished for already.
        let waits = control::waits(instance, world).map(|it| it.message);
        return waits
            .map_or_else(|| why.to_owned(), |it| format!("{}. {it}", why.trim_end_matches('.')));
    }
    let (wished, home) = (short(wished), short(home));
    format!(
        "{} (of {home}). {wished} is not tried: the store was given to {home} after it, and may have been migrated.",
        why.trim_end_matches('.')
    )
}
