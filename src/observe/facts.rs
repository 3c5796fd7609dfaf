//! Objects become facts: nobody is asked here.

use std::time::Duration;

use kube::ResourceExt;
use statemachine::{
    Observed, Phase,
    observed::{Leave, Traffic, Vital, Wish},
    pins::{Backend, Pins, Revision, Upgrade},
};

use super::{
    Answer, Children, Unmigrated, backend,
    hold::{self, Hold},
    jobs::Jobs,
    keys, migrations, phase, wish,
};
use crate::{api::ConvexInstance, plan::labels};

/// What was found, before it is put into the machine's words.
pub(super) struct Looked<'a> {
    pub(super) instance: &'a ConvexInstance,
    pub(super) children: &'a Children,
    /// The backend that the children tell of.
    pub(super) found: Option<Backend>,
    pub(super) keys: &'a keys::Seen,
    /// Nothing that the spec refers to lacks anything.
    pub(super) resolved: bool,
    pub(super) answer: Option<&'a Answer>,
    pub(super) hold: Option<&'a Hold>,
    pub(super) unmigrated: Option<&'a Unmigrated>,
    pub(super) jobs: &'a Jobs,
    /// How long the backend has been away.
    pub(super) away: Option<Duration>,
    /// The image of the upgrade could not be pulled for long.
    pub(super) unproven: bool,
    pub(super) leave: Leave,
    /// Nothing is left that has to go before the instance can.
    pub(super) cleared: bool,
    /// How long the phase has lasted.
    pub(super) waited: Duration,
}

impl Looked<'_> {
    /// In the machine's words.
    pub(super) fn facts(self, pins: Pins, wish: Wish) -> Observed {
        let (instance, children, jobs) = (self.instance, self.children, self.jobs);
        let fence = &pins.backend_fence().0;
        let attempt = pins.upgrade.as_ref().map(Upgrade::next_snapshot);
        let deadline = wish::patience(instance, phase(instance));
        let shut = || children.gate.is_none() || backend::is_shut(children, fence);
        // An export goes back into a new database. Where those are made by people, nothing goes back by itself.
        let db = &instance.spec.backend.db;
        let by_hand = db.is_server() && !db.makes_databases();
        let gone = |it: &Upgrade| {
            by_hand && it.overwritten() || jobs.way_back_is_gone(it, instance, children)
        };
        Observed {
            revision: Revision(instance.resource_version().unwrap_or_default()),
            waited: self.waited,
            patience: migrations::patience(self.unmigrated, deadline),
            lost: self.away.is_some_and(|away| away >= wish::grace(instance)),
            resolved: self.resolved,
            untouched: children.are_none() && !labels::has_finalizer(instance),
            fenced: self.is_fenced(fence),
            asked: backend::asked(children, fence),
            stopped: backend::is_stopped(children, fence),
            pods: backend::pods(children, self.answer, self.unmigrated.is_some()),
            surrounded: true,
            traffic: self.traffic(&pins),
            jobs: jobs.with_imports(attempt.as_ref(), self.hold),
            verified: jobs.verified(instance, children),
            copied: jobs.copied(children),
            deployed: self.is_deployed(),
            outgrown: wish::outgrown(&wish, children, &pins),
            cleared: self.cleared && shut(),
            obtainable: wish::obtainable(instance),
            way_back_gone: pins.upgrade.as_ref().is_some_and(gone),
            leave: self.leave,
            proof: jobs.proof(attempt.as_ref(), self.unproven),
            missing: self.missing(&pins),
            found: self.found,
            wish,
            pins,
        }
    }

    fn is_fenced(&self, fence: &str) -> bool {
        let nothing = self.children.gate.is_none() && self.found.is_none();
        self.children.gate_carries(fence) || nothing
    }

    fn traffic(&self, pins: &Pins) -> Traffic {
        let told = self.hold.filter(|_| phase(self.instance) != Phase::Provisioning);
        hold::traffic(self.children, pins, told)
    }

    fn is_deployed(&self) -> bool {
        let seen = self.hold.is_some_and(|it| it.deployed == Some(true));
        seen || wish::lets_in_without_functions(self.instance)
    }

    fn missing(&self, pins: &Pins) -> Option<Vital> {
        if !pins.served {
            return None;
        }
        let vital = pins.vital_stores(self.found.as_ref());
        let on_volumes = self.instance.spec.backend.storage.pvc.enabled;
        if on_volumes && vital.iter().any(|store| self.children.store_is_lost(store)) {
            return Some(Vital::Store);
        }
        (self.keys.keys.is_none() && !self.keys.unfit).then_some(Vital::InstanceSecret)
    }
}
