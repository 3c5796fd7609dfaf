//! When what an upgrade has left goes.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::SignedDuration};

use super::duration;
use crate::api::ConvexInstance;

/// When a store goes that was left at this time, by the spec of now; never, where the spec gives it no time, and where it names
/// the claim: that is somebody's.
#[must_use]
pub fn due(instance: &ConvexInstance, claim: &str, since: &Time) -> Option<Time> {
    if instance.spec.backend.storage.pvc.existing_claim.as_deref() == Some(claim) {
        return None;
    }
    let retention = instance.spec.maintenance.old_store_retention.as_deref()?;
    let seconds = i64::try_from(duration::seconds(retention)?).ok()?;
    since.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::instance_with;

    fn due_of(retention: &Value, existing: &Value) -> Option<i64> {
        let instance = instance_with(|spec| {
            spec["maintenance"] = json!({ "oldStoreRetention": retention });
            spec["backend"]["storage"] = json!({"pvc": {"existingClaim": existing}});
        });
        let left = Time(Timestamp::from_second(1000).unwrap());
        due(&instance, "dev-data", &left).map(|it| it.0.as_second())
    }

    #[test]
    fn a_store_goes_by_the_spec_of_now_and_a_claim_that_the_spec_names_never() {
        assert_eq!(due_of(&json!("1m30s"), &Value::Null), Some(1090));
        assert_eq!(due_of(&Value::Null, &Value::Null), None);
        assert_eq!(due_of(&json!("1m30s"), &json!("dev-data")), None);
        assert_eq!(due_of(&json!("1m30s"), &json!("other")), Some(1090));
    }
}
