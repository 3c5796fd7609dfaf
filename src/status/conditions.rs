//! Conditions: computed afresh on every pass from what was seen, in the order in which kstatus reads them.

mod connected;
mod parts;
mod transfer;
mod verdict;

use statemachine::{Phase, Step, Waiting, phase::Stage};

pub(super) use self::{
    parts::{dashboard, not_resumed, surroundings},
    verdict::Verdict,
};
use super::messages::{RESIZE_REFUSED, Told};
use crate::{
    api::{ConditionStatus, ConditionType, ConvexInstance},
    observe::{World, hold},
    plan::{Applied, labels::PAUSED},
};

/// The one condition that is written about a phase or pins that this operator does not know.
pub(super) fn unknown(step: &Step) -> Verdict {
    let reason = step.waiting.as_ref().map_or("UnknownPhase", Waiting::reason);
    let message = "a newer operator wrote this status; this one touches nothing. Install the newer operator again.";
    Verdict::new(ConditionType::Ready, ConditionStatus::Unknown, reason, message)
}

/// The one condition that is written while somebody wants everything left as it is.
pub(super) fn paused(name: &str) -> Verdict {
    let message = format!(
        "nothing is changed, repaired or upgraded, and no other condition is kept up to date, while the annotation {PAUSED} is \"true\"; to go on: kubectl annotate convexinstance {name} {PAUSED}-"
    );
    Verdict::new(ConditionType::Paused, true, "Paused", message)
}

/// Every condition of this pass.
pub(super) fn of(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
    told: &Told,
) -> Vec<Verdict> {
    let mut all = summary(step, world, told);
    all.extend(progress(instance, step, world, applied, told));
    let before = instance.status.clone().unwrap_or_default();
    all.push(transfer::exported(step, world, &before));
    all.push(transfer::imported(step, world, &before));
    all.extend(transfer::deployed(step, world, &before));
    all.extend(parts::of(instance, step, world, applied));
    all.extend(notices(instance));
    all
}

/// `Ready`, and what kstatus needs besides: never `Reconciling` and `Stalled` together.
fn summary(step: &Step, world: &World, told: &Told) -> Vec<Verdict> {
    let ready = step.phase == Phase::Ready && told.obstacle.is_none();
    let reason = match (&told.obstacle, step.phase) {
        (None, Phase::Ready) => "Serving",
        (None, Phase::Suspended) => "Suspended",
        (None, phase) => phase.name(),
        (Some(it), _) => it.reason,
    };
    let mut all = vec![Verdict::new(ConditionType::Ready, ready, reason, told.message.clone())];
    if !ready && step.phase != Phase::Suspended {
        let (type_, reason) = if stalls(step, world, told) {
            (ConditionType::Stalled, reason)
        } else {
            (ConditionType::Reconciling, step.phase.name())
        };
        all.push(Verdict::new(type_, true, reason, told.message.clone()));
    }
    all
}

/// Whether nothing moves before a person does something to this instance.
fn stalls(step: &Step, world: &World, told: &Told) -> bool {
    let abnormal = told.obstacle.as_ref().is_some_and(|it| it.abnormal);
    // Nothing that the spec refers to would mend these; they are mended in the spec.
    let misspelt = |reason| matches!(reason, "DatabaseNameMismatch" | "ObjectStorageIncomplete");
    let misspelt = world.outside.obstacle().is_some_and(|it| misspelt(it.reason));
    match step.phase {
        Phase::Degraded => true,
        Phase::Pending => misspelt,
        Phase::Deleting => abnormal,
        Phase::Ready => {
            let refused = told.obstacle.as_ref().is_some_and(|it| it.reason == RESIZE_REFUSED);
            refused
                || told.obstacle.is_some() && told.obstacle == world.control.misread
                || abnormal
                    && matches!(
                        step.waiting,
                        Some(
                            Waiting::ForWayBack(_)
                                | Waiting::Outgrown(_)
                                | Waiting::Refused(_)
                                | Waiting::NoWayBack(_)
                        )
                    )
        }
        _ => false,
    }
}

fn progress(
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    applied: &Applied,
    told: &Told,
) -> Vec<Verdict> {
    let phase = step.phase;
    let moves = matches!(
        phase,
        Phase::Pending | Phase::Provisioning | Phase::Upgrading(_) | Phase::Deleting
    );
    let upgrading = matches!(phase, Phase::Upgrading(_))
        || world.facts.pins.upgrade.is_some() && phase == Phase::Degraded;
    let stage = if let Phase::Upgrading(stage) = phase { stage_name(stage) } else { phase.name() };
    let flows = applied.flows || world.traffic_flows();
    let serves = world.backend_serves() && flows;
    let paused = phase == Phase::Ready && hold::is_paused_by_owner(instance, world.hold.as_ref());
    let available = match (serves, flows) {
        (true, _) => "Serving",
        _ if world.backend_serves() && paused => "Paused",
        (_, false) if world.backend_serves() => "TrafficHeld",
        _ => "NotServing",
    };
    vec![
        Verdict::new(ConditionType::Available, serves, available, ""),
        Verdict::new(ConditionType::Progressing, moves, phase.name(), ""),
        Verdict::new(
            ConditionType::Degraded,
            phase == Phase::Degraded,
            if phase == Phase::Degraded {
                told.obstacle.as_ref().map_or("Degraded", |it| it.reason)
            } else {
                "AsExpected"
            },
            if phase == Phase::Degraded { told.message.clone() } else { String::new() },
        ),
        Verdict::new(
            ConditionType::UpgradeInProgress,
            upgrading,
            if upgrading { stage } else { "NoUpgrade" },
            "",
        ),
    ]
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Exporting => "Exporting",
        Stage::Rolling => "Rolling",
        Stage::Importing => "Importing",
    }
}

fn notices(instance: &ConvexInstance) -> Vec<Verdict> {
    let spec = &instance.spec;
    let prefilled = (spec.dashboard.enabled && spec.dashboard.prefill_admin_key).then(|| {
        Verdict::new(ConditionType::AdminKeyPrefilled, true, "AdminKeyInPage", "everybody who can open the dashboard can read the admin key and do everything with this instance; set spec.dashboard.prefillAdminKey to false to stop that")
    });
    let scale = spec.scale.as_ref().map(|_| {
        Verdict::new(
            ConditionType::ScaleReserved,
            true,
            "Reserved",
            "spec.scale is accepted and has no effect: a Convex backend is exactly one process",
        )
    });
    prefilled.into_iter().chain(scale).collect()
}
