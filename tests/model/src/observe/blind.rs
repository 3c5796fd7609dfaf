//! What some mutants do not see.

use statemachine::{
    Observed, Phase, Stage,
    observed::{self},
};

use super::Look;
use crate::{
    mutant::Mutant,
    translate::{release, snapshot},
};

impl Look<'_> {
    /// What some mutants do not see.
    pub(super) fn disturb(&self, seen: &mut Observed) {
        let (instance, upgrade) = (self.instance, self.instance.pins.upgrade);
        match self.mutant {
            Mutant::PutBack => {
                if let (Phase::Upgrading(_), Some(it)) = (instance.phase, upgrade)
                    && it.stage != Stage::Exporting
                {
                    seen.wish.release = release(it.to.version);
                }
            }
            Mutant::HoldsInPlace if upgrade.is_some_and(|it| it.strategy == 1) => {
                seen.traffic = observed::Traffic::Held;
            }
            Mutant::StopsFirst if seen.stopped => seen.pods.clear(),
            // Else what is carried over is given up as stale by the next pass.
            Mutant::ForgetsExport if seen.traffic == observed::Traffic::Flowing => {
                seen.traffic = observed::Traffic::Draining;
            }
            Mutant::Holds => seen.traffic = observed::Traffic::Held,
            Mutant::JobsStop => {
                let own = self.attempt().map(snapshot);
                let over = |it: &observed::Job| it.outcome != observed::Outcome::Running;
                seen.jobs.retain(|it| over(it) || own.as_ref() == Some(&it.of));
            }
            Mutant::DoneBeatsLate if instance.late => {
                seen.pods.clear();
                seen.verified.clear();
            }
            Mutant::LooksFirst if instance.phase == Phase::Pending => {
                seen.untouched = true;
                seen.found = None;
            }
            Mutant::KnowsLost if instance.phase == Phase::Ready => seen.lost = false,
            _ => {}
        }
    }
}
