//! What may go wrong, and how often: each configuration is small enough to be searched to its end.

use crate::world::Budget;

/// No trouble at all: one edit and one write of a user.
pub const QUIET: Budget = Budget {
    edits: 1,
    deletions: 0,
    suspends: 0,
    writes: 1,
    crashes: 0,
    conflicts: 0,
    lost_requests: 0,
    stale_reads: 0,
    second: 0,
    job_failures: 0,
    lates: 0,
    breaks: 0,
    absences: 0,
    monkeys: 0,
    amnesia: 0,
    losses: 0,
    expiries: 0,
    recreations: 0,
    nodes: 0,
    jams: 0,
    prunings: 0,
};

/// One search.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // switches
pub struct Configuration {
    /// What it is about.
    pub name: &'static str,
    /// The strategy of `spec`, by its number in `Strategy::ALL`.
    pub strategy: u8,
    /// The one that an edit may change it to.
    pub alternative: u8,
    /// Whether policy rolls back a failed upgrade.
    pub rollback: bool,
    /// Whether a deletion destroys the stores and leaves a snapshot.
    pub farewell: bool,
    /// Whether version 1 is too old to be paused.
    pub unpausable: bool,
    /// Whether every world is drained to see that it comes to rest.
    pub drains: bool,
    /// How much trouble there is.
    pub budget: Budget,
}

impl Configuration {
    /// A search of this strategy with this much trouble.
    #[must_use]
    pub const fn new(name: &'static str, strategy: u8, budget: Budget) -> Self {
        Self {
            name,
            strategy,
            alternative: strategy,
            rollback: false,
            farewell: false,
            unpausable: false,
            drains: true,
            budget,
        }
    }

    /// Policy rolls back.
    #[must_use]
    pub const fn rolling_back(self) -> Self {
        Self { rollback: true, ..self }
    }

    /// A deletion destroys the stores.
    #[must_use]
    pub const fn with_farewell(self) -> Self {
        Self { farewell: true, ..self }
    }

    /// Version 1 cannot be paused.
    #[must_use]
    pub const fn unpausable(self) -> Self {
        Self { unpausable: true, ..self }
    }

    /// Safety alone.
    #[must_use]
    pub const fn undrained(self) -> Self {
        Self { drains: false, ..self }
    }

    /// The strategy may be edited, too.
    #[must_use]
    pub const fn or(self, alternative: u8) -> Self {
        Self { alternative, ..self }
    }
}

/// The searches of one strategy that run on every push.
#[must_use]
#[rustfmt::skip] // a table reads as rows
pub fn small(strategy: u8) -> Vec<Configuration> {
    let quiet = QUIET;
    let ending = Budget { deletions: 1, ..QUIET };
    let search = |name, budget| Configuration::new(name, strategy, budget);
    let mut all = vec![
        search("crash, job, policy", Budget { edits: 1 + u8::from(matches!(strategy, 0 | 2)), crashes: 1, lates: 1, job_failures: 1, ..quiet }).rolling_back(),
        search("broken target, policy", Budget { edits: 2, breaks: 1, lates: 1, ..quiet }).rolling_back(),
        search("two operators, stale reads", Budget { writes: 2, stale_reads: 1, second: 1, ..quiet }),
        search("lost status, crash", Budget { amnesia: 1, crashes: 1, lates: 1, ..quiet }),
        search("deletion, lost status", Budget { amnesia: 1, ..ending }).with_farewell(),
        search("deletion, late, job", Budget { lates: 1, job_failures: 1, ..ending }).with_farewell(),
        search("deletion, two operators", Budget { edits: 0, second: 1, ..ending }).with_farewell(),
        search("children deleted, lost request, conflict", Budget { monkeys: 1, lost_requests: 1, conflicts: 1, ..quiet }),
        search("strategy edited", Budget { edits: 2, lates: 1, ..quiet }).or((strategy + 2) % 6),
        search("mistyped tag", Budget { edits: 2, absences: 1, lates: 1, ..quiet }).rolling_back(),
        search("suspended, lost status", Budget { edits: 0, suspends: 2, crashes: 1, amnesia: 1, ..quiet }),
        search("suspended, two operators", Budget { suspends: 2, second: 1, edits: 0, ..quiet }),
        search("suspended, upgraded", Budget { suspends: 2, deletions: 1, ..quiet }),
        search("vital lost", Budget { losses: 1, lates: 1, crashes: 1, ..quiet }),
        search("jobs expire, snapshots pruned", Budget { edits: 2, expiries: 1, prunings: 1, ..quiet }),
        search("node lost", Budget { nodes: 1, lates: 1, ..quiet }),
        search("same name again", Budget { edits: 0, recreations: 1, second: 1, ..ending }).with_farewell(),
        search("rebuild stuck", Budget { edits: 0, amnesia: 1, jams: 1, lates: 1, ..quiet }),
    ];
    if matches!(strategy, 0 | 3) {
        all.push(search("vital lost, status lost", Budget { losses: 1, amnesia: 1, ..quiet }));
    }
    if matches!(strategy, 0 | 3) {
        all.push(search("lost status, two operators", Budget { amnesia: 1, second: 1, ..quiet }).undrained());
    }
    if strategy == 2 {
        all.push(search("too old to be paused", Budget { edits: 2, writes: 2, lates: 1, ..quiet }).rolling_back().unpausable());
    }
    if strategy == 1 {
        all.push(search("too old to be paused", Budget { writes: 2, lates: 1, ..quiet }).unpausable());
    }
    all
}

/// Larger ones, on demand.
#[must_use]
#[rustfmt::skip]
pub fn large(strategy: u8) -> Vec<Configuration> {
    let quiet = Budget { edits: 2, ..QUIET };
    let search = |name, budget| Configuration::new(name, strategy, budget);
    let mut all = small(strategy);
    all.extend([
        search("lost status, two operators", Budget { edits: 1, amnesia: 1, second: 1, ..quiet }),
        search("crash, job, policy, two edits", Budget { crashes: 1, lates: 1, job_failures: 1, ..quiet }).rolling_back(),
        search("vital lost, two lates", Budget { edits: 1, losses: 1, lates: 2, ..quiet }),
        search("three edits", Budget { edits: 3, lates: 1, ..quiet }).or((strategy + 2) % 6),
        search("two operators, policy", Budget { second: 1, stale_reads: 1, lates: 1, ..quiet }).rolling_back(),
        search("children deleted, two operators", Budget { edits: 1, monkeys: 1, second: 1, ..quiet }),
        search("suspended, lost status, upgraded", Budget { edits: 1, suspends: 2, crashes: 1, amnesia: 1, ..quiet }),
        search("suspended, upgraded, two operators", Budget { edits: 1, suspends: 2, second: 1, ..quiet }),
        search("suspended, vital lost", Budget { edits: 1, suspends: 2, losses: 1, lates: 1, ..quiet }),
        search("vital lost, policy", Budget { losses: 2, lates: 1, ..quiet }).rolling_back(),
        search("node lost, two operators", Budget { edits: 1, nodes: 1, second: 1, lates: 1, ..quiet }),
        search("same name again, upgraded", Budget { edits: 1, deletions: 1, recreations: 1, second: 1, ..quiet }).with_farewell(),
    ]);
    if strategy != 5 {
        // A fresh store and the status that knows of it, both lost at once, leave nothing to see.
        all.push(search("vital lost, status lost", Budget { edits: 1, losses: 1, amnesia: 1, ..quiet }));
    }
    all
}
