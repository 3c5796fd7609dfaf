//! How the pins change at home: finding it, settling in, being suspended, losing it, leaving it.

use crate::{
    lifecycle::Life,
    phase::Phase,
    pins::{Backend, Snapshot, Store},
};

impl Life<'_> {
    /// Forgets what cannot be trusted; what is found is believed once no older pass can move it.
    pub(crate) fn rebuild(&mut self) -> Phase {
        self.pins.upgrade = None;
        self.pins.home = None;
        Phase::Provisioning
    }

    /// The first edge of a life. Where nothing was ever made, home is what the spec says; a stop that is
    /// wished from birth is settled once it is known that there is nothing to stop.
    pub(crate) fn begin_life(&mut self) -> Phase {
        let phase = self.rebuild();
        if self.seen.untouched && self.seen.found.is_none() && !self.seen.wish.suspend {
            return self.settle();
        }
        phase
    }

    /// The pins are lost, and a fence of our own has been taken to look for them.
    pub(crate) fn rebuilding(&self) -> bool {
        self.pins.home.is_none() && self.pins.upgrade.is_none() && !self.pins.fence.is_none()
    }

    /// A rebuild that cannot raise its fences in time says so, and goes on trying under the fence of
    /// that edge.
    pub(crate) fn rebuilding_failed(&self, phase: Phase) -> Option<Phase> {
        let stuck = phase == Phase::Provisioning && self.late() && self.fenced().is_err();
        stuck.then_some(Phase::Degraded)
    }

    /// Children first: what they say about the data outranks what the spec says.
    fn settle(&mut self) -> Phase {
        let found = self.seen.found.clone();
        self.pins.served |= found.is_some();
        self.pins.home = Some(found.unwrap_or_else(|| Backend {
            release: self.seen.wish.release.clone(),
            store: Store::Original,
        }));
        if self.seen.wish.suspend { Phase::Suspended } else { Phase::Provisioning }
    }

    /// Ready once provisioned; another release is taken at once while nobody was ever let in.
    pub(crate) fn provision(&mut self) -> Option<Phase> {
        let Some(home) = self.pins.home.clone() else {
            return self.fenced().ok().map(|()| self.settle());
        };
        if self.seen.wish.suspend {
            return self.suspend();
        }
        if self.provisioned(&home).is_ok() {
            return Some(self.arrive());
        }
        self.reconsider(&home)
    }

    /// What home owes of the backend stays as it was: the fence stays too, and nothing is written for it.
    fn arrive(&mut self) -> Phase {
        self.pins.served = true;
        self.arrived = true;
        Phase::Ready
    }

    /// A found or wished home is settled into late, too.
    pub(crate) fn settle_late(&mut self) -> Option<Phase> {
        self.fenced().ok().map(|()| self.settle())
    }

    pub(crate) fn provisioning_failed(&self) -> Option<Phase> {
        let home = self.pins.home.as_ref()?;
        let late = self.late() && self.provisioned(home).is_err();
        (late || self.lost_vital().is_some()).then_some(Phase::Degraded)
    }

    pub(crate) fn home_failed(&self) -> Option<Phase> {
        let failed = self.seen.lost || self.lost_vital().is_some();
        (failed && self.pins.home.is_some()).then_some(Phase::Degraded)
    }

    pub(crate) fn vitals_failed(&self) -> Option<Phase> {
        (self.pins.home.is_some() && self.lost_vital().is_some()).then_some(Phase::Degraded)
    }

    /// The owner wishes the backend stopped; there is nothing under way that it could interrupt.
    pub(crate) fn suspend(&self) -> Option<Phase> {
        (self.seen.wish.suspend && self.pins.home.is_some()).then_some(Phase::Suspended)
    }

    /// The wish is withdrawn; another release is taken at once while nobody was ever let in.
    pub(crate) fn resume(&mut self) -> Option<Phase> {
        let home = self.pins.home.clone().filter(|_| !self.seen.wish.suspend)?;
        Some(self.reconsider(&home).unwrap_or(Phase::Provisioning))
    }

    /// Home as the spec wants it now, unless it has already served.
    pub(crate) fn reconsider(&mut self, home: &Backend) -> Option<Phase> {
        let release = self.seen.wish.release.clone();
        if self.pins.served || release == home.release {
            return None;
        }
        self.pins.home = Some(Backend { release, store: home.store.clone() });
        Some(Phase::Provisioning)
    }

    /// The ways out of Degraded without an upgrade: the cause is gone, or the spec changed.
    pub(crate) fn recover_home(&mut self) -> Option<Phase> {
        let Some(home) = self.pins.home.clone() else {
            return self.settle_late();
        };
        if self.whole().is_err() {
            return None;
        }
        if self.seen.wish.suspend {
            return self.suspend();
        }
        if self.provisioned(&home).is_ok() {
            return Some(self.arrive());
        }
        self.reconsider(&home).or_else(|| self.pins.served.then(|| self.begin())?)
    }

    /// Names the last snapshot in the write that begins the end; a lost status does not make the data
    /// any less worth copying.
    pub(crate) fn take_leave(&mut self) -> Phase {
        if self.pins.upgrade.is_none() {
            self.pins.served |= self.seen.found.is_some() && self.pins.home.is_none();
            self.pins.home = None;
        }
        let of = self.seen.revision.clone();
        let farewell = self.seen.wish.farewell;
        self.pins.farewell = farewell.then_some(Snapshot { of, attempt: 1 });
        self.pins.parted = self.bidden_farewell().is_ok();
        self.leaving = true;
        Phase::Deleting
    }

    /// The last snapshot is verified or given up. From here on no backend is wanted any more, which a
    /// pass that still wants one must be told by a fence of its own.
    pub(crate) fn part(&mut self) -> Option<Phase> {
        if self.pins.parted || self.bidden_farewell().is_err() && !self.late() {
            return None;
        }
        self.pins.parted = true;
        self.leaving = true;
        Some(Phase::Deleting)
    }
}
