use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::fixtures::{PodWords, claim, deployment, instance, instance_with, pod, stateful_set};

fn everything() -> Children {
    Children {
        claims: crate::fixtures::claimed(claim("dev-data")),
        stateful_set: Some(Arc::new(stateful_set("v1"))),
        pods: vec![Arc::new(pod("dev-backend-0").of("v1").overdue_by(0))],
        dashboard: Some(Arc::new(deployment())),
        dashboard_pods: vec![Arc::new(pod("dev-dashboard-1"))],
        ..Children::default()
    }
}

fn stored() -> keys::Seen {
    let both = ["dev-instance", "dev-admin"].map(str::to_owned);
    keys::Seen { stored: both.to_vec(), ..keys::Seen::default() }
}

#[test]
fn a_deletion_waits_for_every_child_and_not_for_what_is_kept() {
    let left = leftovers(&instance(), &everything(), &stored());
    let expected = [
        "pod/dev-backend-0",
        "pod/dev-dashboard-1 (kept by nobody: delete it)",
        "statefulset/dev-backend",
        "deployment/dev-dashboard",
        "secret/dev-admin",
    ];
    assert_eq!(left, expected);
}

#[test]
fn it_waits_for_the_data_too_where_the_policy_is_to_delete_it() {
    let goes = instance_with(|spec| spec["deletionPolicy"] = json!("Delete"));
    let left = leftovers(&goes, &everything(), &stored());
    for kept in ["persistentvolumeclaim/dev-data", "secret/dev-instance"] {
        assert!(left.contains(&kept.to_owned()), "{left:?}");
    }
}

#[test]
fn it_does_not_wait_for_a_claim_that_is_not_its_own() {
    let goes = instance_with(|spec| spec["deletionPolicy"] = json!("Delete"));
    let mut foreign = claim("dev-data");
    foreign.metadata.labels = None;
    let children = Children { claims: crate::fixtures::claimed(foreign), ..Children::default() };
    assert_eq!(leftovers(&goes, &children, &keys::Seen::default()), Vec::<String>::new());
}

#[test]
fn keys_without_a_volume_are_of_no_use_and_go() {
    let brief = instance_with(|spec| {
        spec["backend"]["storage"]["pvc"] = json!({"enabled": false});
    });
    let left = leftovers(&brief, &Children::default(), &stored());
    assert_eq!(left, ["secret/dev-instance", "secret/dev-admin"]);
}
