//! `fieldRef`: what a container may learn about its pod.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

/// What the pod's own object does not say while it is being started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodFacts {
    /// The pod's address.
    pub pod_ip: String,
    /// The node's address.
    pub host_ip: String,
}

/// The value of the field at `path`; `None` where there is no such field.
#[must_use]
pub fn field(pod: &Pod, facts: &PodFacts, path: &str) -> Option<String> {
    let spec = pod.spec.as_ref();
    Some(match path {
        "metadata.name" => pod.name_any(),
        "metadata.namespace" => pod.namespace().unwrap_or_default(),
        "metadata.uid" => pod.uid().unwrap_or_default(),
        "spec.nodeName" => spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        "spec.serviceAccountName" => {
            spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_default()
        }
        "status.podIP" | "status.podIPs" => facts.pod_ip.clone(),
        "status.hostIP" | "status.hostIPs" => facts.host_ip.clone(),
        _ => return keyed(pod, path),
    })
}

/// `metadata.labels['key']` and `metadata.annotations['key']`.
fn keyed(pod: &Pod, path: &str) -> Option<String> {
    let (map, key) = path.split_once("['")?;
    let key = key.strip_suffix("']")?;
    let values = match map {
        "metadata.labels" => pod.labels(),
        "metadata.annotations" => pod.annotations(),
        _ => return None,
    };
    Some(values.get(key).cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_come_from_the_object_and_from_the_node() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "db-0", "namespace": "shop", "labels": {"app": "db"}},
            "spec": {"containers": [], "nodeName": "n1"}
        }))
        .unwrap();
        let facts = PodFacts { pod_ip: "127.0.0.9".into(), host_ip: "127.0.0.1".into() };
        for (path, value) in [
            ("metadata.name", Some("db-0")),
            ("metadata.namespace", Some("shop")),
            ("metadata.labels['app']", Some("db")),
            ("metadata.labels['none']", Some("")),
            ("spec.nodeName", Some("n1")),
            ("status.podIP", Some("127.0.0.9")),
            ("status.phase", None),
        ] {
            assert_eq!(field(&pod, &facts, path).as_deref(), value, "{path}");
        }
    }
}
