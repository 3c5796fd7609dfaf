//! Every world that the guards can tell apart, reduced far enough to be counted through.
//!
//! The picture and the rule are derived from them, so they are part of the crate and not of its tests.

use std::time::Duration;

use crate::{
    observed::{Health, Job, Kind, Leave, Observed, Outcome, Pod, Proof, Traffic, Vital, Wish},
    phase::Stage,
    pins::{Backend, Direction, Pins, Release, Revision, Snapshot, Store, Strategy, Upgrade},
};

/// How many worlds there are for each memory.
const WORLDS: u32 = 3 * 2 * 2 * 9 * ODDITIES;

/// A job in any state and nothing else; or one odd thing, with and without an import that runs.
const ODDITIES: u32 = 5 + 2 * 10;

/// All of them.
pub fn worlds() -> impl Iterator<Item = Observed> {
    memories().into_iter().flat_map(|(pins, found)| {
        (0..WORLDS).map(move |code| world(&pins, found.as_ref(), &mut Digits(code)))
    })
}

/// Version 1 on the store that the instance was born with.
#[must_use]
pub fn born() -> Backend {
    Backend { release: release(1), store: Store::Original }
}

/// A release by number.
#[must_use]
pub fn release(number: u32) -> Release {
    Release { version: number.to_string(), image: format!("convex:{number}"), ..Release::default() }
}

/// An upgrade from version 1 to version 2, as far along as it can be at this stage.
#[must_use]
pub fn upgrade(strategy: Strategy, stage: Stage, direction: Direction) -> Upgrade {
    let id = Revision("7".into());
    let store = if strategy.starts_over() { Store::Made(id.clone()) } else { Store::Original };
    let rolling = stage != Stage::Exporting;
    let first = Snapshot { of: id.clone(), attempt: 1 };
    Upgrade {
        from: born(),
        to: Backend { release: release(2), store },
        strategy,
        stage,
        attempt: if direction == Direction::Rollback { 2 } else { 1 },
        snapshot: (rolling && strategy.exports()).then(|| first.clone()),
        copy: (rolling && strategy.stops()).then_some(first),
        target_started: rolling,
        retry: String::new(),
        direction,
        id,
    }
}

/// The same upgrade with its export pinned and its copy still to be made.
#[must_use]
pub fn exported(strategy: Strategy) -> Upgrade {
    let upgrade = upgrade(strategy, Stage::Exporting, Direction::Forward);
    Upgrade { snapshot: Some(upgrade.next_snapshot()), ..upgrade }
}

fn memories() -> Vec<(Pins, Option<Backend>)> {
    let home = |served| Pins { home: Some(born()), served, ..Pins::default() };
    let searching = Pins { fence: Revision("5".into()), ..Pins::default() };
    let mut all = vec![
        (Pins::default(), None),
        (Pins::default(), Some(born())),
        (searching.clone(), None),
        (searching, Some(born())),
        (home(false), None),
        (home(true), None),
    ];
    let farewell = Some(Snapshot { of: Revision("8".into()), attempt: 1 });
    all.push((Pins { farewell, ..home(true) }, None));
    all.push((Pins { parted: true, ..home(true) }, None));
    for strategy in Strategy::ALL {
        let mut upgrades = vec![
            upgrade(strategy, Stage::Exporting, Direction::Forward),
            upgrade(strategy, Stage::Rolling, Direction::Forward),
            upgrade(strategy, Stage::Importing, Direction::Forward),
            upgrade(strategy, Stage::Rolling, Direction::Rollback),
            upgrade(strategy, Stage::Importing, Direction::Rollback),
        ];
        upgrades.extend((strategy.exports() && strategy.stops()).then(|| exported(strategy)));
        all.extend(upgrades.into_iter().map(|it| (Pins { upgrade: Some(it), ..home(true) }, None)));
    }
    all
}

/// Reads the digits of a number in mixed radix, so that counting visits every combination.
struct Digits(u32);

impl Digits {
    fn of(&mut self, radix: u32) -> usize {
        let digit = self.0 % radix;
        self.0 /= radix;
        digit as usize
    }

    fn yes(&mut self) -> bool {
        self.of(2) == 1
    }
}

