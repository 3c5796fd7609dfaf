//! What an attempt has made: exports, copies, a proof of its image.

use statemachine::Proof;

use super::Look;
use crate::{
    mutant::Mutant,
    world::{Name, Outcome, Store},
};

impl Look<'_> {
    /// The name of what this attempt makes.
    pub(super) fn attempt(&self) -> Option<Name> {
        let upgrade = self.instance.pins.upgrade?;
        Some(Name { of: upgrade.id, attempt: upgrade.attempt })
    }

    pub(super) fn verified(&self) -> Vec<Name> {
        let there = |it: &&crate::world::Export| !it.lost;
        let mut names: Vec<_> = self.world.exports.iter().filter(there).map(|it| it.of).collect();
        let attempt = self.attempt();
        let same = |id| self.world.exports.iter().any(|it| it.of.of == id);
        match self.mutant {
            Mutant::NeedsCopy => names.extend(attempt),
            Mutant::AttemptInNames => names.extend(attempt.filter(|it| same(it.of))),
            _ => {}
        }
        names
    }

    pub(super) fn copied(&self) -> Vec<Name> {
        let whole = |store: &&Store| store.whole || self.mutant == Mutant::Whole;
        let copies = self.stores().filter(|store| store.name.attempt > 0).filter(whole);
        let mut names: Vec<_> = copies.map(|store| store.name).collect();
        if self.mutant == Mutant::NeedsCopy {
            names.extend(self.attempt());
        }
        names
    }

    pub(super) fn proof(&self) -> Proof {
        if self.mutant == Mutant::Proves {
            return Proof::Proven;
        }
        let attempt = self.attempt();
        let proof = self.world.proofs.iter().find(|it| Some(it.of) == attempt);
        match proof.map(|it| it.outcome) {
            None | Some(Outcome::Running) => Proof::Unknown,
            Some(Outcome::Succeeded) => Proof::Proven,
            Some(Outcome::Failed) => Proof::Failed,
        }
    }
}
