//! What people do to an instance, its status and its children; some of it by mistake.

use statemachine::Phase;

use crate::{
    model::{Lifecycle, spend},
    mutant::Mutant,
    world::{Instance, Name, Pins, Store, Wish, World, holds},
};

/// Changes the instance in etcd; a change that changes nothing is none.
fn edit(world: &mut World, change: impl FnOnce(&mut Instance)) -> Option<()> {
    let before = world.instance.filter(|it| !it.deleting)?;
    let mut after = before;
    change(&mut after);
    if after == before {
        return None;
    }
    after.revision += 1;
    world.previous = Some(before);
    world.instance = Some(after);
    Some(())
}

impl Lifecycle {
    pub(crate) fn edit_wish(world: &mut World, change: impl FnOnce(&mut Wish)) -> Option<()> {
        spend(&mut world.left.edits)?;
        edit(world, |it| change(&mut it.wish))
    }

    pub(crate) fn suspend(world: &mut World) -> Option<()> {
        spend(&mut world.left.suspends)?;
        edit(world, |it| it.wish.suspend = !it.wish.suspend)
    }

    /// Without our finalizer the instance is gone at once; that is only of interest while nothing exists.
    pub(crate) fn delete(world: &mut World) -> Option<()> {
        spend(&mut world.left.deletions)?;
        let instance = world.instance.filter(|it| !it.deleting)?;
        if instance.finalizer {
            return edit(world, |it| (it.deleting, it.late) = (true, false));
        }
        let untouched = world.statefulset.is_none() && world.stores.is_empty();
        if !untouched || world.passes.iter().any(Option::is_some) {
            return None;
        }
        (world.instance, world.previous) = (None, None);
        Some(())
    }

    /// Another instance of the same name, while children of the last one may still be there.
    pub(crate) fn recreate(&self, world: &mut World) -> Option<()> {
        if world.instance.is_some() {
            return None;
        }
        spend(&mut world.left.recreations)?;
        world.uids += 1;
        let revision = world.next_revision();
        let born = self.born(world.uids);
        world.instance = Some(Instance { revision, ..born });
        (world.acknowledged, world.secret, world.secret_lost) = (0, false, false);
        world.exports.clear();
        Some(())
    }

    pub(crate) fn kill(world: &mut World) -> Option<()> {
        spend(&mut world.left.monkeys)?;
        let pod = world.pods.iter_mut().find(|pod| !pod.leaving)?;
        (pod.leaving, pod.ready) = (true, false);
        Some(())
    }

    pub(crate) fn lose_secret(world: &mut World) -> Option<()> {
        spend(&mut world.left.losses)?;
        if !world.secret {
            return None;
        }
        (world.secret, world.secret_lost, world.fault) = (false, true, true);
        Some(())
    }

    pub(crate) fn lose_store(world: &mut World, at: usize) -> Option<()> {
        spend(&mut world.left.losses)?;
        if world.lost_store.is_some() || at >= world.stores.len() {
            return None;
        }
        world.lost_store = Some(world.stores.remove(at));
        world.fault = true;
        Some(())
    }

    pub(crate) fn lose_export(world: &mut World, at: usize) -> Option<()> {
        spend(&mut world.left.losses)?;
        let export = world.exports.get_mut(at).filter(|it| !it.lost)?;
        export.lost = true;
        world.fault = true;
        Some(())
    }

    pub(crate) fn put_back(world: &mut World) -> Option<()> {
        if world.secret_lost && !world.secret {
            (world.secret, world.secret_lost) = (true, false);
            return Some(());
        }
        let store = world.lost_store?;
        if world.store(store.name).is_some() {
            return None;
        }
        world.stores.push(store);
        world.stores.sort_by_key(|store| store.name);
        world.lost_store = None;
        Some(())
    }

    /// A backup without status, or a hand that cleared it.
    pub(crate) fn forget(world: &mut World, keep: Kept) -> Option<()> {
        spend(&mut world.left.amnesia)?;
        edit(world, |it| {
            it.late = false;
            match keep {
                Kept::Nothing => it.phase = Phase::Pending,
                Kept::Fence => {
                    it.pins.home = None;
                    return;
                }
                Kept::Phase => {}
            }
            it.fence = 0;
            it.pins.moved = 0;
            let upgrading = matches!(it.phase, Phase::Upgrading(_));
            if upgrading {
                it.pins.upgrade = None;
            } else {
                it.pins = Pins::default();
            }
        })
    }

    /// The deadline of the phase passes.
    pub(crate) fn overdue(world: &mut World) -> Option<()> {
        let instance = world.instance.as_mut()?;
        if instance.late || matches!(instance.phase, Phase::Pending | Phase::Degraded) {
            return None;
        }
        instance.late = true;
        world.fault = true;
        Some(())
    }

    pub(crate) fn break_version(world: &mut World, version: u8) -> Option<()> {
        spend(&mut world.left.breaks)?;
        let runs = world.pods.iter().any(|pod| pod.backend.version == version && pod.ready);
        if world.broken != 0 || runs {
            return None;
        }
        world.broken |= 1 << version;
        world.fault = true;
        Some(())
    }

    /// A mistyped tag: it was never pulled, and never will be.
    pub(crate) fn mistype(world: &mut World, version: u8) -> Option<()> {
        spend(&mut world.left.absences)?;
        let pulled = world.pods.iter().any(|pod| pod.backend.version == version && pod.started);
        let proven = world.proofs.iter().any(|it| it.version == version);
        if pulled || proven || holds(world.absent, version) {
            return None;
        }
        world.absent |= 1 << version;
        world.fault = true;
        Some(())
    }

    /// Retention acts in Ready only, and only on what nothing pinned refers to.
    pub(crate) fn prune_export(&self, world: &mut World, at: usize) -> Option<()> {
        spend(&mut world.left.prunings)?;
        let instance = world.instance?;
        let name = world.exports.get(at)?.of;
        if self.mutant != Mutant::PrunesOld && refers(&instance, name) {
            return None;
        }
        world.exports.remove(at);
        Some(())
    }

    /// Retention of stores: never home, never one of an upgrade.
    pub(crate) fn prune_store(&self, world: &mut World, at: usize) -> Option<()> {
        spend(&mut world.left.prunings)?;
        let instance = world.instance?;
        let Store { name, owner, .. } = *world.stores.get(at)?;
        let pinned = refers(&instance, name) || owner != instance.uid;
        if self.mutant != Mutant::PrunesOld && pinned {
            return None;
        }
        world.stores.remove(at);
        Some(())
    }
}

/// What is left of a status that was lost.
#[derive(Clone, Copy)]
pub(crate) enum Kept {
    Nothing,
    Phase,
    Fence,
}

/// Whether the instance needs this, or may: without a home it is not known.
fn refers(instance: &Instance, name: Name) -> bool {
    let Some(home) = instance.pins.home.filter(|_| instance.phase == Phase::Ready) else {
        return true;
    };
    let busy = instance.pins.upgrade.is_some();
    busy || home.store == name || instance.pins.farewell == Some(name)
}
