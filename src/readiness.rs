//! What the operator waits for before it is ready: the CRD, and then, where it is its turn, every watch.
//!
//! One that waits for the lease of another is ready to take over. One that may not watch a kind is not, for it
//! would never hear of a change.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a refusal counts. A watch that is refused is tried again within 10 s, a list may take as long, and once it is granted
/// it may have nothing to say.
const REFUSED: Duration = Duration::from_secs(25);

static STATE: Mutex<State> = Mutex::new(State { crd: false, watches: BTreeMap::new() });

/// What is known of a watch.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    listed: bool,
    refused: Option<Instant>,
}

struct State {
    crd: bool,
    watches: BTreeMap<String, Watch>,
}

impl State {
    fn waits_for(&self, now: Instant) -> Option<String> {
        if !self.crd {
            return Some("the CRD".to_owned());
        }
        let refused = |it: &Watch| it.refused.is_some_and(|at| now.duration_since(at) < REFUSED);
        let open = self.watches.iter().filter(|(_, it)| !it.listed || refused(it));
        let open: Vec<_> = open.map(|(kind, _)| kind.as_str()).collect();
        (!open.is_empty()).then(|| format!("its watches of {}", open.join(", ")))
    }

    fn watch(&mut self, kind: &str) -> &mut Watch {
        self.watches.entry(kind.to_owned()).or_default()
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The CRD is there.
pub fn crd_found() {
    state().crd = true;
}

/// A kind is going to be watched: the operator is not ready before the watch has told what there is.
pub fn watches(kind: &str) {
    *state().watch(kind) = Watch::default();
}

/// A watch has told what there is.
pub fn listed(kind: &str) {
    *state().watch(kind) = Watch { listed: true, refused: None };
}

/// The API server does not let the operator list or watch a kind.
pub fn refused(kind: &str) {
    state().watch(kind).refused = Some(Instant::now());
}

/// What the operator waits for; none where it is ready.
#[must_use]
pub fn waits_for() -> Option<String> {
    state().waits_for(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_ready_with_its_crd_and_with_every_watch_that_it_began() {
        let mut state = State { crd: false, watches: BTreeMap::new() };
        let waits = |state: &State| state.waits_for(Instant::now());
        assert_eq!(waits(&state).unwrap(), "the CRD");
        state.crd = true;
        assert_eq!(waits(&state), None, "it may wait for the lease of another");
        state.watch("Pod");
        state.watch("Service").listed = true;
        assert_eq!(waits(&state).unwrap(), "its watches of Pod");
        state.watch("Pod").listed = true;
        assert_eq!(waits(&state), None);
    }

    #[test]
    fn a_watch_that_is_refused_counts_until_it_has_been_quiet_for_longer_than_it_waits() {
        let mut state = State { crd: true, watches: BTreeMap::new() };
        let now = Instant::now();
        *state.watch("Pod") = Watch { listed: true, refused: Some(now) };
        assert_eq!(state.waits_for(now + Duration::from_secs(20)).unwrap(), "its watches of Pod");
        assert_eq!(state.waits_for(now + REFUSED), None);
    }
}
