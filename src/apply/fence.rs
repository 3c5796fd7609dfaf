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

/// Fences are revisions of the instance, which the API server hands out in order.
fn number(object: &Value) -> Option<u128> {
    object["metadata"]["annotations"][FENCE].as_str()?.parse().ok()
}

fn late() -> kube::Error {
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
    fn what_was_never_fenced_may_be_written() {
        assert!(is_ours(&json!({}), &carrying("9")).is_ok());
        assert!(is_ours(&carrying("9"), &json!({})).is_ok());
    }
}
