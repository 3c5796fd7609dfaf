//! The model itself: where it begins, what can happen next, and what follows from it.

use std::{collections::HashSet, sync::Mutex};

use statemachine::Phase;
use stateright::Model;

use crate::{
    act::{Act, FAIR, FOUL, Who},
    api_server::{concerns_the_instance, execute, execute_and_repeat},
    configuration::Configuration,
    mutant::Mutant,
    observe::Look,
    people::Kept,
    properties,
    reconcile::reconcile,
    worker,
    world::{Instance, Pass, Pins, Wish, World},
};

/// One configuration, checked with one mutant or none.
pub struct Lifecycle {
    /// What may go wrong, and how often.
    pub configuration: Configuration,
    /// The seeded fault.
    pub mutant: Mutant,
    /// Fingerprints of worlds that were seen to come to rest well.
    pub(crate) calm: Vec<Mutex<HashSet<u64>>>,
}

/// Takes one from a budget; none where it is used up.
pub(crate) fn spend(budget: &mut u8) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    Some(())
}

impl Lifecycle {
    /// A model of this configuration.
    #[must_use]
    pub fn new(configuration: Configuration, mutant: Mutant) -> Self {
        let calm = (0..64).map(|_| Mutex::default()).collect();
        Self { configuration, mutant, calm }
    }

    pub(crate) fn born(&self, uid: u8) -> Instance {
        let configuration = &self.configuration;
        Instance {
            uid,
            revision: 1,
            wish: Wish {
                version: 1,
                strategy: configuration.strategy,
                rollback: configuration.rollback,
                retry: 0,
                farewell: configuration.farewell,
                suspend: false,
            },
            deleting: false,
            finalizer: false,
            phase: Phase::Pending,
            pins: Pins::default(),
            fence: 0,
            late: false,
        }
    }

    pub(crate) fn look<'w>(&self, world: &'w World, instance: &'w Instance) -> Look<'w> {
        let unpausable = self.configuration.unpausable;
        Look { world, instance, mutant: self.mutant, unpausable }
    }

    /// An operator looks and keeps in mind what it wants to write.
    fn read(&self, world: &mut World, who: usize, instance: Option<Instance>) -> Option<()> {
        let instance = instance?;
        if world.passes[who].is_some() || world.instance.is_none() {
            return None;
        }
        let (_, todo) = reconcile(&self.look(world, &instance));
        if todo.is_empty() {
            return None;
        }
        world.passes[who] = Some(Pass { instance, todo });
        Some(())
    }

    fn write(&self, world: &mut World, who: usize) -> Option<()> {
        let mut pass = world.passes[who].take()?;
        let write = pass.todo.remove(0);
        let goes_on = execute_and_repeat(world, write, &mut pass.instance, self.mutant);
        if goes_on && !pass.todo.is_empty() {
            world.passes[who] = Some(pass);
        }
        Some(())
    }

    fn conflict(&self, world: &mut World) -> Option<()> {
        spend(&mut world.left.conflicts)?;
        let mut pass = world.passes[0].take()?;
        let write = pass.todo.remove(0);
        if !concerns_the_instance(&write) {
            return None;
        }
        let goes_on = execute(world, write, &mut pass.instance, true, self.mutant);
        if goes_on && !pass.todo.is_empty() {
            world.passes[0] = Some(pass);
        }
        Some(())
    }

    fn lost_response(&self, world: &mut World) -> Option<()> {
        spend(&mut world.left.lost_requests)?;
        let mut pass = world.passes[0].take()?;
        let write = pass.todo.remove(0);
        execute(world, write, &mut pass.instance, false, self.mutant);
        Some(())
    }

    /// Where version 1 cannot be paused it is where upgrades come from, never where they go.
    fn too_early(&self, world: &World) -> bool {
        let served = world.instance.is_some_and(|it| it.pins.served);
        self.configuration.unpausable && !served
    }

    /// What follows from one act; none where it cannot happen.
    pub(crate) fn after(&self, before: &World, act: Act) -> Option<World> {
        if act.is_idle(before) {
            return None;
        }
        let mut world = before.clone();
        match act.who() {
            Who::Operator => self.operators(&mut world, act),
            Who::Cluster => self.cluster(&mut world, act),
            Who::People => self.people(&mut world, act),
        }?;
        Self::watch_users(&mut world);
        world.normalise();
        Some(world)
    }

