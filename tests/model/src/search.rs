//! Runs one search and says what it found.

use std::{
    fmt::{self, Display, Formatter},
    time::{Duration, Instant},
};

use stateright::{Checker, Expectation, Model};

use crate::{act::Act, configuration::Configuration, model::Lifecycle, mutant::Mutant};

/// An invariant that does not hold, and the shortest way there.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The name of the property.
    pub property: &'static str,
    /// The acts that lead to the first world in which it does not hold.
    pub path: Vec<Act>,
    /// Where a drain ended, where that is what was violated.
    pub why: Option<&'static str>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was searched.
    pub configuration: Configuration,
    /// How many different worlds there are.
    pub worlds: usize,
    /// How deep they go.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// Invariants that do not hold.
    pub violations: Vec<Violation>,
    /// What never happened although it should.
    pub vacuous: Vec<&'static str>,
}

/// Searches a configuration to its end, or a mutant of it until something is found.
#[must_use]
pub fn search(configuration: Configuration, mutant: Mutant, threads: usize) -> Found {
    let began = Instant::now();
    let builder = Lifecycle::new(configuration, mutant).checker().threads(threads);
    let builder = if mutant == Mutant::None {
        builder
    } else {
        builder.finish_when(stateright::HasDiscoveries::AnyFailures)
    };
    let checker = builder.spawn_bfs().join();
    let discoveries = checker.discoveries();
    let (mut violations, mut vacuous) = (Vec::new(), Vec::new());
    for property in checker.model().properties() {
        match (&property.expectation, discoveries.get(property.name)) {
            (Expectation::Always, Some(path)) => {
                let why = checker.model().drain(path.last_state()).err().map(|(_, why)| why);
                let path = path.clone().into_actions();
                violations.push(Violation { property: property.name, path, why });
            }
            (Expectation::Sometimes, None) => vacuous.push(property.name),
            _ => {}
        }
    }
    Found {
        configuration,
        worlds: checker.unique_state_count(),
        depth: checker.max_depth(),
        took: began.elapsed(),
        violations,
        vacuous,
    }
}

impl Found {
    /// Whether every invariant holds and everything was shown.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.violations.is_empty() && self.vacuous.is_empty()
    }
}

impl Display for Found {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Configuration { name, strategy, .. } = self.configuration;
        let strategy = statemachine::Strategy::ALL[usize::from(strategy)].name();
        let seconds = self.took.as_secs_f64();
        write!(
            out,
            "{strategy:<30} {name:<42} {:>8} worlds, depth {:>3}, {seconds:>5.1} s",
            self.worlds, self.depth
        )?;
        for violation in &self.violations {
            let Violation { property, path, why } = violation;
            write!(out, "\n  VIOLATED {property} after {} steps: {path:?}", path.len())?;
            if let Some(why) = why {
                write!(out, "\n    {why}")?;
            }
        }
        for name in &self.vacuous {
            write!(out, "\n  NEVER SHOWN {name}")?;
        }
        Ok(())
    }
}
