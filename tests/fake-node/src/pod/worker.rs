//! One pod from the moment that it is bound to this node until its object is gone.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use k8s_openapi::api::core::v1::{Container as Spec, Pod};
use kube::ResourceExt;
use tokio::sync::watch;

use super::{
    Folders,
    fate::{fate, is_over},
    faults::{Fault, spared},
    report::Reporter,
    status::{containers, init_containers},
};
use crate::{
    addresses::Lease,
    container::{
        Container, Outcome, Restart, Stop,
        ledger::{Entries, Entry, Ledger},
    },
    env::PodFacts,
    kubelet::Node,
    volumes::{self, Volumes},
};

/// How soon a volume that cannot be made is tried again, by a kubelet's clock.
const RETRY: Duration = Duration::from_secs(2);

/// Runs the pod until it is gone. The receiver closes when the pod's object has vanished.
pub async fn work(node: Arc<Node>, pod: watch::Receiver<Arc<Pod>>) {
    let first = pod.borrow().clone();
    let address = address(&node).await;
    let work = Work {
        facts: PodFacts { pod_ip: address.address.to_string(), host_ip: node.address.to_string() },
        folders: Folders::new(&node.state, &first.uid().unwrap_or_default()),
        ledger: Ledger::new(entries(&first)),
        _address: address,
        node,
        first,
        pod,
    };
    work.run().await;
}

