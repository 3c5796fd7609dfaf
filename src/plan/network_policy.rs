//! Who may open connections to the pods of a part.
//!
//! The node of a pod gets in always, whatever a policy says, and so the kubelet's probes do
//! (<https://kubernetes.io/docs/concepts/services-networking/network-policies/>).

use std::collections::BTreeMap;

use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
        NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::{
    Inputs,
    backend::{API_PORT, SITE_PORT},
    dashboard,
    labels::{self, Part},
};

/// The label that every namespace has with its own name.
const NAMESPACE: &str = "kubernetes.io/metadata.name";

/// The policy of a part; none where none is asked for.
#[must_use]
pub fn network_policy(inputs: &Inputs<'_>, part: Part) -> Option<NetworkPolicy> {
    let spec = &inputs.instance.spec;
    let is_there = part == Part::Backend || (part == Part::Dashboard && spec.dashboard.enabled);
    if !spec.network_policy.enabled || !is_there {
        return None;
    }
    let ports = match part {
        Part::Dashboard => vec![dashboard::PORT],
        Part::Backend | Part::Worker => vec![API_PORT, SITE_PORT],
    };
    Some(NetworkPolicy {
        metadata: labels::owned(inputs.instance, part, inputs.names.of_part(part)),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selecting(labels::selector(inputs.instance, part))),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![NetworkPolicyIngressRule {
                from: Some(peers(inputs)),
                ports: Some(ports.into_iter().map(port).collect()),
            }]),
            egress: None,
        }),
    })
}

/// The operator, the instance's own pods, and whoever the spec names: without a word of it, the namespace.
fn peers(inputs: &Inputs<'_>) -> Vec<NetworkPolicyPeer> {
    let mut own = labels::selector(inputs.instance, Part::Worker);
    own.remove(labels::COMPONENT);
    let operator = [(NAMESPACE.to_owned(), inputs.operator_namespace.to_owned())];
    let mut peers = vec![
        NetworkPolicyPeer {
            namespace_selector: Some(selecting(operator.into())),
            ..NetworkPolicyPeer::default()
        },
        NetworkPolicyPeer { pod_selector: Some(selecting(own)), ..NetworkPolicyPeer::default() },
    ];
    let namespace = || {
        vec![NetworkPolicyPeer {
            pod_selector: Some(LabelSelector::default()),
            ..NetworkPolicyPeer::default()
        }]
    };
    peers.extend(inputs.instance.spec.network_policy.from.clone().unwrap_or_else(namespace));
    peers
}

fn selecting(labels: BTreeMap<String, String>) -> LabelSelector {
    LabelSelector { match_labels: Some(labels), ..LabelSelector::default() }
}

fn port(number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(number)),
        protocol: Some("TCP".to_owned()),
        end_port: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::{built_for, instance_with};

    /// Who is let in beside the operator and the instance's own pods.
    fn others(policy: Value) -> Vec<Value> {
        let instance = instance_with(|spec| spec["networkPolicy"] = policy);
        let made = built_for(&instance, |it| network_policy(it, Part::Backend));
        let made = serde_json::to_value(made.expect("one is asked for")).unwrap();
        let from = made["spec"]["ingress"][0]["from"].as_array().unwrap().clone();
        let operator = json!({"matchLabels": {NAMESPACE: "convex-system"}});
        assert_eq!(from[0], json!({"namespaceSelector": operator}));
        assert_eq!(from[1]["podSelector"]["matchLabels"]["app.kubernetes.io/instance"], "dev");
        assert_eq!(from[1]["podSelector"]["matchLabels"][labels::COMPONENT], Value::Null);
        from[2..].to_vec()
    }

    #[test]
    fn the_namespace_is_let_in_where_nothing_is_said_and_else_who_is_named() {
        assert_eq!(others(json!({"enabled": true})), [json!({"podSelector": {}})]);
        assert_eq!(others(json!({"enabled": true, "from": []})), Vec::<Value>::new());
        let block = json!({"ipBlock": {"cidr": "10.0.0.0/8"}});
        assert_eq!(others(json!({"enabled": true, "from": [block]})), [block]);
    }

    #[test]
    fn there_is_none_where_none_is_asked_for_and_none_for_what_is_not_there() {
        let made = |policy: Value, part: Part| {
            let instance = instance_with(|spec| {
                spec["networkPolicy"] = policy;
                spec["dashboard"] = json!({"enabled": false});
            });
            built_for(&instance, |it| network_policy(it, part)).is_some()
        };
        assert!(made(json!({"enabled": true}), Part::Backend));
        assert!(!made(json!({"enabled": true}), Part::Dashboard));
        assert!(!made(json!({"enabled": true}), Part::Worker));
        assert!(!made(json!({"from": []}), Part::Backend));
    }
}