    fn operators(&self, world: &mut World, act: Act) -> Option<()> {
        let (current, previous) = (world.instance, world.previous);
        match act {
            Act::Read => self.read(world, 0, current),
            Act::ReadStale => {
                spend(&mut world.left.stale_reads).and_then(|()| self.read(world, 0, previous))
            }
            Act::Second => {
                spend(&mut world.left.second).and_then(|()| self.read(world, 1, current))
            }
            Act::SecondStale => spend(&mut world.left.second)
                .and_then(|()| spend(&mut world.left.stale_reads))
                .and_then(|()| self.read(world, 1, previous)),
            Act::Do(who) => self.write(world, usize::from(who)),
            Act::Conflict => self.conflict(world),
            Act::LostRequest => spend(&mut world.left.lost_requests)
                .and_then(|()| world.passes[0].take().map(|_| ())),
            Act::LostResponse => self.lost_response(world),
            Act::Crash => {
                spend(&mut world.left.crashes).and_then(|()| world.passes[0].take().map(|_| ()))
            }
            _ => None,
        }
    }

    fn cluster(&self, world: &mut World, act: Act) -> Option<()> {
        match act {
            Act::Sync => self.sync(world),
            Act::PodStarts(at) => self.pod_starts(world, at.into()),
            Act::PodServes(at) => Self::pod_serves(world, at.into()),
            Act::PodGone(at) => Self::pod_gone(world, at.into()),
            Act::Drained => self.drained(world),
            Act::UserWrites => spend(&mut world.left.writes).and_then(|()| self.user_writes(world)),
            Act::JobWorks(at) => worker::work(world, at.into(), self.mutant),
            Act::JobFails(at) => {
                spend(&mut world.left.job_failures).and_then(|()| worker::fail(world, at.into()))
            }
            Act::Expire(at) => {
                spend(&mut world.left.expiries).and_then(|()| worker::expire(world, at.into()))
            }
            Act::ProofEnds(at) => worker::prove(world, at.into()),
            Act::Deploy => self.deploy(world),
            Act::Collect => Self::collect(world),
            Act::NodeLost => spend(&mut world.left.nodes).and_then(|()| Self::node_lost(world)),
            Act::NodeBack => std::mem::take(&mut world.node_lost).then_some(()),
            _ => None,
        }
    }

    fn people(&self, world: &mut World, act: Act) -> Option<()> {
        let monkey = |world: &mut World| spend(&mut world.left.monkeys);
        match act {
            Act::Edit(_) if self.too_early(world) => None,
            Act::Edit(version) => Self::edit_wish(world, |wish| wish.version = version),
            Act::EditStrategy(to) => Self::edit_wish(world, |wish| wish.strategy = to),
            Act::Retry => Self::edit_wish(world, |wish| wish.retry ^= 1),
            Act::Suspend => Self::suspend(world),
            Act::Delete => Self::delete(world),
            Act::Recreate => self.recreate(world),
            Act::Kill => Self::kill(world),
            Act::DeleteSet => monkey(world).and_then(|()| world.statefulset.take().map(|_| ())),
            Act::DeleteGate => monkey(world)
                .and_then(|()| (std::mem::take(&mut world.gate).owner != 0).then_some(())),
            Act::LoseSecret => Self::lose_secret(world),
            Act::LoseStore(at) => Self::lose_store(world, at.into()),
            Act::LoseExport(at) => Self::lose_export(world, at.into()),
            Act::PutBack => Self::put_back(world),
            Act::Amnesia => Self::forget(world, Kept::Nothing),
            Act::Pinless => Self::forget(world, Kept::Phase),
            Act::Homeless => Self::forget(world, Kept::Fence),
            Act::Late => spend(&mut world.left.lates).and_then(|()| Self::overdue(world)),
            Act::Break(version) => Self::break_version(world, version),
            Act::Absent(version) => Self::mistype(world, version),
            Act::Jam => spend(&mut world.left.jams).map(|()| world.jammed = true),
            Act::Unjam => std::mem::take(&mut world.jammed).then_some(()),
            Act::PruneExport(at) => self.prune_export(world, at.into()),
            Act::PruneStore(at) => self.prune_store(world, at.into()),
            _ => None,
        }
    }
}

/// Acts on one of several, numbered.
fn each(count: usize, act: fn(u8) -> Act) -> impl Iterator<Item = Act> {
    (0..u8::try_from(count).unwrap_or(u8::MAX)).map(act)
}

impl Model for Lifecycle {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.born(1), self.configuration.budget)]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        let left = &world.left;
        acts.extend(FAIR);
        acts.extend(FOUL);
        acts.extend([
            Act::EditStrategy(self.configuration.alternative),
            Act::EditStrategy(self.configuration.strategy),
        ]);
        if left.job_failures > 0 {
            acts.extend(each(world.jobs.len(), Act::JobFails));
        }
        if left.expiries > 0 {
            acts.extend(each(world.jobs.len(), Act::Expire));
        }
        if left.losses > 0 {
            acts.extend(each(world.stores.len(), Act::LoseStore));
            acts.extend(each(world.exports.len(), Act::LoseExport));
        }
        if left.prunings > 0 {
            acts.extend(each(world.stores.len(), Act::PruneStore));
            acts.extend(each(world.exports.len(), Act::PruneExport));
        }
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        self.after(world, act).filter(|next| next != world)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        properties::all(&self.configuration)
    }
}
