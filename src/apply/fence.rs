//! A pass that is late may still write what an older phase owed: what carries a newer fence is not its to write.

use kube::core::Status;
use serde_json::Value;

use crate::plan::labels::FENCE;

/// Whether what is there may be written by a pass of this fence.
///
/// # Errors
/// A conflict, which ends the pass: the watch brings what it has missed.
pub(super) fn is_ours(live: &Value, wanted: &Value) -> kube::Result<()> {
    match (number(live), number(wanted)) {
        (Some(there), Some(ours)) if there > ours => Err(late()),
        _ => Ok(()),
    }
}

/// What is wanted, under the fence that is there where that is new enough: nothing is written to tell so once more.
pub(super) fn kept(live: &Value, wanted: &Value, least: &str) -> Value {
    let mut kept = wanted.clone();
    let enough = number(live).zip(least.parse().ok()).is_some_and(|(there, least)| there >= least);
    if enough && number(wanted).is_some() {
        kept["metadata"]["annotations"][FENCE] = live["metadata"]["annotations"][FENCE].clone();
    }
    kept
}

/// Fences are revisions of the instance, which the API server hands out in order.
fn number(object: &Value) -> Option<u128> {
    object["metadata"]["annotations"][FENCE].as_str()?.parse().ok()
}

/// The conflict of a pass that has read what is not so any more.
pub(super) fn late() -> kube::Error {
    let status = Status::failure("a newer pass has written it", "Conflict").with_code(409);
    kube::Error::Api(status.boxed())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn carrying(fence: &str) -> Value {
        json!({"metadata": {"annotations": {(FENCE): fence}}})
    }

    #[test]
    fn what_a_newer_edge_asked_for_is_not_written_by_an_older_pass() {
        assert!(is_ours(&carrying("9"), &carrying("10")).is_ok());
        assert!(is_ours(&carrying("10"), &carrying("10")).is_ok());
        let refused = is_ours(&carrying("10"), &carrying("9")).unwrap_err();
        assert!(matches!(refused, kube::Error::Api(status) if status.code == 409));
    }

    #[test]
    fn a_fence_that_is_new_enough_is_no_difference() {
        let wanted = carrying("9");
        assert_eq!(kept(&carrying("7"), &wanted, "7"), carrying("7"));
        assert_eq!(kept(&carrying("6"), &wanted, "7"), wanted);
        assert_eq!(kept(&json!({}), &wanted, "7"), wanted);
        assert_eq!(kept(&carrying("7"), &json!({"a": 1}), "7"), json!({"a": 1}));
    }

    #[test]
    fn what_was_never_fenced_may_be_written() {
        assert!(is_ours(&json!({}), &carrying("9")).is_ok());
        assert!(is_ours(&carrying("9"), &json!({})).is_ok());
    }
}
