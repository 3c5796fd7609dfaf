//! The node as a whole: which pods are bound to it, and one worker for each.

use std::{collections::HashMap, net::Ipv4Addr, path::PathBuf, pin::pin, sync::Arc};

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, ResourceExt,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::sync::watch;

use crate::{
    addresses::Addresses,
    backoff::Pace,
    images::Images,
    link::Link,
    logs,
    pod::{self, faults::Faults},
    records::Records,
};

/// What every pod of the node shares.
pub struct Node {
    /// The API server.
    pub client: Client,
    /// Whether it can be reached.
    pub link: Link,
    /// The node's name.
    pub name: String,
    /// The node's own address.
    pub address: Ipv4Addr,
    /// Addresses for pods.
    pub addresses: Addresses,
    /// Images that exist.
    pub images: Images,
    /// How fast time runs.
    pub pace: Pace,
    /// The state folder.
    pub state: PathBuf,
    /// Processes that are ours.
    pub records: Records,
    /// Where logs are.
    pub logs: logs::Index,
    /// What a test wants to go wrong.
    pub faults: watch::Receiver<Faults>,
}

/// The pods of the node, by uid. Closing a pod's channel says that its object is gone.
type Workers = HashMap<String, watch::Sender<Arc<Pod>>>;

/// Serves the pods that are bound to the node, for ever.
pub async fn run(node: Arc<Node>) {
    let mut workers = Workers::new();
    loop {
        node.link.up().await;
        tokio::select! {
            () = node.link.down() => tracing::warn!("the node is cut off"),
            Err(error) = follow(&node, &mut workers) => tracing::warn!(%error, "pods cannot be watched"),
        }
    }
}

async fn follow(node: &Arc<Node>, workers: &mut Workers) -> Result<(), watcher::Error> {
    let ours = watcher::Config::default().fields(&format!("spec.nodeName={}", node.name));
    let mut events = pin!(watcher(Api::<Pod>::all(node.client.clone()), ours).default_backoff());
    let mut listed = Vec::new();
    while let Some(event) = events.try_next().await? {
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(pod) => {
                listed.extend(pod.uid());
                meet(node, workers, pod);
            }
            Event::InitDone => workers.retain(|uid, _| listed.contains(uid)),
            Event::Apply(pod) => meet(node, workers, pod),
            Event::Delete(pod) => {
                workers.remove(&pod.uid().unwrap_or_default());
            }
        }
    }
    Ok(())
}

fn meet(node: &Arc<Node>, workers: &mut Workers, pod: Pod) {
    let (uid, pod) = (pod.uid().unwrap_or_default(), Arc::new(pod));
    if let Some(worker) = workers.get(&uid) {
        worker.send_replace(pod);
        return;
    }
    let (worker, receiver) = watch::channel(pod);
    workers.insert(uid, worker);
    tokio::spawn(pod::work(node.clone(), receiver));
}
