//! Kinds that a cluster may not have, and objects in it that may be newer than we are.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use kube::{Resource, core::DeserializeGuard, runtime::reflector::Store};

/// What is known of a kind that a cluster may not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Nobody has answered yet.
    #[default]
    Unknown,
    /// The API server does not serve it: its CRD is not installed.
    Missing,
    /// The API server serves it, and does not let the operator look.
    Refused,
    /// It is watched.
    Watched,
}

/// The presence of a kind, told by its watch; its clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct Served(Arc<AtomicU8>);

impl Served {
    const ALL: [Presence; 4] =
        [Presence::Unknown, Presence::Missing, Presence::Refused, Presence::Watched];

    /// What is known now.
    #[must_use]
    pub fn presence(&self) -> Presence {
        let at = usize::from(self.0.load(Ordering::Relaxed));
        Self::ALL.get(at).copied().unwrap_or_default()
    }

    /// Keeps what the watch was told.
    pub fn tell(&self, presence: Presence) {
        let at = Self::ALL.iter().position(|it| *it == presence).unwrap_or_default();
        self.0.store(u8::try_from(at).unwrap_or_default(), Ordering::Relaxed);
    }
}

/// What is seen of a kind that a cluster may not have.
#[derive(Clone)]
pub struct Optional<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    /// Every object, readable or not. Of a kind that is gone it may still hold some.
    pub store: Store<DeserializeGuard<K>>,
    /// Whether the cluster has the kind.
    pub served: Served,
}

impl<K> Optional<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    /// Those that can be read, where the kind is watched.
    #[must_use]
    pub fn readable(&self) -> Vec<K> {
        if self.served.presence() != Presence::Watched {
            return Vec::new();
        }
        self.store.state().iter().filter_map(|it| it.0.as_ref().ok().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_watch_is_told_is_known_to_all() {
        let served = Served::default();
        let seen = served.clone();
        assert_eq!(seen.presence(), Presence::Unknown);
        for told in Served::ALL {
            served.tell(told);
            assert_eq!(seen.presence(), told);
        }
    }
}
