//! From obligations to steps.

mod beside;
mod deed;
mod keys;
mod removal;
mod upgrade;
mod way_in;

use k8s_openapi::api::apps::v1::StatefulSet;
use statemachine::{
    Action,
    pins::{Backend, Store},
};

use super::{
    Child, Inputs, Kind, Plan, Prepared, Step, backend, claim, compare, dashboard,
    gate::{self, Record},
    labels::Part,
    service,
};
use crate::{api::ConvexInstance, observe::World};

/// What the phase owes, as steps. Where the keys cannot be had, nothing that needs them is planned:
/// the reason is reported, and what runs keeps running.
#[must_use]
pub fn owed(instance: &ConvexInstance, actions: &[Action], world: &World) -> Plan<Prepared> {
    let removes = actions.iter().any(|it| matches!(it, Action::EnsureChildrenRemoved { .. }));
    let sealed = actions.iter().find_map(|it| match it {
        Action::EnsureStoreSealed(store) => Some(store),
        _ => None,
    });
    let planner = Planner { instance, world, inputs: world.inputs(instance), removes, sealed };
    let fills = if is_exporting(actions) { planner.to_fill() } else { Vec::new() };
    // What is refused ends the plan: it keeps an upgrade from being felt, and nothing else from being put right.
    let waits = |action: &&Action| !fills.is_empty() && is_felt(action);
    let (felt, rest): (Vec<_>, Vec<_>) = actions.iter().partition(waits);
    let mut steps: Vec<_> = rest.into_iter().flat_map(|action| planner.steps(action)).collect();
    // Where users cannot be held, or are turned away by their owner, the backend is stopped next: once the claims are seen.
    if felt.contains(&&Action::EnsureTrafficHeld) {
        // What goes is made anew first: a Job that is started beside it would wait for it in vain.
        let goes = fills.iter().any(|it| matches!(it, Step::Remove(..)));
        steps.extend(fills);
        steps.extend(planner.steps(&Action::EnsureTrafficHeld).into_iter().filter(|_| !goes));
    }
    // Last, for they may be refused.
    steps.extend(planner.growth(actions));
    if actions.contains(&Action::EnsureSurroundingsApplied) {
        steps.extend(planner.with(Planner::way_in));
    }
    Plan::of(steps)
}

/// Whether they are owed while a way back is made, and in no other phase.
fn is_exporting(actions: &[Action]) -> bool {
    actions.iter().any(|it| matches!(it, Action::EnsureImageProven(_)))
}

/// What an upgrade does for its way back that users feel, or that relies on their being turned away.
const fn is_felt(action: &Action) -> bool {
    use Action::{EnsureBackendStopped, EnsureCopied, EnsureExported, EnsureTrafficHeld};
    matches!(
        action,
        EnsureTrafficHeld | EnsureBackendStopped(_) | EnsureExported(_) | EnsureCopied { .. }
    )
}

struct Planner<'a> {
    instance: &'a ConvexInstance,
    world: &'a World,
    inputs: Option<Inputs<'a>>,
    removes: bool,
    /// The store that users are let in to.
    sealed: Option<&'a Store>,
}

