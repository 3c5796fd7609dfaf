//! Whether a pod is to end, and how.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use super::faults::{Fault, Faults, annotated};
use crate::container::Stop;

/// Whether the pod had ended before an earlier run of this node did.
#[must_use]
pub fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Whether and how the pod is to end.
#[must_use]
pub fn fate(pod: &Pod, vanished: bool, faults: &Faults) -> Option<Stop> {
    let hangs = faults.file_asks(pod, Fault::HangOnTermination)
        || (!vanished && annotated(pod, Fault::HangOnTermination).is_some());
    if hangs {
        return None;
    }
    if vanished {
        return Some(Stop::Vanished);
    }
    if pod.metadata.deletion_timestamp.is_some() {
        let seconds = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
        return Some(Stop::Deleted {
            grace: Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
        });
    }
    if faults.ask(pod, Fault::OomKill) {
        return Some(Stop::OutOfMemory);
    }
    faults.ask(pod, Fault::Evict).then(|| {
        let message = annotated(pod, Fault::Evict).filter(|message| *message != "true");
        Stop::Evicted(message.unwrap_or("The node was low on resource: memory.").to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(metadata: &Value) -> Pod {
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    fn faults(file: Value) -> Faults {
        serde_json::from_value(file).unwrap()
    }

    #[test]
    fn a_deleted_pod_ends_within_its_grace_and_a_vanished_one_at_once() {
        let deleted = pod(&json!({
            "deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 60
        }));
        let grace = Duration::from_mins(1);
        assert_eq!(fate(&deleted, false, &Faults::default()), Some(Stop::Deleted { grace }));
        assert_eq!(fate(&deleted, true, &Faults::default()), Some(Stop::Vanished));
        assert_eq!(fate(&pod(&json!({})), false, &Faults::default()), None);
    }

    #[test]
    fn a_hang_by_annotation_ends_with_the_object_and_one_by_file_does_not() {
        let annotated = pod(&json!({
            "name": "db-0", "namespace": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"fake-node/hang-on-termination": "true"}
        }));
        assert_eq!(fate(&annotated, false, &Faults::default()), None);
        assert_eq!(fate(&annotated, true, &Faults::default()), Some(Stop::Vanished));
        let by_file = faults(json!({"pods": {"shop/db-0": ["hang-on-termination"]}}));
        assert_eq!(fate(&annotated, true, &by_file), None);
    }

    #[test]
    fn memory_ends_a_pod_that_is_not_deleted_anyhow() {
        let mut short = pod(&json!({"annotations": {"fake-node/oom-kill": "true"}}));
        assert_eq!(fate(&short, false, &Faults::default()), Some(Stop::OutOfMemory));
        short.metadata.deletion_timestamp = Some(k8s_openapi::jiff::Timestamp::now().into());
        let stop = fate(&short, false, &Faults::default());
        assert!(matches!(stop, Some(Stop::Deleted { .. })), "{stop:?}");
    }

    #[test]
    fn an_eviction_says_why() {
        let out = pod(&json!({"annotations": {"fake-node/evict": "no room"}}));
        assert_eq!(
            fate(&out, false, &Faults::default()),
            Some(Stop::Evicted("no room".to_owned()))
        );
    }
}
