//! The conditions of what carries data: the way back or the payload that is bought, what was loaded, and the code on it.

use statemachine::{
    Phase, Stage, Step,
    observed::{Kind, Outcome},
    pins::Upgrade,
    taken::Reason,
};

use super::verdict::Verdict;
use crate::{
    api::{ConditionStatus, ConditionType, ConvexInstanceStatus},
    observe::World,
    plan::names::{Errand, attempt},
};

fn pinned<'a>(step: &'a Step, world: &'a World) -> Option<&'a Upgrade> {
    step.pins.as_ref().unwrap_or(&world.facts.pins).upgrade.as_ref()
}

/// Whether what this upgrade needs of the data is bought and verified.
pub(super) fn exported(step: &Step, world: &World, before: &ConvexInstanceStatus) -> Verdict {
    let type_ = ConditionType::ExportCompleted;
    let Some(upgrade) = pinned(step, world) else {
        return last(type_, before);
    };
    if upgrade.stage == Stage::Exporting {
        let failed = failed(world, upgrade, [Errand::Export, Errand::Copy]);
        let (reason, message) = failed.unwrap_or(match upgrade.job() {
            Some((Kind::Copy, _)) => ("CopyRunning", String::new()),
            _ => ("ExportRunning", String::new()),
        });
        return Verdict::new(type_, false, reason, message);
    }
    match (&upgrade.copy, &upgrade.snapshot) {
        (Some(copy), _) => {
            Verdict::new(type_, true, "CopyVerified", format!("cold copy {}", attempt(copy)))
        }
        (None, Some(it)) => {
            Verdict::new(type_, true, "SnapshotVerified", format!("export {}", attempt(it)))
        }
        (None, None) => Verdict::new(type_, false, "NotRequested", ""),
    }
}

/// Whether the export of this upgrade is loaded and verified.
pub(super) fn imported(step: &Step, world: &World, before: &ConvexInstanceStatus) -> Verdict {
    let type_ = ConditionType::ImportCompleted;
    let ended = step.taken.is_some_and(|taken| {
        let from = taken.from == Phase::Upgrading(Stage::Importing);
        from && matches!(taken.reason, Reason::UpgradeFinished | Reason::RollbackFinished)
    });
    if ended {
        return Verdict::new(type_, true, "Verified", "");
    }
    let Some(upgrade) = pinned(step, world) else {
        return last(type_, before);
    };
    if !upgrade.imports() {
        return Verdict::new(type_, false, "NotRequested", "");
    }
    if upgrade.stage != Stage::Importing {
        return Verdict::new(type_, false, "Pending", "");
    }
    let done = world.jobs.find(Errand::Import, &upgrade.next_snapshot());
    if done.is_some_and(|it| it.outcome == Outcome::Succeeded) {
        return Verdict::new(type_, true, "Verified", "");
    }
    let (reason, message) =
        failed(world, upgrade, [Errand::Import; 2]).unwrap_or(("ImportRunning", String::new()));
    Verdict::new(type_, false, reason, message)
}

/// Between upgrades it is said what the last one came to.
fn last(type_: ConditionType, before: &ConvexInstanceStatus) -> Verdict {
    let told = before.conditions.iter().find(|it| it.type_ == format!("{type_:?}"));
    let done = told.filter(|it| it.status == ConditionStatus::True);
    done.map_or_else(
        || Verdict::new(type_, false, "NotRequested", ""),
        |it| Verdict::again(type_, it),
    )
}

fn failed(
    world: &World,
    upgrade: &Upgrade,
    errands: [Errand; 2],
) -> Option<(&'static str, String)> {
    let of = upgrade.next_snapshot();
    let mut jobs = errands.iter().filter_map(|errand| world.jobs.find(*errand, &of));
    let obstacle = jobs.find_map(|it| it.obstacle.clone())?;
    Some((obstacle.reason, obstacle.message))
}

/// Whether code is deployed on a store that was new; there from when one was made until the next upgrade.
pub(super) fn deployed(
    step: &Step,
    world: &World,
    before: &ConvexInstanceStatus,
) -> Option<Verdict> {
    let type_ = ConditionType::FunctionsDeployed;
    let told = before.conditions.iter().find(|it| it.type_ == format!("{type_:?}"));
    let fresh = pinned(step, world)
        .map(|it| it.stage != Stage::Exporting && it.aim().store != it.from.store && it.imports());
    let seen = world.hold.as_ref().and_then(|it| it.deployed);
    match (fresh, seen) {
        (Some(false), _) => None,
        (_, Some(true)) => Some(Verdict::new(type_, true, "Deployed", "")),
        (Some(true), _) | (None, Some(false)) => Some(Verdict::new(
            type_,
            false,
            "FunctionsMissing",
            "the data is in a new store, which holds no functions: deploy them with `npx convex deploy`, or set spec.maintenance.exportImport.waitForFunctions to false to let users in without",
        )),
        (None, None) => Some(Verdict::again(type_, told?)),
    }
}
