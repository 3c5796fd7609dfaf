//! How often Jobs, claims and pods were made, by whomever, whether they are still there or not.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use convex_operator::plan::labels::INSTANCE;
use futures::StreamExt;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::{
    Api, ResourceExt,
    runtime::watcher::{self, Event, watcher},
};
use on_cluster::{Stage, stage::Object};
use tokio::task::JoinHandle;

use crate::account::general;

/// On pods of Jobs.
const JOB: &str = "batch.kubernetes.io/job-name";

/// The instance, what it is, and its UID.
pub type Birth = (String, String, String);
type Seen = Arc<Mutex<HashSet<Birth>>>;

/// Everything that was made in a namespace, from its beginning on.
pub struct Births {
    seen: Seen,
    watches: [JoinHandle<()>; 3],
}

impl Births {
    /// Begins to look.
    pub fn watch(stage: &Stage) -> Self {
        let seen = Seen::default();
        let watches = [
            tokio::spawn(follow::<Job>(stage.all(), seen.clone())),
            tokio::spawn(follow::<PersistentVolumeClaim>(stage.all(), seen.clone())),
            tokio::spawn(follow::<Pod>(stage.all(), seen.clone())),
        ];
        Self { seen, watches }
    }

    /// What was made for an instance so far, by UID.
    pub fn so_far(&self, instance: &str) -> HashSet<Birth> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|(of, ..)| of == instance).cloned().collect()
    }

    /// What was made for an instance besides: what it is called, and how often there was one.
    pub fn besides(&self, instance: &str, before: &HashSet<Birth>) -> Vec<String> {
        let mut counts = BTreeMap::<String, usize>::new();
        for (_, what, _) in self.so_far(instance).difference(before) {
            *counts.entry(general(what, instance)).or_default() += 1;
        }
        counts.iter().map(|(what, count)| format!("made {count} x {what}")).collect()
    }
}

impl Drop for Births {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

async fn follow<K: Object + Send + Sync + 'static>(all: Api<K>, seen: Seen) {
    let mut events = watcher(all, watcher::Config::default()).boxed();
    while let Some(event) = events.next().await {
        // A watch that broke begins anew by itself, and what was seen before is known by its UID.
        let Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object)) = event
        else {
            continue;
        };
        let labels = object.labels();
        let Some(of) = labels.get(INSTANCE).cloned() else { continue };
        let name = labels.get(JOB).map_or_else(|| object.name_any(), |job| format!("of {job}"));
        let what = format!("{} {name}", K::kind(&()));
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert((of, what, object.uid().unwrap_or_default()));
    }
}
