//! Kinds that a cluster may not have, and objects in it that may be newer than we are.

use kube::{Resource, core::DeserializeGuard, runtime::reflector::Store};
use tokio::sync::watch;

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

/// The presence of a kind, as its watch tells it; its clones know the same.
#[derive(Clone, Debug)]
pub struct Served(watch::Receiver<Presence>);

/// What is known of a kind, and who tells it.
#[must_use]
pub fn served() -> (watch::Sender<Presence>, Served) {
    let (tells, knows) = watch::channel(Presence::Unknown);
    (tells, Served(knows))
}

impl Served {
    /// What is known now.
    #[must_use]
    pub fn presence(&self) -> Presence {
        *self.0.borrow()
    }

    /// Waits until somebody has answered. False where the watch has ended before.
    pub async fn is_known(&self) -> bool {
        self.0.clone().wait_for(|it| *it != Presence::Unknown).await.is_ok()
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

    #[tokio::test]
    async fn what_a_watch_is_told_is_known_to_all_and_an_end_is_no_answer() {
        let (tells, knows) = served();
        let seen = knows.clone();
        assert_eq!(seen.presence(), Presence::Unknown);
        tells.send_replace(Presence::Missing);
        assert!(seen.is_known().await);
        assert_eq!(knows.presence(), Presence::Missing);
        let (tells, knows) = served();
        drop(tells);
        assert!(!knows.is_known().await);
    }
}
