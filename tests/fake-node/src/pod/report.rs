//! Writing a pod's status, and only when it has changed.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    api::core::v1::{Pod, PodCondition, PodStatus},
    jiff::Timestamp,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::json;
use tokio::sync::watch;

use super::{
    faults::{Fault, Faults},
    status::{self, Circumstances},
};
use crate::{
    container::{Stop, ledger::Ledger},
    env::PodFacts,
    kubelet::Node,
};

/// How long a refused write waits.
const RETRY: Duration = Duration::from_millis(300);

/// Reports on one pod.
pub struct Reporter {
    node: Arc<Node>,
    pod: watch::Receiver<Arc<Pod>>,
    facts: PodFacts,
    since: Timestamp,
    ledger: Ledger,
    faults: watch::Receiver<Faults>,
    stop: watch::Receiver<Option<Stop>>,
    written: Option<PodStatus>,
    conditions: Vec<PodCondition>,
}

impl Reporter {
    /// A reporter that has written nothing yet.
    pub fn new(
        node: Arc<Node>,
        pod: watch::Receiver<Arc<Pod>>,
        facts: PodFacts,
        ledger: Ledger,
        stop: watch::Receiver<Option<Stop>>,
    ) -> Self {
        let conditions = {
            let now = pod.borrow();
            now.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default()
        };
        let faults = node.faults.clone();
        Self {
            since: Timestamp::now(),
            written: None,
            node,
            pod,
            facts,
            ledger,
            faults,
            stop,
            conditions,
        }
    }

    /// Writes every change, for ever.
    pub async fn follow(&mut self) {
        let mut entries = self.ledger.follow();
        loop {
            self.write().await;
            tokio::select! {
                Ok(()) = entries.changed() => (),
                Ok(()) = self.faults.changed() => (),
                Ok(()) = self.pod.changed() => (),
                Ok(()) = self.stop.changed() => (),
                else => std::future::pending().await,
            }
        }
    }

    /// Writes the status as it is now, unless it was written so before or the pod is gone.
    pub async fn write(&mut self) {
        let status = self.status();
        if self.written.as_ref() == Some(&status) || self.pod.has_changed().is_err() {
            return;
        }
        let pod = self.pod.borrow().clone();
        let patch = json!({ "metadata": { "uid": pod.uid() }, "status": &status });
        loop {
            self.node.link.up().await;
            let pods = self.pods();
            match pods
                .patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&patch))
                .await
            {
                Ok(_) => break,
                Err(kube::Error::Api(refused)) if [404, 409].contains(&refused.code) => return,
                Err(error) => tracing::warn!(pod = %pod.name_any(), %error, "status not written"),
            }
            tokio::time::sleep(RETRY).await;
        }
        self.conditions = status.conditions.clone().unwrap_or_default();
        self.written = Some(status);
    }

    /// Removes the pod's object, as a kubelet does when all of it has ended.
    pub async fn delete(&self) {
        let pod = self.pod.borrow().clone();
        let only_this = Preconditions { uid: pod.uid(), resource_version: None };
        let now = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(only_this),
            ..DeleteParams::default()
        };
        loop {
            self.node.link.up().await;
            match self.pods().delete(&pod.name_any(), &now).await {
                Ok(_) => return,
                Err(kube::Error::Api(refused)) if [404, 409].contains(&refused.code) => return,
                Err(error) => tracing::warn!(pod = %pod.name_any(), %error, "pod not deleted"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    fn pods(&self) -> Api<Pod> {
        let namespace = self.pod.borrow().namespace().unwrap_or_default();
        Api::namespaced(self.node.client.clone(), &namespace)
    }

    fn status(&self) -> PodStatus {
        let pod = self.pod.borrow();
        let evicted = match &*self.stop.borrow() {
            Some(Stop::Evicted(message)) => Some(message.clone()),
            _ => None,
        };
        let around = Circumstances {
            facts: self.facts.clone(),
            since: self.since,
            never_ready: self.faults.borrow().ask(&pod, Fault::NeverReady),
            evicted,
        };
        let entries = self.ledger.follow().borrow().clone();
        status::build(&pod, &entries, &around, &self.conditions, Timestamp::now())
    }
}
