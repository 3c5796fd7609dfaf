//! How often what belongs to an instance was made, by whomever, whether it is still there or not.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use convex_operator::plan::labels::INSTANCE;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::DynamicObject,
    core::ApiResource,
    runtime::watcher::{self, Event, watcher},
};
use on_cluster::Stage;
use tokio::task::JoinHandle;

use crate::{account::general, kinds};

/// On pods whose names are drawn: those of a Job say which one that is, those of a Deployment which part they are.
const JOB: &str = "batch.kubernetes.io/job-name";
const TEMPLATE: &str = "pod-template-hash";
const PART: &str = "app.kubernetes.io/component";

/// The instance, what it is, and its UID.
type Birth = (String, String, String);
type Seen = Arc<Mutex<HashSet<Birth>>>;

/// Everything that was made in a namespace, from its beginning on.
pub struct Births {
    seen: Seen,
    watches: Vec<JoinHandle<()>>,
}

impl Births {
    /// Begins to look.
    pub fn watch(stage: &Stage) -> Self {
        let seen = Seen::default();
        let pods = ApiResource::erase::<Pod>(&());
        let begin = |kind: ApiResource| {
            let all = Api::namespaced_with(stage.client(), stage.namespace(), &kind);
            tokio::spawn(follow(all, kind, seen.clone()))
        };
        let watches = kinds::made().into_iter().chain([pods]).map(begin).collect();
        Self { seen, watches }
    }

    /// What was made for an instance from its beginning on: what it is called, and how often there was one.
    pub fn of(&self, instance: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = BTreeMap::<String, usize>::new();
        for (_, what, _) in seen.iter().filter(|(of, ..)| of == instance) {
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

async fn follow(all: Api<DynamicObject>, kind: ApiResource, seen: Seen) {
    let mut events = watcher(all, watcher::Config::default()).boxed();
    while let Some(event) = events.next().await {
        // A watch that broke begins anew by itself, and what was seen before is known by its UID.
        let Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object)) = event
        else {
            continue;
        };
        let labels = object.labels();
        let Some(of) = labels.get(INSTANCE).cloned() else { continue };
        let of_many = labels.get(JOB).or(labels.get(TEMPLATE).and_then(|_| labels.get(PART)));
        let name = of_many.map_or_else(|| object.name_any(), |many| format!("of {many}"));
        let what = format!("{} {name}", kind.kind);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert((of, what, object.uid().unwrap_or_default()));
    }
}
