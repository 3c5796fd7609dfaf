//! Between the model's small words and the machine's own.

use statemachine as machine;
use statemachine::{Direction, Refused, Release, Snapshot, Strategy, pins};

use crate::world::{Backend, Name, Pins, Revision, Upgrade, Version};

pub fn release(version: Version) -> Release {
    Release { version: version.to_string(), ..Release::default() }
}

pub fn revision(number: Revision) -> machine::Revision {
    if number == 0 { machine::Revision::default() } else { machine::Revision(number.to_string()) }
}

pub fn snapshot(name: Name) -> Snapshot {
    Snapshot { of: revision(name.of), attempt: name.attempt.into() }
}

fn store(name: Name) -> machine::Store {
    match name {
        Name { of: 0, .. } => machine::Store::Original,
        Name { of, attempt: 0 } => machine::Store::Made(revision(of)),
        copied => machine::Store::Copied(snapshot(copied)),
    }
}

pub fn backend(it: Backend) -> machine::Backend {
    machine::Backend { release: release(it.version), store: store(it.store) }
}

/// Which of the machine's strategies a number means.
pub fn strategy(number: u8) -> Strategy {
    Strategy::ALL[usize::from(number)]
}

fn upgrade(it: Upgrade) -> machine::Upgrade {
    machine::Upgrade {
        id: revision(it.id),
        from: backend(it.from),
        to: backend(it.to),
        strategy: strategy(it.strategy),
        stage: it.stage,
        direction: if it.back { Direction::Rollback } else { Direction::Forward },
        attempt: it.attempt.into(),
        snapshot: it.snapshot.map(snapshot),
        copy: it.copy.map(snapshot),
        target_started: it.started,
        retry: it.retry.to_string(),
    }
}

pub fn pins(it: &Pins, fence: Revision) -> pins::Pins {
    pins::Pins {
        fence: revision(fence),
        moved: revision(it.moved),
        home: it.home.map(backend),
        served: it.served,
        upgrade: it.upgrade.map(upgrade),
        refused: it.refused.map(|(version, retry)| Refused {
            release: release(version),
            retry: retry.to_string(),
        }),
        farewell: it.farewell.map(snapshot),
        parted: it.parted,
        unreadable: None,
    }
}

fn number(text: &str) -> u8 {
    text.parse().unwrap_or_default()
}

pub fn name_of(it: &Snapshot) -> Name {
    Name { of: number(&it.of.0), attempt: u8::try_from(it.attempt).unwrap_or(u8::MAX) }
}

pub fn store_name(it: &machine::Store) -> Name {
    match it {
        machine::Store::Original => crate::world::ORIGINAL,
        machine::Store::Made(of) => Name { of: number(&of.0), attempt: 0 },
        machine::Store::Copied(copy) => name_of(copy),
    }
}

pub fn backend_of(it: &machine::Backend) -> Backend {
    Backend { version: number(&it.release.version), store: store_name(&it.store) }
}

fn upgrade_of(it: &machine::Upgrade) -> Upgrade {
    let known = Strategy::ALL.iter().position(|strategy| *strategy == it.strategy);
    Upgrade {
        id: number(&it.id.0),
        from: backend_of(&it.from),
        to: backend_of(&it.to),
        strategy: known.and_then(|at| u8::try_from(at).ok()).unwrap_or_default(),
        stage: it.stage,
        back: it.direction == Direction::Rollback,
        attempt: u8::try_from(it.attempt).unwrap_or(u8::MAX),
        snapshot: it.snapshot.as_ref().map(name_of),
        copy: it.copy.as_ref().map(name_of),
        started: it.target_started,
        retry: number(&it.retry),
    }
}

pub fn pins_of(it: &pins::Pins) -> Pins {
    Pins {
        home: it.home.as_ref().map(backend_of),
        served: it.served,
        upgrade: it.upgrade.as_ref().map(upgrade_of),
        refused: it.refused.as_ref().map(|it| (number(&it.release.version), number(&it.retry))),
        farewell: it.farewell.as_ref().map(name_of),
        parted: it.parted,
        moved: number(&it.moved.0),
    }
}