async fn address(node: &Node) -> Lease {
    loop {
        if let Some(lease) = node.addresses.lease() {
            return lease;
        }
        tracing::warn!("all pod addresses are used");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// What was known of the containers before this node (or an earlier run of it) took the pod.
fn entries(pod: &Pod) -> Entries {
    let status = pod.status.as_ref();
    let known = status.into_iter().flat_map(|status| {
        status.container_statuses.iter().chain(&status.init_container_statuses).flatten()
    });
    let restarts = |name: &str| {
        let before = known.clone().find(|status| status.name == name);
        before
            .filter(|status| status.container_id.is_some())
            .map_or(0, |status| status.restart_count + 1)
    };
    let entry = |waits_for: &'static str| {
        move |spec: &Spec| {
            let entry = Entry { restarts: restarts(&spec.name), ..Entry::waiting(waits_for) };
            (spec.name.clone(), entry)
        }
    };
    let has_init = !init_containers(pod).is_empty();
    let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let main = containers(pod).iter().map(entry(reason));
    init_containers(pod).iter().map(entry("PodInitializing")).chain(main).collect()
}

struct Work {
    node: Arc<Node>,
    first: Arc<Pod>,
    pod: watch::Receiver<Arc<Pod>>,
    facts: PodFacts,
    folders: Folders,
    ledger: Ledger,
    _address: Lease,
}

impl Work {
    async fn run(self) {
        let (namespace, name) = (self.first.namespace().unwrap_or_default(), self.first.name_any());
        tracing::info!(%namespace, %name, address = %self.facts.pod_ip, "pod begins");
        self.node.logs.add(&namespace, &name, self.folders.logs.clone());
        let (stop, stopped) = watch::channel(None);
        let mut reporter = Reporter::new(
            self.node.clone(),
            self.pod.clone(),
            self.facts.clone(),
            self.ledger.clone(),
            stopped.clone(),
        );
        if !is_over(&self.first) {
            tokio::select! {
                () = self.follow_fate(&stop) => (),
                () = reporter.follow() => (),
                () = self.live(stopped) => (),
            }
            reporter.write().await;
        }
        if is_deleted(self.pod.clone()).await {
            reporter.delete().await;
        }
        self.node.logs.remove(&namespace, &name, &self.folders.logs);
        // What cannot be removed is removed with the state folder.
        let _ = std::fs::remove_dir_all(&self.folders.pod);
        tracing::info!(%namespace, %name, "pod is gone");
    }

    /// Runs everything to its end, and then waits until the pod is to end if it has not been told yet.
    async fn live(&self, mut stopped: watch::Receiver<Option<Stop>>) {
        self.run_containers(&stopped).await;
        // It fails only where nobody can tell any more.
        let _ = stopped.wait_for(Option::is_some).await;
    }

    async fn run_containers(&self, stopped: &watch::Receiver<Option<Stop>>) {
        let mut stop = stopped.clone();
        let volumes = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return,
            volumes = self.volumes() => Arc::new(volumes),
        };
        let policy = match self.first.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref())
        {
            Some("Never") => Restart::Never,
            Some("OnFailure") => Restart::OnFailure,
            _ => Restart::Always,
        };
        let init_policy = if policy == Restart::Never { policy } else { Restart::OnFailure };
        for spec in init_containers(&self.first) {
            if self.container(spec, init_policy, &volumes, stopped).live().await
                != Outcome::Succeeded
            {
                return;
            }
        }
        let all = containers(&self.first).iter();
        join_all(all.map(|spec| self.container(spec, policy, &volumes, stopped).live())).await;
    }

    fn container(
        &self,
        spec: &Spec,
        restart: Restart,
        volumes: &Arc<Volumes>,
        stop: &watch::Receiver<Option<Stop>>,
    ) -> Container {
        Container {
            node: self.node.clone(),
            pod: self.first.clone(),
            spec: spec.clone(),
            restart,
            facts: self.facts.clone(),
            folders: self.folders.clone(),
            volumes: volumes.clone(),
            ledger: self.ledger.clone(),
            stop: stop.clone(),
        }
    }

    async fn volumes(&self) -> Volumes {
        let mut said = String::new();
        loop {
            self.node.link.up().await;
            spared(self.pod.clone(), self.node.faults.clone(), Fault::Unmounted).await;
            let folder = &self.folders.volumes;
            match volumes::prepare(&self.node.client, &self.first, &self.facts, folder).await {
                Ok(volumes) => return volumes,
                Err(error) if error.to_string() == said => (),
                Err(error) => {
                    tracing::warn!(pod = %self.first.name_any(), %error, "FailedMount");
                    said = error.to_string();
                }
            }
            tokio::time::sleep(self.node.pace.scale(RETRY)).await;
        }
    }

    /// Tells the containers when the pod is to end, for ever.
    async fn follow_fate(&self, stop: &watch::Sender<Option<Stop>>) {
        let (mut pod, mut faults) = (self.pod.clone(), self.node.faults.clone());
        let mut vanished = false;
        loop {
            let fate = fate(&pod.borrow_and_update(), vanished, &faults.borrow_and_update());
            if fate.is_some() {
                stop.send_if_modified(|now| {
                    let changed = *now != fate;
                    *now = fate;
                    changed
                });
            }
            tokio::select! {
                changed = pod.changed(), if !vanished => vanished = changed.is_err(),
                Ok(()) = faults.changed() => (),
                else => std::future::pending().await,
            }
        }
    }
}

/// Waits until somebody deletes the pod: one whose containers have all ended stays until then. False where the channel has
/// closed first: its object is gone, or this node is ending, and then it is nobody's to remove.
async fn is_deleted(mut pod: watch::Receiver<Arc<Pod>>) -> bool {
    loop {
        if pod.has_changed().is_err() {
            return false;
        }
        if pod.borrow_and_update().metadata.deletion_timestamp.is_some() {
            return true;
        }
        if pod.changed().await.is_err() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_node_that_ends_removes_no_pod() {
        let (worker, pod) = watch::channel(Arc::new(Pod::default()));
        drop(worker);
        assert!(!is_deleted(pod).await);
        let mut deleted = Pod::default();
        deleted.metadata.deletion_timestamp = Some(k8s_openapi::jiff::Timestamp::now().into());
        let (_worker, pod) = watch::channel(Arc::new(deleted));
        assert!(is_deleted(pod).await);
    }

    #[test]
    fn containers_of_an_earlier_run_count_as_restarted() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {},
            "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
            "status": {"containerStatuses": [
                {"name": "a", "containerID": "fake://1", "restartCount": 2, "image": "", "imageID": "", "ready": true}
            ]}
        }))
        .unwrap();
        let entries = entries(&pod);
        assert_eq!((entries["a"].restarts, entries["b"].restarts), (3, 0));
    }
}
