//! A row per edge: from where, seeing what, to where, and which word people are told.
#![allow(clippy::expect_used)] // helpers of tests are tests

mod fixtures;

use Phase::{Degraded, Deleting, Pending, Provisioning, Ready, Suspended, Upgrading};
use Stage::{Exporting, Importing, Rolling};
use fixtures::{
    COLD, FRESH, PLAIN, SAME, SAME_COPIED, at_home, calm, copied, forward, gone, import, job, late,
    under_way, verify,
};
use statemachine::{
    Direction, Observed, Phase, Pins, Proof, Revision, Stage, Vital,
    edges::edges,
    observed::{Kind, Outcome},
    step,
    worlds::{born, exported, release},
};

type Row = (Phase, Observed, Phase, &'static str);

fn wants(number: u32) -> impl Fn(&mut Observed) {
    move |seen| seen.wish.release = release(number)
}

fn suspended(seen: &mut Observed) {
    seen.wish.suspend = true;
}

fn missing(vital: Vital) -> impl Fn(&mut Observed) {
    move |seen| seen.missing = Some(vital)
}

fn untouched(edit: impl FnOnce(&mut Observed)) -> Observed {
    let mut seen = calm();
    seen.untouched = true;
    edit(&mut seen);
    seen
}

fn searching(edit: impl FnOnce(&mut Observed)) -> Observed {
    let mut seen = calm();
    seen.pins = Pins { fence: Revision("5".into()), ..Pins::default() };
    edit(&mut seen);
    seen
}

/// Those of an instance without an upgrade.
#[rustfmt::skip] // a table reads as rows
fn rows_at_home() -> Vec<Row> {
    vec![
        (Pending, calm(), Provisioning, "Provisioning"),
        (Pending, untouched(|_| {}), Provisioning, "Provisioning"),
        (Provisioning, searching(|seen| seen.fenced = true), Provisioning, "Settled"),
        (Provisioning, searching(|seen| { seen.fenced = true; seen.found = Some(born()); suspended(seen); }), Suspended, "Suspended"),
        (Provisioning, searching(|seen| { seen.fenced = false; late(seen); }), Degraded, "Degraded"),
        (Provisioning, calm(), Provisioning, "MemoryLost"),
        (Provisioning, at_home(|_| {}), Ready, "Ready"),
        (Provisioning, at_home(|seen| { late(seen); gone(seen); }), Degraded, "Degraded"),
        (Provisioning, at_home(missing(Vital::Store)), Degraded, "Degraded"),
        (Provisioning, at_home(suspended), Suspended, "Suspended"),
        (Provisioning, at_home(|seen| { seen.pins.served = false; gone(seen); wants(2)(seen); }), Provisioning, "ReleaseTaken"),
        (Ready, at_home(|seen| { wants(2)(seen); seen.wish.strategy = SAME; }), Upgrading(Exporting), "UpgradeStarted"),
        (Ready, at_home(|seen| { wants(2)(seen); seen.wish.strategy = PLAIN; }), Upgrading(Rolling), "UpgradeStarted"),
        (Ready, at_home(|seen| seen.wish.release.image = "elsewhere:1".into()), Upgrading(Rolling), "UpgradeStarted"),
        (Ready, at_home(|seen| seen.wish.release.engine = "postgres".into()), Upgrading(Rolling), "UpgradeStarted"),
        (Ready, at_home(|seen| { gone(seen); seen.lost = true; }), Degraded, "Degraded"),
        (Ready, at_home(missing(Vital::InstanceSecret)), Degraded, "Degraded"),
        (Ready, at_home(|seen| { suspended(seen); wants(2)(seen); }), Suspended, "Suspended"),
        (Ready, calm(), Provisioning, "MemoryLost"),
        (Ready, forward(SAME, Rolling, |_| {}), Provisioning, "MemoryLost"),
        (Suspended, at_home(gone), Provisioning, "Resumed"),
        (Suspended, at_home(|seen| { gone(seen); seen.pins.served = false; wants(2)(seen); }), Provisioning, "Resumed"),
        (Suspended, at_home(|seen| { gone(seen); suspended(seen); missing(Vital::Store)(seen); }), Degraded, "Degraded"),
        (Suspended, calm(), Provisioning, "MemoryLost"),
        (Degraded, at_home(|_| {}), Ready, "Recovered"),
        (Degraded, at_home(|seen| { gone(seen); suspended(seen); }), Suspended, "Suspended"),
        (Degraded, at_home(|seen| { gone(seen); wants(2)(seen); seen.wish.strategy = PLAIN; }), Upgrading(Rolling), "UpgradeStarted"),
        (Degraded, at_home(|seen| { gone(seen); wants(2)(seen); seen.wish.strategy = SAME; }), Upgrading(Exporting), "UpgradeStarted"),
        (Degraded, at_home(|seen| { gone(seen); seen.pins.served = false; wants(2)(seen); }), Provisioning, "ReleaseTaken"),
        (Degraded, searching(|seen| seen.fenced = true), Provisioning, "Settled"),
        (Degraded, searching(|seen| { seen.fenced = true; suspended(seen); }), Suspended, "Suspended"),
        (Degraded, calm(), Provisioning, "MemoryLost"),
        (Deleting, at_home(|_| {}), Deleting, "Parted"),
    ]
}

/// Those of an upgrade before its target may start.
#[rustfmt::skip]
fn rows_of_exporting() -> Vec<Row> {
    let at = Upgrading(Exporting);
    vec![
        (at, forward(SAME, Exporting, verify), Upgrading(Rolling), "SnapshotVerified"),
        (at, forward(SAME_COPIED, Exporting, verify), at, "ExportVerified"),
        (at, forward(SAME_COPIED, Exporting, |seen| { seen.pins.upgrade = Some(exported(SAME_COPIED)); gone(seen); verify(seen); copied(seen); }), Upgrading(Rolling), "SnapshotVerified"),
        (at, forward(SAME, Exporting, wants(1)), Ready, "UpgradeAbandoned"),
        (at, forward(SAME, Exporting, wants(3)), Ready, "UpgradeAbandoned"),
        (at, forward(SAME, Exporting, |seen| seen.wish.strategy = FRESH), Ready, "UpgradeAbandoned"),
        (at, forward(SAME, Exporting, late), Degraded, "Degraded"),
        (at, forward(SAME, Exporting, |seen| seen.proof = Proof::Failed), Degraded, "Degraded"),
        (at, forward(SAME, Exporting, missing(Vital::InstanceSecret)), Degraded, "Degraded"),
        (at, forward(COLD, Exporting, |seen| { copied(seen); gone(seen); }), Upgrading(Rolling), "SnapshotVerified"),
        (at, forward(COLD, Exporting, |seen| { gone(seen); wants(1)(seen); }), Provisioning, "UpgradeAbandoned"),
        (at, forward(COLD, Exporting, wants(1)), Ready, "UpgradeAbandoned"),
        (at, forward(COLD, Exporting, |seen| { gone(seen); job(Kind::Copy, Outcome::Failed)(seen); }), Degraded, "Degraded"),
        (at, at_home(|_| {}), Provisioning, "MemoryLost"),
        (Degraded, forward(SAME, Exporting, |seen| seen.wish.retry = "again".into()), at, "UpgradeRetried"),
        (Degraded, forward(SAME, Exporting, wants(1)), Ready, "UpgradeAbandoned"),
        (Degraded, forward(COLD, Exporting, |seen| { gone(seen); wants(1)(seen); }), Provisioning, "UpgradeAbandoned"),
    ]
}

/// Those of an upgrade whose target may have started.
#[rustfmt::skip]
fn rows_of_rolling_and_importing() -> Vec<Row> {
    vec![
        (Upgrading(Rolling), forward(COLD, Rolling, |seen| { gone(seen); wants(1)(seen); }), Upgrading(Rolling), "RollbackStarted"),
        (Upgrading(Rolling), under_way(COLD, Rolling, Direction::Rollback, |_| {}), Ready, "RollbackFinished"),
        (Upgrading(Rolling), under_way(SAME_COPIED, Rolling, Direction::Rollback, |_| {}), Ready, "RollbackFinished"),
        (Upgrading(Rolling), under_way(SAME, Rolling, Direction::Rollback, |_| {}), Upgrading(Importing), "ImportStarted"),
        (Upgrading(Rolling), forward(PLAIN, Rolling, |_| {}), Ready, "UpgradeFinished"),
        (Upgrading(Rolling), forward(SAME, Rolling, |_| {}), Upgrading(Importing), "ImportStarted"),
        (Upgrading(Rolling), forward(SAME, Rolling, |seen| { late(seen); gone(seen); }), Degraded, "Degraded"),
        (Upgrading(Rolling), forward(SAME, Rolling, missing(Vital::Store)), Degraded, "Degraded"),
        (Upgrading(Rolling), forward(SAME, Rolling, |seen| { late(seen); gone(seen); seen.wish.rollback = true; }), Upgrading(Rolling), "RollbackStarted"),
        (Upgrading(Rolling), forward(SAME, Rolling, |seen| { gone(seen); wants(1)(seen); }), Upgrading(Rolling), "RollbackStarted"),
        (Upgrading(Rolling), at_home(|_| {}), Provisioning, "MemoryLost"),
        (Upgrading(Importing), forward(SAME, Importing, import(Outcome::Succeeded)), Ready, "UpgradeFinished"),
        (Upgrading(Importing), under_way(SAME, Importing, Direction::Rollback, import(Outcome::Succeeded)), Ready, "RollbackFinished"),
        (Upgrading(Importing), forward(SAME, Importing, import(Outcome::Failed)), Degraded, "Degraded"),
        (Upgrading(Importing), forward(SAME, Importing, wants(1)), Upgrading(Rolling), "RollbackStarted"),
        (Upgrading(Importing), at_home(|_| {}), Provisioning, "MemoryLost"),
        (Degraded, forward(SAME, Rolling, |_| {}), Upgrading(Rolling), "UpgradeResumed"),
        (Degraded, forward(SAME, Rolling, |seen| { gone(seen); wants(3)(seen); }), Upgrading(Rolling), "UpgradeRedirected"),
        (Degraded, forward(SAME, Rolling, |seen| { gone(seen); wants(1)(seen); }), Upgrading(Rolling), "RollbackStarted"),
        (Degraded, forward(COLD, Rolling, |seen| { missing(Vital::Store)(seen); wants(1)(seen); }), Upgrading(Rolling), "RollbackStarted"),
        (Degraded, forward(SAME, Importing, |seen| seen.wish.retry = "again".into()), Upgrading(Rolling), "UpgradeRetried"),
        (Degraded, forward(SAME, Importing, import(Outcome::Succeeded)), Upgrading(Importing), "UpgradeResumed"),
        (Degraded, forward(FRESH, Importing, |seen| { missing(Vital::Store)(seen); seen.wish.retry = "again".into(); }), Upgrading(Rolling), "UpgradeRetried"),
    ]
}

fn deletions() -> Vec<Row> {
    let alive = Phase::ALL.into_iter().filter(|it| !matches!(it, Deleting | Phase::Unknown));
    let asked = || at_home(|seen| seen.wish.deletion = true);
    alive.map(|phase| (phase, asked(), Deleting, "Deleting")).collect()
}

fn rows() -> Vec<Row> {
    [rows_at_home(), rows_of_exporting(), rows_of_rolling_and_importing(), deletions()].concat()
}

#[test]
fn every_row_takes_its_edge() {
    for (number, (from, seen, to, word)) in rows().iter().enumerate() {
        let taken = step(*from, seen).taken.map(|it| (it.from, it.to, it.reason()));
        assert_eq!(taken, Some((*from, *to, *word)), "row {number}: {seen:#?}");
    }
}

#[test]
fn every_edge_has_a_row() {
    let rows = rows();
    for edge in edges() {
        let told = rows
            .iter()
            .any(|(from, _, to, word)| (*from, *to, *word) == (edge.from, edge.to, edge.reason()));
        assert!(told, "no row for {edge:?}");
    }
}
