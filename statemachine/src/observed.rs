//! What the operator saw, as a value: no clients, no clocks.

use std::time::Duration;

use crate::{
    phase::Stage,
    pins::{Backend, Pins, Release, Revision, Snapshot, Strategy, Upgrade},
};

/// One look at the world: the wish, the memory, the time, and the children.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // facts are independent; an enum would invent relations
pub struct Observed {
    /// What the user wants.
    pub wish: Wish,
    /// What `status` remembers.
    pub pins: Pins,
    /// The `resourceVersion` that the next status write is conditioned on.
    pub revision: Revision,
    /// How long the phase has lasted, by the time of its edge in `status`.
    pub waited: Duration,
    /// How long the phase may last.
    pub patience: Duration,
    /// Whether home has not served for longer than its grace; asked while it should.
    pub lost: bool,
    /// Whether everything that the spec refers to exists, is readable and is free.
    pub resolved: bool,
    /// The newest sealed store with the release stamped on it, or else what the `StatefulSet` says,
    /// of this instance's UID only. Needed where the pins have no home.
    pub found: Option<Backend>,
    /// Whether nothing was ever made for this instance: no finalizer of ours, no child, no claim that it
    /// is to take over. Then there is nothing to look for, and no older pass that could move it.
    pub untouched: bool,
    /// Whether the gate and every store carry our fence, so that no older pass moves what was found.
    pub fenced: bool,
    /// What the `StatefulSet` asks for, once it and the gate carry our fence, name the same backend,
    /// and its controller has seen it.
    pub asked: Option<Backend>,
    /// Whether the `StatefulSet` asks for no pod at all, it and the closed gate carry our fence, and
    /// its controller has seen it.
    pub stopped: bool,
    /// Every pod of the backend that is not fully gone, whoever made it.
    pub pods: Vec<Pod>,
    /// Whether dashboard and exposure are accepted.
    pub surrounded: bool,
    /// Whether anybody can still write.
    pub traffic: Traffic,
    /// Every job of this instance's UID whose effect is not over, and every one whose outcome is still known.
    pub jobs: Vec<Job>,
    /// Every export whose content was checked and is still there.
    pub verified: Vec<Snapshot>,
    /// Every cold copy whose content was checked as a whole and is still there.
    pub copied: Vec<Snapshot>,
    /// Whether functions are deployed on what serves, or the user let traffic in without them.
    pub deployed: bool,
    /// Whether the wanted version is one that the store of home was once stamped with, and not last.
    pub outgrown: bool,
    /// Whether every child that must go is gone, under a closed gate that carries our fence; stores
    /// that stay by policy, or for want of a last snapshot once [parted](Pins::parted), need not.
    pub cleared: bool,
    /// Whether the way back and the payload that `wish.strategy` asks for can be had here and now:
    /// a class that copies, room for the export, a worker image.
    pub obtainable: bool,
    /// Whether an upgrade may begin now as far as people, clocks and other instances go.
    pub leave: Leave,
    /// Whether the target image of the running upgrade's attempt was pulled and started on the node.
    pub proof: Proof,
    /// Whether what a rollback of the running upgrade would go to is gone: its copy, or its export.
    pub way_back_gone: bool,
    /// What is gone that must never be made anew once the instance has served: the instance's
    /// secret, or a store that [`Pins::vital_stores`] names. Absent, not merely unready; while
    /// it is being deleted it is already gone.
    pub missing: Option<Vital>,
}

impl Observed {
    /// Whether what is wished for was rolled back by itself, and nobody has asked for another try since.
    #[must_use]
    pub fn refuses_wish(&self, pins: &Pins) -> bool {
        let asked = &self.wish.retry;
        let again = |last: &str| !asked.is_empty() && asked != last;
        let refused = pins.refused.as_ref();
        refused.is_some_and(|it| it.release == self.wish.release && !again(&it.retry))
    }

    /// Whether what this upgrade is about to carry was exported already, or may be: from then on nobody may write.
    #[must_use]
    pub fn has_begun_export(&self, upgrade: &Upgrade) -> bool {
        let of = upgrade.next_snapshot();
        let begun = || self.jobs.iter().any(|it| it.kind == Kind::Export && it.of == of);
        let exports = upgrade.stage == Stage::Exporting && upgrade.strategy.exports();
        exports && (upgrade.snapshot.is_some() || begun())
    }
}

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a field of the spec
pub struct Wish {
    /// What the spec asks to run.
    pub release: Release,
    /// `spec.maintenance`: how an upgrade moves the data.
    pub strategy: Strategy,
    /// Whether a failed upgrade is rolled back by itself.
    pub rollback: bool,
    /// A string whose change asks for another try.
    pub retry: String,
    /// The object carries a deletion timestamp.
    pub deletion: bool,
    /// A deletion that destroys the stores leaves a snapshot behind.
    pub farewell: bool,
    /// The backend shall be stopped and all data kept.
    pub suspend: bool,
    /// An export may be made, and an import run, of a backend that cannot be held (`acceptUnheldExport`).
    pub unheld_export: bool,
}

/// A pod of the backend that still exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// What it runs on which store.
    pub backend: Backend,
    /// How it is.
    pub health: Health,
}

/// How a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not yet serving.
    Starting,
    /// Serving, its migrations not done.
    Migrating,
    /// Serving, migrated, and taking the admin key.
    Serving,
    /// Going, and still there.
    Terminating,
}

/// Whether anybody can still write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Users are let in.
    Flowing,
    /// New requests are turned away; old ones may still write.
    Draining,
    /// Nobody can write, not even a cron of the backend itself, and the hold carries our fence.
    /// Stays so while the backend is stopped.
    Held,
    /// The backend is too old to be paused; where it is stopped, nobody can write all the same.
    Unholdable,
}

/// A job whose effect is not over, or whose outcome is still known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which way it carries data.
    pub kind: Kind,
    /// The attempt that it belongs to.
    pub of: Snapshot,
    /// How it went.
    pub outcome: Outcome,
}

/// Which way a job carries data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Out of a store.
    Export,
    /// Into a store.
    Import,
    /// From one store to another, nobody having either open.
    Copy,
}

/// How a job went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not over, or about to be begun again.
    Running,
    /// Verified by content.
    Succeeded,
    /// Over, in vain.
    Failed,
}

/// Whether an upgrade may begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Leave {
    /// Nothing stands in its way.
    #[default]
    Given,
    /// Somebody has to approve it first.
    ForApproval,
    /// The maintenance window is closed.
    ForWindow,
    /// As many other instances are being upgraded as may be at a time.
    ForTurn,
}

/// Whether the target image can run where the backend runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Not tried, or still being tried.
    #[default]
    Unknown,
    /// It was pulled and started.
    Proven,
    /// It cannot be pulled or started.
    Failed,
}

/// What can never be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vital {
    /// The secret that the instance's keys and stored secrets derive from.
    InstanceSecret,
    /// The claim or database that holds the data.
    Store,
}
