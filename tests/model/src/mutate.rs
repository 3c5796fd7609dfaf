//! What mutants decide, owe and pin instead of the real machine; what they see is in `observe`.

use statemachine::{Action, Event, Observed, Phase, Reason, Stage, Step, Taken, observed};

use crate::{
    mutant::Mutant,
    observe::Look,
    translate::{backend, pins_of},
    world::{Name, Pins},
};

/// What some mutants decide or owe instead.
pub fn step(look: &Look, seen: &Observed, step: &mut Step) {
    let (instance, mutant) = (look.instance, look.mutant);
    let upgrade = step.pins.as_ref().map_or(instance.pins, pins_of).upgrade;
    let exporting = instance.pins.upgrade.filter(|it| it.stage == Stage::Exporting);
    let degraded = instance.phase == Phase::Degraded && !instance.deleting;
    match mutant {
        Mutant::StaysDegraded
            if degraded
                && instance.pins.upgrade.is_none()
                && instance.pins.home.is_some_and(|it| it.version != instance.wish.version) =>
        {
            *step = jump(instance.phase, Phase::Ready);
        }
        Mutant::ForgetsLate if step.phase == Phase::Degraded || degraded => {
            let Some(upgrade) = exporting else { return };
            let made = Name { of: upgrade.id, attempt: upgrade.attempt };
            if degraded && look.world.exports.iter().any(|it| it.of == made) {
                *step = jump(instance.phase, Phase::Upgrading(upgrade.stage));
            } else if step.phase == Phase::Degraded {
                step.obligations = vec![Action::EnsureTrafficFlowing];
            }
        }
        Mutant::HoldsInPlace if upgrade.is_some_and(|it| it.strategy == 1) => {
            if matches!(step.phase, Phase::Upgrading(_)) {
                step.obligations.retain(|it| *it != Action::EnsureTrafficHeld);
            }
        }
        Mutant::ProvisionHolds if step.phase == Phase::Provisioning => {
            for action in &mut step.obligations {
                if *action == Action::EnsureTrafficHeld {
                    *action = Action::EnsureTrafficFlowing;
                }
            }
        }
        Mutant::OneWish | Mutant::PinsExport => {
            let Some(upgrade) = upgrade else { return };
            let meant = match mutant {
                Mutant::OneWish => upgrade.strategy == 2,
                _ => upgrade.snapshot.is_some(),
            };
            let here = step.phase == Phase::Upgrading(Stage::Exporting);
            if meant && here && seen.traffic != observed::Traffic::Held {
                step.obligations.push(Action::EnsureBackendRolled(backend(upgrade.from)));
            }
        }
        Mutant::GoesOn if instance.phase == Phase::Upgrading(Stage::Rolling) && instance.late => {
            *step = jump(instance.phase, Phase::Upgrading(Stage::Exporting));
        }
        Mutant::Parts if step.taken.is_some_and(|it| it.reason == Reason::Parted) => {
            (step.taken, step.pins) = (None, None);
            if seen.cleared {
                step.obligations = vec![Action::EnsureFinalizerRemoved];
            }
        }
        Mutant::FencesFirst => step.obligations.retain(|it| *it != Action::EnsureFenced),
        Mutant::Proves => {
            step.obligations.retain(|it| !matches!(it, Action::EnsureImageProven(_)));
        }
        Mutant::Suspends if step.phase == Phase::Suspended => {
            step.obligations.retain(|it| !matches!(it, Action::EnsureBackendStopped(_)));
        }
        _ => {}
    }
}

fn jump(from: Phase, to: Phase) -> Step {
    let taken = Some(Taken { from, event: Event::Observed, to, reason: Reason::Recovered });
    let obligations = Vec::new();
    Step { phase: to, taken, pins: None, obligations, waiting: None, look_again: None }
}

/// What some mutants pin instead.
pub fn pins(look: &Look, after: &mut Pins) {
    let was = look.instance.pins.upgrade;
    if look.mutant == Mutant::Refuses {
        after.refused = None;
    }
    if look.mutant == Mutant::Moves {
        after.moved = look.instance.pins.moved;
    }
    let Some(upgrade) = &mut after.upgrade else { return };
    match look.mutant {
        Mutant::PointOfNoReturn => {
            let runs = |pod: &crate::world::Pod| pod.backend == upgrade.to && pod.started;
            upgrade.started = look.world.pods.iter().any(runs);
        }
        Mutant::AttemptInNames => upgrade.attempt = 1,
        Mutant::UniqueId if was.is_none() => upgrade.id = 1,
        Mutant::ForgetsExport => {
            let old = was.filter(|it| it.id == upgrade.id).and_then(|it| it.snapshot);
            upgrade.snapshot = upgrade.snapshot.or(old);
        }
        _ => {}
    }
}