impl Planner<'_> {
    fn steps(&self, action: &Action) -> Vec<Step> {
        match action {
            Action::EnsureFinalizerAdded => vec![Step::Finalizer(true)],
            // The gate is shut until the last pod is gone for good, and a new instance of this name is to find none.
            Action::EnsureFinalizerRemoved => {
                vec![Step::Remove(Kind::ConfigMap, self.world.names.gate()), Step::Finalizer(false)]
            }
            Action::EnsureSecretsCreated => self.with(|_, inputs| keys::steps(inputs)),
            Action::EnsureStoreStamped(backend) => {
                self.with(|it, inputs| it.store(inputs, backend))
            }
            Action::EnsureBackendRolled(_) if self.may_not_roll() => Vec::new(),
            Action::EnsureBackendRolled(backend) if self.is_elsewhere(backend) => Vec::new(),
            Action::EnsureBackendRolled(backend) if self.is_unasked(backend) => Vec::new(),
            Action::EnsureBackendRolled(backend) => {
                self.with(|it, inputs| it.backend(inputs, backend, false))
            }
            Action::EnsureBackendStopped(backend) if self.cannot_build() => {
                vec![self.gate(backend, false, true), Step::Stop]
            }
            Action::EnsureBackendStopped(backend) => {
                self.with(|it, inputs| it.backend(inputs, backend, true))
            }
            Action::EnsureSurroundingsApplied => self.with(Self::surroundings),
            Action::EnsureTrafficFlowing => self.with(Self::flowing),
            Action::EnsureTrafficHeld if self.lets_nobody_in() => Vec::new(),
            Action::EnsureTrafficHeld => self.with(Self::held),
            Action::EnsureChildrenRemoved { keep_stores } => self.removal(*keep_stores),
            Action::EnsureFenced => self.fenced(),
            Action::EnsureStoreSealed(store) => self.with(|it, inputs| it.seal(inputs, store)),
            Action::EnsureJobsStopped { except } => self.stop_jobs(except.as_ref()),
            Action::EnsureImageProven(release) => self.with(|it, inputs| it.prove(inputs, release)),
            Action::EnsureExported(attempt) => self.with(|it, inputs| it.export(inputs, attempt)),
            Action::EnsureCopied { attempt, from, to } => {
                self.with(|it, inputs| it.copy(inputs, attempt, (from, to)))
            }
            Action::EnsureImported { snapshot, attempt, .. } => {
                self.with(|it, inputs| it.import(inputs, attempt, snapshot))
            }
        }
    }

    fn with(&self, build: impl Fn(&Self, &Inputs<'_>) -> Vec<Step>) -> Vec<Step> {
        self.inputs.as_ref().map(|inputs| build(self, inputs)).unwrap_or_default()
    }

    /// A Service that was never made lets nobody in, and one that is about to be removed goes first.
    fn lets_nobody_in(&self) -> bool {
        self.world.children.service.is_none() || self.removes
    }

    fn store(&self, inputs: &Inputs<'_>, backend: &Backend) -> Vec<Step> {
        let storage = &self.instance.spec.backend.storage.pvc;
        // A claim that the spec names is somebody's: it is waited for, and never made.
        let named = storage.existing_claim.is_some() && backend.store == Store::Original;
        let awaited = named && inputs.found(&backend.store).is_none();
        // A copy is only ever made by its Job.
        let copied = !backend.store.may_be_made_empty() && inputs.found(&backend.store).is_none();
        let awaited = awaited || copied;
        let deed = self.deed(inputs, backend);
        if !storage.enabled || self.world.barred.is_some() || awaited {
            return deed.into_iter().collect();
        }
        let claim = Step::Ensure(Child::Claim(Box::new(claim::stamped(inputs, backend))));
        deed.into_iter().chain([claim]).collect()
    }

    /// The record first: no pod starts past one that asks for something else.
    fn backend(&self, inputs: &Inputs<'_>, backend: &Backend, stopped: bool) -> Vec<Step> {
        let set = backend::stateful_set(inputs, backend, stopped);
        let mut steps = vec![self.gate(backend, !stopped, self.rolls(&set))];
        steps.extend(beside::account(inputs, Part::Backend));
        steps.push(Step::Ensure(Child::StatefulSet(Box::new(set))));
        steps
    }

    /// That users were let in is said in the writes that are made anyhow, but where databases are made on demand.
    fn gate(&self, backend: &Backend, open: bool, rolls: bool) -> Step {
        let found = self.world.children.record();
        let known = self.opened_by(&backend.store);
        let next = Record::knowing(&known, found.as_ref(), backend, open);
        let next = next.permitting(self.permit(open)).serving(self.served());
        let written = rolls || self.instance.spec.backend.db.makes_databases();
        let said = written || found.as_ref() != Some(&next);
        let had_served = || self.had_served(&backend.store).filter(|_| said);
        let served = self.served().or_else(had_served);
        self.record(&next.serving(served))
    }

    /// Whether pods of another template are about to be made.
    fn rolls(&self, wanted: &StatefulSet) -> bool {
        let template = |it: &StatefulSet| {
            it.spec.as_ref().and_then(|it| serde_json::to_value(&it.template).ok())
        };
        let found = self.world.children.stateful_set.as_deref().and_then(template);
        let (found, wanted) = (found.unwrap_or_default(), template(wanted).unwrap_or_default());
        !compare::covers(&found, &wanted)
    }

    /// Everything that has opened a store: by the record, or else by its claim.
    fn opened_by(&self, store: &Store) -> Vec<String> {
        let record = self.world.children.record();
        let recorded = record.map(|it| it.opened_by(store).to_vec()).filter(|it| !it.is_empty());
        let stamped = || {
            let found = self.world.children.claims.iter().find(|(of, _)| of == store);
            claim::opened_by(found.map(|(_, claim)| &claim.metadata))
        };
        let deed = self.world.children.deed.as_ref().filter(|it| it.about() == *store);
        let deeded = || deed.map(|it| it.opened.clone());
        recorded.or_else(deeded).unwrap_or_else(stamped)
    }

    fn record(&self, record: &Record) -> Step {
        let config = gate::config_map(self.instance, record, &self.world.facts.pins.fence.0);
        Step::Ensure(Child::ConfigMap(Box::new(config)))
    }

    /// What was found, under our fence. Where there is no record, the gate is closed until home is known.
    fn fenced(&self) -> Vec<Step> {
        let found = self.world.children.record();
        let missing = || Some(Record::next(None, self.world.facts.found.as_ref()?, false));
        found.or_else(missing).map(|it| self.record(&it)).into_iter().collect()
    }

    /// A volume that is full stands in the way of an upgrade, too: its backend cannot even note that it is paused.
    fn growth(&self, actions: &[Action]) -> Vec<Step> {
        let from = || self.world.facts.pins.upgrade.as_ref().map(|it| &it.from);
        let backend = actions.iter().find_map(|action| match action {
            Action::EnsureStoreStamped(backend) => Some(backend),
            Action::EnsureImageProven(_) => from(),
            _ => None,
        });
        let inputs = self.inputs.as_ref().filter(|_| self.world.barred.is_none());
        let Some((backend, inputs)) = backend.zip(inputs) else { return Vec::new() };
        let grown = [
            claim::grown(inputs, backend),
            self.world.children.exports.grown(inputs),
            is_exporting(actions).then(|| self.grown_copy(inputs)).flatten(),
        ];
        grown.into_iter().flatten().map(|it| Step::Grow(Box::new(it))).collect()
    }

    fn surroundings(&self, inputs: &Inputs<'_>) -> Vec<Step> {
        let mut steps = self.dashboard(inputs);
        steps.extend(self.beside(inputs));
        steps
    }

    fn dashboard(&self, inputs: &Inputs<'_>) -> Vec<Step> {
        let name = inputs.names.dashboard();
        if self.instance.spec.dashboard.enabled {
            let mut steps = Vec::new();
            if self.world.requisites.dashboard.is_none() {
                let deployment = Box::new(dashboard::deployment(inputs));
                steps.extend(beside::account(inputs, Part::Dashboard));
                steps.push(Step::Ensure(Child::Deployment(deployment)));
            }
            steps.push(Step::Ensure(Child::Service(Box::new(service::dashboard(inputs)))));
            return steps;
        }
        vec![Step::Remove(Kind::Deployment, name.clone()), Step::Remove(Kind::Service, name)]
    }
}

#[cfg(test)]
mod tests;