fn world(pins: &Pins, found: Option<&Backend>, digits: &mut Digits) -> Observed {
    let aim = pins.upgrade.as_ref().map_or_else(born, Upgrade::aim);
    let attempt = pins.upgrade.as_ref().map(Upgrade::next_snapshot);
    let serving = [None, Some(born()), Some(aim)][digits.of(3)].clone();
    let late = digits.yes();
    let calm = digits.yes();
    let carried = pins.upgrade.as_ref().and_then(|it| it.snapshot.clone());
    let made: Vec<_> = attempt.into_iter().chain(carried).filter(|_| calm).collect();
    let patience = Duration::from_mins(1);
    let wish = wish(pins.upgrade.as_ref(), digits.of(9));
    let (job, odd) = match digits.of(ODDITIES) {
        job @ 0..5 => (job, 0),
        odd => (3 * (odd % 2), (odd - 5) / 2 + 1),
    };
    let mut seen = Observed {
        deployed: wish.rollback,
        wish,
        pins: pins.clone(),
        revision: Revision("9".into()),
        waited: if late { patience } else { Duration::ZERO },
        patience,
        lost: late && serving.is_none(),
        resolved: calm,
        found: found.cloned(),
        untouched: !late && *pins == Pins::default() && found.is_none(),
        fenced: calm,
        asked: serving.clone(),
        stopped: serving.is_none(),
        pods: pods(serving),
        surrounded: true,
        traffic: if calm { Traffic::Held } else { Traffic::Flowing },
        jobs: jobs(pins.upgrade.as_ref(), job),
        verified: made.clone(),
        copied: made,
        outgrown: false,
        cleared: calm,
        obtainable: true,
        way_back_gone: false,
        leave: Leave::Given,
        proof: Proof::Proven,
        missing: None,
    };
    twist(&mut seen, odd);
    seen
}

fn pods(serving: Option<Backend>) -> Vec<Pod> {
    serving.into_iter().map(|backend| Pod { backend, health: Health::Serving }).collect()
}

fn jobs(upgrade: Option<&Upgrade>, which: usize) -> Vec<Job> {
    let Some(upgrade) = upgrade else {
        return Vec::new();
    };
    let way_out = upgrade.job().map_or(Kind::Export, |(kind, _)| kind);
    let job = [
        None,
        Some((way_out, Outcome::Failed)),
        Some((Kind::Import, Outcome::Failed)),
        Some((Kind::Import, Outcome::Running)),
        Some((Kind::Import, Outcome::Succeeded)),
    ][which];
    let of = upgrade.next_snapshot();
    job.map(|(kind, outcome)| Job { kind, of, outcome }).into_iter().collect()
}

/// What people ask for: a deletion, or one of three releases, with or without policy and retry.
fn wish(upgrade: Option<&Upgrade>, which: usize) -> Wish {
    let (number, policy, retry) = [
        (0, false, false),
        (0, true, false),
        (1, false, false),
        (1, true, false),
        (2, false, false),
        (2, true, false),
        (2, false, true),
        (3, false, false),
        (3, true, true),
    ][which];
    let asked = Strategy::ALL[if policy { 3 } else { 0 }];
    Wish {
        release: release(number),
        strategy: upgrade.map_or(asked, |it| it.strategy),
        rollback: policy,
        retry: if retry { "again".into() } else { String::new() },
        deletion: number == 0,
        farewell: policy,
        suspend: false,
        unheld_export: false,
    }
}

/// One thing, or two, that is out of the ordinary.
fn twist(seen: &mut Observed, which: usize) {
    match which {
        1 => seen.proof = Proof::Unknown,
        2 => seen.proof = Proof::Failed,
        3 => seen.missing = Some(Vital::InstanceSecret),
        4 => seen.missing = Some(Vital::Store),
        5 => seen.wish.suspend = true,
        6 => {
            seen.wish.suspend = true;
            seen.missing = Some(Vital::Store);
        }
        7 => seen.traffic = Traffic::Unholdable,
        8 => {
            seen.traffic = Traffic::Unholdable;
            seen.wish.unheld_export = true;
        }
        9 => seen.leave = Leave::ForWindow,
        10 => seen.obtainable = false,
        _ => {}
    }
}
