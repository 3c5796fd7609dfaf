//! Liveness as safety: from every world, once nothing goes wrong any more and everybody gets a turn,
//! the world comes to rest, and rests well.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

use statemachine::{Phase, Step, Waiting};

use crate::{
    act::{Act, FAIR},
    model::Lifecycle,
    reconcile::reconcile,
    world::{Budget, Instance, World},
};

/// More rounds than any world needs.
const ROUNDS: usize = 300;

fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

impl Lifecycle {
    /// Whether the world comes to rest well from here.
    #[must_use]
    pub fn rests(&self, world: &World) -> bool {
        self.drain(world).is_ok()
    }

    /// # Errors
    /// Where it ends instead, and why that is not well.
    pub fn drain(&self, world: &World) -> Result<(), (Box<World>, &'static str)> {
        let mut world =
            World { left: Budget::default(), jammed: false, node_lost: false, ..world.clone() };
        let mut path = Vec::new();
        for _ in 0..ROUNDS {
            let print = fingerprint(&world);
            if self.calm(print).contains(&print) {
                self.remember(&path);
                return Ok(());
            }
            path.push(print);
            if self.turn(&mut world) {
                continue;
            }
            if world.bad != 0 {
                return Err((Box::new(world), "a ghost was raised while draining"));
            }
            let why = world.instance.and_then(|it| self.rest(&world, &it).err());
            if why.is_some() && Self::overdue(&mut world).is_some() {
                continue;
            }
            self.remember(if why.is_none() { &path } else { &[] });
            return why.map_or(Ok(()), |why| Err((Box::new(world), why)));
        }
        Err((Box::new(world), "never comes to rest"))
    }

    /// Gives everybody a turn; false when nobody could use it.
    fn turn(&self, world: &mut World) -> bool {
        let mut moved = false;
        let more = u8::try_from(world.jobs.len()).unwrap_or(u8::MAX);
        for act in FAIR.into_iter().chain((8..more).map(Act::JobWorks)) {
            if let Some(next) = self.after(world, act)
                && next != *world
            {
                *world = next;
                moved = true;
            }
        }
        moved && world.bad == 0
    }

    fn calm(&self, print: u64) -> MutexGuard<'_, HashSet<u64>> {
        let shard: &Mutex<_> = &self.calm[usize::from(print.to_le_bytes()[0] % 64)];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, path: &[u64]) {
        for print in path {
            self.calm(*print).insert(*print);
        }
    }

    fn rest(&self, world: &World, instance: &Instance) -> Result<(), &'static str> {
        let (step, todo) = reconcile(&self.look(world, instance));
        if !todo.is_empty() || world.passes.iter().any(Option::is_some) {
            return Err("still writing");
        }
        if instance.deleting {
            return Err("deleted but still there");
        }
        match instance.phase {
            Phase::Ready => ready(world, instance, &step),
            Phase::Suspended => suspended(world, instance, &step),
            Phase::Pending if step.waiting == Some(Waiting::ForReferences) => Ok(()),
            Phase::Degraded if step.waiting.is_none() => Err("Degraded without a reason"),
            Phase::Degraded if !world.fault => Err("Degraded without a fault"),
            Phase::Degraded => lost(world, &step),
            _ => Err("stuck"),
        }
    }
}

fn ready(world: &World, instance: &Instance, step: &Step) -> Result<(), &'static str> {
    let home = instance.pins.home.ok_or("Ready without a home")?;
    let serves = |pod: &crate::world::Pod| pod.ready && !pod.leaving && pod.backend == home;
    if !matches!(&world.pods[..], [pod] if serves(pod)) {
        return Err("Ready but not serving");
    }
    if world.traffic != crate::world::Traffic::Flowing {
        return Err("Ready but held");
    }
    if instance.wish.suspend {
        return Err("Ready but to be suspended");
    }
    match step.waiting {
        None if home.version == instance.wish.version => Ok(()),
        Some(Waiting::Refused(_)) if world.fault => Ok(()),
        Some(Waiting::Outgrown(_) | Waiting::HoldUnsupported) => Ok(()),
        _ => Err("Ready at the wrong version"),
    }
}

fn suspended(world: &World, instance: &Instance, step: &Step) -> Result<(), &'static str> {
    if !instance.wish.suspend {
        return Err("suspended against the wish");
    }
    if !world.pods.is_empty() || world.statefulset.is_none_or(|set| set.up) {
        return Err("suspended but running");
    }
    match step.waiting {
        None | Some(Waiting::ForResume(_)) => Ok(()),
        _ => Err("suspended but waiting"),
    }
}

/// Degraded for want of something that is there would never end.
fn lost(world: &World, step: &Step) -> Result<(), &'static str> {
    let missing = !world.secret || world.lost_store.is_some() || world.fault;
    match step.waiting {
        Some(Waiting::Lost(_)) if !missing => Err("Degraded for something that is there"),
        _ => Ok(()),
    }
}
