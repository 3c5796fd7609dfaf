//! What must hold in every world, and what must happen in some.

use statemachine::{Phase, Stage};
use stateright::Property;

use crate::{
    configuration::Configuration,
    ghost,
    model::Lifecycle,
    world::{Instance, Pod, World},
};

/// An invariant that a ghost watches.
macro_rules! never {
    ($name:literal, $ghost:ident) => {
        Property::always($name, |_: &Lifecycle, world: &World| world.bad & ghost::$ghost == 0)
    };
}

/// Something that some world must show, or the search proves nothing.
macro_rules! shown {
    ($name:literal, $instance:ident => $what:expr) => {
        Property::sometimes($name, |_: &Lifecycle, world: &World| {
            world.instance.is_some_and(|$instance: Instance| $what)
        })
    };
}

/// Every property of one configuration.
#[must_use]
pub fn all(configuration: &Configuration) -> Vec<Property<Lifecycle>> {
    let mut all = invariants();
    all.extend(reached(configuration));
    if configuration.drains {
        all.push(Property::always("L1 comes to rest well", Lifecycle::rests));
    }
    all
}

fn invariants() -> Vec<Property<Lifecycle>> {
    vec![
        Property::always("S1 one backend per store", |_, world: &World| {
            let shares = |at: usize, it: &Pod| {
                world.pods[at + 1..].iter().any(|other| other.backend.store == it.backend.store)
            };
            !world.pods.iter().enumerate().any(|(at, pod)| shares(at, pod))
        }),
        never!("S2 import only of a verified export of the same upgrade", IMPORT_UNVERIFIED),
        never!("S3 nothing overwritten without a copy", OVERWRITTEN),
        never!("S3 no store deleted without a copy", STORE_DELETED),
        never!("S4 import reaches the backend it was meant for", WRONG_TARGET),
        never!("S5 never backwards within an attempt", BACKWARDS),
        never!("S6 no copy is verified of a store that somebody had open", TORN),
        never!("S6 only a whole copy is opened", HALF_OPENED),
        never!("S7 idempotent", NOT_IDEMPOTENT),
        never!("S8 nothing of another instance is touched", FOREIGN_TOUCHED),
        never!("S9 finalizer last", FINALIZER_EARLY),
        never!("D1 no acknowledged write lost", LOST_WRITE),
        never!("D2 no version opens data that moved on from it", DOWNGRADED),
        never!("D3 nothing irreplaceable is made anew", MADE_ANEW),
        never!("P1 nothing is felt before the image is proven", FELT_UNPROVEN),
    ]
}

fn reached(configuration: &Configuration) -> Vec<Property<Lifecycle>> {
    let budget = &configuration.budget;
    let strategy = statemachine::Strategy::ALL[usize::from(configuration.strategy)];
    let held_up = configuration.unpausable && strategy.exports();
    let mut all = vec![
        shown!("Provisioning", it => it.phase == Phase::Provisioning),
        shown!("Ready", it => it.phase == Phase::Ready),
    ];
    if budget.edits > 0 && !held_up {
        all.push(shown!("Rolling", it => it.phase == Phase::Upgrading(Stage::Rolling)));
        all.push(shown!("upgraded", it => {
            it.phase == Phase::Ready && it.pins.home.is_some_and(|home| home.version == 2)
        }));
    }
    if budget.edits > 0 && strategy.prepares() && !held_up {
        all.push(shown!("Exporting", it => it.phase == Phase::Upgrading(Stage::Exporting)));
    }
    if budget.edits > 0 && strategy.imports() && !held_up {
        all.push(shown!("Importing", it => it.phase == Phase::Upgrading(Stage::Importing)));
    }
    all.extend(troubles(configuration));
    all
}

/// Each kind of trouble that is paid for leaves its mark somewhere.
fn troubles(configuration: &Configuration) -> Vec<Property<Lifecycle>> {
    let budget = &configuration.budget;
    let strategy = statemachine::Strategy::ALL[usize::from(configuration.strategy)];
    let mut all = Vec::new();
    if budget.lates + budget.losses > 0 {
        all.push(shown!("Degraded", it => it.phase == Phase::Degraded));
    }
    if budget.suspends > 0 {
        all.push(shown!("Suspended", it => it.phase == Phase::Suspended));
    }
    if budget.suspends > 1 {
        all.push(shown!("resumed", it => it.phase == Phase::Provisioning && it.pins.served));
    }
    if budget.deletions > 0 {
        all.push(shown!("Deleting", it => it.phase == Phase::Deleting));
        all.push(Property::sometimes("gone", |_, world: &World| world.instance.is_none()));
    }
    if budget.recreations > 0 {
        all.push(shown!("born again", it => it.uid == 2 && it.phase == Phase::Provisioning));
    }
    if budget.jams > 0 && budget.lates > 0 {
        all.push(shown!("a rebuild that is stuck says so", it => {
            it.phase == Phase::Degraded && it.pins.home.is_none()
        }));
    }
    if configuration.rollback && strategy.prepares() && budget.lates > 0 {
        all.push(shown!("rolled back", it => {
            it.phase == Phase::Ready && it.pins.refused.is_some()
        }));
    }
    all
}
