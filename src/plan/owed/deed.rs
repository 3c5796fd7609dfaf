//! What is remembered of stores on servers: by the Secret with the keys, and by the record.

use statemachine::pins::{Backend, Store};

use super::Planner;
use crate::{
    observe::KeysFound,
    plan::{
        Inputs, Step, claim,
        deed::{self, Deed},
        secrets,
    },
};

impl Planner<'_> {
    /// A database on a server is in no copy of a volume: an old version that were given one would open what a new one has
    /// migrated.
    pub(super) fn is_elsewhere(&self, backend: &Backend) -> bool {
        self.instance.spec.backend.db.is_server() && matches!(backend.store, Store::Copied(_))
    }

    /// The edge to a store of another database was taken in this pass: whose that is is asked in the next one.
    pub(super) fn is_unasked(&self, backend: &Backend) -> bool {
        let asked = |it: &Inputs<'_>| it.deployment(&backend.store) == it.keys.deployment;
        !self.inputs.as_ref().is_some_and(asked)
    }

    /// Who is about to open the store is told before it may. A store that users are not let in to yet is none that anybody comes
    /// back to.
    pub(super) fn deed(&self, inputs: &Inputs<'_>, backend: &Backend) -> Option<Step> {
        let known = self.world.children.deed.as_ref();
        let about = known.is_none_or(|it| it.about() == backend.store);
        about.then(|| self.stamped(inputs, backend)).flatten()
    }

    /// Users are let in to this store: from now on it is the one that is come back to.
    pub(super) fn moved(&self, inputs: &Inputs<'_>, store: &Store) -> Option<Step> {
        let home = self.world.facts.pins.home.as_ref().filter(|home| home.store == *store)?;
        let known = self.world.children.deed.as_ref();
        let elsewhere = known.is_some_and(|it| it.about() != *store);
        elsewhere.then(|| self.stamped(inputs, home)).flatten()
    }

    /// The stamp, where it says something else. One that is made with its Secret is there from the beginning.
    fn stamped(&self, inputs: &Inputs<'_>, backend: &Backend) -> Option<Step> {
        let there = inputs.keys.found != KeysFound::Nowhere && inputs.keys.of_the_operator;
        if !self.instance.spec.backend.db.is_server() || !there {
            return None;
        }
        let opened = claim::with(self.opened_by(&backend.store), backend);
        let known = self.world.children.deed.as_ref();
        let same = |it: &&Deed| it.own && it.backend() == *backend;
        let said = known.filter(same).filter(|it| it.opened == opened);
        let stamp = deed::stamp(inputs, backend, &opened);
        said.is_none().then(|| Step::Rename(secrets::stamped(inputs, stamp).into()))
    }

    /// Whoever comes after an instance that never let anybody in finds what a new one finds, a database that is empty among it.
    pub(super) fn never_served(&self) -> Option<Step> {
        let deed = self.world.children.deed.as_ref();
        let unsaid = deed.is_some_and(|it| it.own && !it.never_served);
        let says = || secrets::never_served(self.instance, &self.world.names);
        (unsaid && !self.world.facts.pins.served).then(|| Step::Rename(says().into()))
    }

    /// The store on a server that users are let in to in this pass. Where it is made on demand, that ends with it: a database that
    /// is gone later was not there to be made.
    pub(super) fn served(&self) -> Option<&Store> {
        self.sealed.filter(|_| self.instance.spec.backend.db.makes_databases())
    }

    /// This store, where users were let in to it before this pass, if need be by an earlier instance. It is said before anything may
    /// open it.
    pub(super) fn had_served<'a>(&self, store: &'a Store) -> Option<&'a Store> {
        let pins = &self.world.facts.pins;
        let own = pins.served && pins.home.as_ref().is_some_and(|it| it.store == *store);
        let elsewhere = self.instance.spec.backend.db.is_server();
        (elsewhere && own).then_some(store)
    }

    /// What the record says of it, where no backend is rolled whose record would say it.
    pub(super) fn unrecorded(&self, store: &Store) -> Option<Step> {
        let served = self.served().filter(|it| *it == store && self.may_not_roll())?;
        let record = self.world.children.record()?;
        (record.served.as_ref() != Some(served)).then(|| self.record(&record.serving(Some(served))))
    }
}
