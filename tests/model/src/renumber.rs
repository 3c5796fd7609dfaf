//! Revisions renamed to their ranks: worlds that differ only in how far the counter ran are one.

use crate::world::{Backend, Instance, Name, Pins, Revision, World, Write};

type Visit<'v> = &'v mut dyn FnMut(&mut Revision);

impl Backend {
    fn revisions(&mut self, visit: Visit) {
        visit(&mut self.store.of);
    }
}

fn of(name: Option<&mut Name>, visit: Visit) {
    if let Some(name) = name {
        visit(&mut name.of);
    }
}

impl Pins {
    fn revisions(&mut self, visit: Visit) {
        if let Some(home) = &mut self.home {
            home.revisions(visit);
        }
        if let Some(upgrade) = &mut self.upgrade {
            visit(&mut upgrade.id);
            upgrade.from.revisions(visit);
            upgrade.to.revisions(visit);
            of(upgrade.snapshot.as_mut(), visit);
            of(upgrade.copy.as_mut(), visit);
        }
        of(self.farewell.as_mut(), visit);
        visit(&mut self.moved);
    }
}

impl Instance {
    fn revisions(&mut self, visit: Visit) {
        visit(&mut self.revision);
        visit(&mut self.fence);
        self.pins.revisions(visit);
    }
}

impl Write {
    fn revisions(&mut self, visit: Visit) {
        match self {
            Self::Status(_, pins, fence) => {
                pins.revisions(visit);
                visit(fence);
            }
            Self::Make(it)
            | Self::Stamp(it)
            | Self::Gate(Some(it))
            | Self::Roll(it)
            | Self::Zero(it) => {
                it.revisions(visit);
            }
            Self::Seal(name)
            | Self::Raise(name)
            | Self::Prove(name, _)
            | Self::Export(name)
            | Self::StopJobs(Some((_, name)))
            | Self::Hold(Some(name)) => visit(&mut name.of),
            Self::Copy { attempt, from } => {
                visit(&mut attempt.of);
                visit(&mut from.of);
            }
            Self::Import { snapshot, attempt, into } => {
                visit(&mut snapshot.of);
                visit(&mut attempt.of);
                into.revisions(visit);
            }
            _ => {}
        }
    }
}

impl World {
    fn revisions(&mut self, visit: Visit) {
        for instance in self.instance.iter_mut().chain(&mut self.previous) {
            instance.revisions(visit);
        }
        if let Some(open) = &mut self.gate.open {
            open.revisions(visit);
        }
        visit(&mut self.gate.fence);
        if let Some(set) = &mut self.statefulset {
            set.backend.revisions(visit);
            visit(&mut set.fence);
        }
        for pod in &mut self.pods {
            pod.backend.revisions(visit);
        }
        for store in self.stores.iter_mut().chain(&mut self.lost_store) {
            visit(&mut store.name.of);
            visit(&mut store.sealed);
            visit(&mut store.fence);
        }
        self.revisions_of_work(visit);
    }

    fn revisions_of_work(&mut self, visit: Visit) {
        for export in &mut self.exports {
            visit(&mut export.of.of);
        }
        for job in &mut self.jobs {
            visit(&mut job.of.of);
            visit(&mut job.source.of);
            job.into.revisions(visit);
        }
        for proof in &mut self.proofs {
            visit(&mut proof.of.of);
        }
        visit(&mut self.traffic_fence);
        of(self.permit.as_mut(), visit);
        for pass in self.passes.iter_mut().flatten() {
            pass.instance.revisions(visit);
            for write in &mut pass.todo {
                write.revisions(visit);
            }
        }
    }

    /// Forgets what nobody can tell apart: proofs of upgrades that are over, and how far revisions ran.
    pub fn normalise(&mut self) {
        self.forget();
        let mut used = [false; 256];
        self.revisions(&mut |revision| used[usize::from(*revision)] = true);
        let mut rank = [0_u8; 256];
        let mut next = 0;
        for number in 1..256 {
            if used[number] {
                next += 1;
                rank[number] = next;
            }
        }
        self.revisions(&mut |revision| *revision = rank[usize::from(*revision)]);
    }

    fn forget(&mut self) {
        let current = self.instance.and_then(|it| it.pins.upgrade).map(|it| it.id);
        let passes = &self.passes;
        self.proofs.retain(|proof| {
            let known = |id: Option<Revision>| id == Some(proof.of.of);
            let pinned = passes.iter().flatten().any(|pass| {
                known(pass.instance.pins.upgrade.map(|it| it.id))
                    || pass
                        .todo
                        .iter()
                        .any(|it| matches!(it, Write::Prove(name, _) if *name == proof.of))
            });
            known(current) || pinned
        });
        if self.left.stale_reads == 0 {
            self.previous = None;
        }
    }

    /// The revision that the next write to a new object gets.
    pub(crate) fn next_revision(&mut self) -> Revision {
        let mut last = 0;
        self.revisions(&mut |revision| last = last.max(*revision));
        last + 1
    }
}
