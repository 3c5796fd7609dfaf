//! The Node object and its lease: that the node exists, is ready and alive.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    api::{
        coordination::v1::{Lease, LeaseSpec},
        core::v1::{
            DaemonEndpoint, Node as Object, NodeAddress, NodeCondition, NodeDaemonEndpoints,
            NodeStatus, NodeSystemInfo,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{MicroTime, ObjectMeta, Time},
    },
    jiff::Timestamp,
};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::kubelet::Node;

/// How often the lease is renewed; the control plane waits for 40 s before it gives a node up.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Every how many heartbeats the status is written: a minute apart, far within what the control plane asks for.
const STATUS_EVERY: u32 = 12;

const RETRY: Duration = Duration::from_millis(500);

/// Keeps the node registered and alive, for ever.
pub async fn keep(node: &Node, port: u16, labels: &BTreeMap<String, String>) {
    loop {
        node.link.up().await;
        match beat_on(node, port, labels).await {
            Ok(()) => tracing::warn!("the node sends no heartbeat"),
            Err(error) => {
                tracing::warn!(%error, "the node cannot be kept");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Registers and beats until the line is cut.
async fn beat_on(node: &Node, port: u16, labels: &BTreeMap<String, String>) -> kube::Result<()> {
    register(node, labels).await?;
    for beat in 0_u32.. {
        if beat % STATUS_EVERY == 0 {
            write_status(node, port).await?;
        }
        renew(node).await?;
        tokio::select! {
            () = node.link.down() => break,
            () = tokio::time::sleep(HEARTBEAT) => (),
        }
    }
    Ok(())
}

async fn register(node: &Node, labels: &BTreeMap<String, String>) -> kube::Result<()> {
    let nodes = Api::<Object>::all(node.client.clone());
    let mut all = BTreeMap::from(
        [
            ("kubernetes.io/hostname", node.name.as_str()),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", architecture()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    all.extend(labels.clone());
    let object = Object {
        metadata: ObjectMeta {
            name: Some(node.name.clone()),
            labels: Some(all.clone()),
            ..ObjectMeta::default()
        },
        ..Object::default()
    };
    match nodes.create(&PostParams::default(), &object).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(refused)) if refused.code == 409 => {
            let patch = json!({ "metadata": { "labels": all } });
            nodes.patch(&node.name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
        }
        Err(error) => Err(error),
    }
}

/// Conditions are merged by type, so that a condition's time moves only with its status.
async fn write_status(node: &Node, port: u16) -> kube::Result<()> {
    let nodes = Api::<Object>::all(node.client.clone());
    let found = nodes.get(&node.name).await?;
    let before = found.status.and_then(|status| status.conditions).unwrap_or_default();
    let patch = json!({ "status": status(node, port, &before, Timestamp::now()) });
    nodes
        .patch_status(&node.name, &PatchParams::default(), &Patch::Strategic(patch))
        .await
        .map(drop)
}

fn status(node: &Node, port: u16, before: &[NodeCondition], now: Timestamp) -> NodeStatus {
    let address =
        |kind: &str, value: String| NodeAddress { type_: kind.to_owned(), address: value };
    NodeStatus {
        addresses: Some(vec![
            address("InternalIP", node.address.to_string()),
            address("Hostname", node.name.clone()),
        ]),
        allocatable: Some(capacity()),
        capacity: Some(capacity()),
        conditions: Some(conditions(before, now)),
        daemon_endpoints: Some(NodeDaemonEndpoints {
            kubelet_endpoint: Some(DaemonEndpoint { port: i32::from(port) }),
        }),
        node_info: Some(info(node)),
        ..NodeStatus::default()
    }
}

/// Plenty of everything: what is missing here is never the point of a test.
fn capacity() -> BTreeMap<String, Quantity> {
    [("cpu", "256"), ("memory", "1Ti"), ("ephemeral-storage", "1Ti"), ("pods", "2000")]
        .map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned())))
        .into()
}

fn conditions(before: &[NodeCondition], now: Timestamp) -> Vec<NodeCondition> {
    [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID"),
        ("Ready", "True", "KubeletReady"),
    ]
    .into_iter()
    .map(|(of, status, reason)| {
        let old = before.iter().find(|old| old.type_ == of && old.status == status);
        NodeCondition {
            type_: of.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some("the fake node says so".to_owned()),
            last_heartbeat_time: Some(Time(now)),
            last_transition_time: old
                .and_then(|old| old.last_transition_time.clone())
                .or(Some(Time(now))),
        }
    })
    .collect()
}

fn info(node: &Node) -> NodeSystemInfo {
    NodeSystemInfo {
        architecture: architecture().to_owned(),
        operating_system: "linux".to_owned(),
        os_image: "fake".to_owned(),
        kernel_version: "fake".to_owned(),
        container_runtime_version: "fake://1".to_owned(),
        kubelet_version: "v1.36.3-fake".to_owned(),
        machine_id: node.name.clone(),
        system_uuid: node.name.clone(),
        boot_id: node.name.clone(),
        ..NodeSystemInfo::default()
    }
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

async fn renew(node: &Node) -> kube::Result<()> {
    let leases = Api::<Lease>::namespaced(node.client.clone(), "kube-node-lease");
    let spec = LeaseSpec {
        holder_identity: Some(node.name.clone()),
        lease_duration_seconds: Some(40),
        renew_time: Some(MicroTime(Timestamp::now())),
        ..LeaseSpec::default()
    };
    let patch = Patch::Merge(json!({ "spec": spec }));
    match leases.patch(&node.name, &PatchParams::default(), &patch).await {
        Err(kube::Error::Api(refused)) if refused.code == 404 => {
            let metadata = ObjectMeta { name: Some(node.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(spec) };
            leases.create(&PostParams::default(), &lease).await.map(drop)
        }
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_is_ready_and_its_times_move_only_with_its_status() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let first = conditions(&[], at(1));
        let second = conditions(&first, at(2));
        let ready = second.iter().find(|condition| condition.type_ == "Ready").unwrap();
        assert_eq!(ready.status, "True");
        assert_eq!(ready.last_transition_time, Some(Time(at(1))));
        assert_eq!(ready.last_heartbeat_time, Some(Time(at(2))));
    }
}
