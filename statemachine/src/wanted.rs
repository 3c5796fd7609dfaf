//! What a phase wants of the backend, by its pins alone: the gate, the store and the `StatefulSet`.
//!
//! Where an edge leaves that as it is, a pass of the phase that was left writes nothing that the one that was entered
//! would not write, and no fence has to be raised on children to tell them apart.

use crate::{
    observed::Kind,
    phase::{Phase, Stage},
    pins::{Backend, Pins},
};

/// The backend that is wanted, and whether it is to run; none where nothing certain is wanted.
pub(crate) fn of(phase: Phase, pins: &Pins) -> Option<(Backend, bool)> {
    let home = pins.home.clone();
    match (phase, &pins.upgrade) {
        (Phase::Suspended, None) => Some((home?, false)),
        (Phase::Provisioning | Phase::Ready | Phase::Degraded, None) => Some((home?, true)),
        (Phase::Upgrading(Stage::Exporting), Some(upgrade)) => {
            let copies = matches!(upgrade.job(), Some((Kind::Copy, _)));
            Some((upgrade.from.clone(), !copies))
        }
        (Phase::Degraded, Some(upgrade)) if upgrade.stage == Stage::Exporting => {
            Some((upgrade.from.clone(), true))
        }
        (Phase::Upgrading(_) | Phase::Degraded, Some(upgrade)) => Some((upgrade.aim(), true)),
        _ => None,
    }
}
