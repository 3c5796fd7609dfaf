//! What the one record of an instance lets an attempt do.
//!
//! Kubernetes puts the record into the environment when a container starts and never again: a container knows what was
//! written before it started, and nothing of what was written since.

use crate::plan::gate::Record;

/// Why an attempt may not go on. The names of the variants are reasons.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Without a record nothing is permitted.
    #[error(
        "there is no record of what may be done; the operator writes it anew. Nothing was done"
    )]
    RecordMissing,
    /// A record that cannot be read permits nothing.
    #[error("the record of what may be done cannot be read: {0}")]
    RecordUnreadable(#[source] serde_json::Error),
    /// A backend may be writing.
    #[error("the gate is open: a backend may write to the data, which is not copied then")]
    GateOpen,
    /// The record permits another attempt, or none.
    #[error("the record permits {}, and not {wanted}: this attempt is over", told(permit.as_deref()))]
    NotPermitted {
        /// What it permits.
        permit: Option<String>,
        /// Who asks.
        wanted: String,
    },
}

impl Refused {
    /// One `CamelCase` word for a report.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::RecordMissing => "RecordMissing",
            Self::RecordUnreadable(_) => "RecordUnreadable",
            Self::GateOpen => "GateOpen",
            Self::NotPermitted { .. } => "NotPermitted",
        }
    }
}

/// Whether an attempt may move data now.
///
/// # Errors
/// See [`Refused`]: any doubt is one.
pub fn of(record: &str, attempt: &str) -> Result<(), Refused> {
    read(record).and_then(|record| is_for(&record, attempt))
}

/// Whether an attempt may copy the data now: it may move it, and no backend may open it.
///
/// # Errors
/// See [`Refused`]: any doubt is one.
pub fn to_copy(record: &str, attempt: &str) -> Result<(), Refused> {
    let record = read(record)?;
    if record.open { Err(Refused::GateOpen) } else { is_for(&record, attempt) }
}

fn read(record: &str) -> Result<Record, Refused> {
    if record.is_empty() {
        return Err(Refused::RecordMissing);
    }
    serde_json::from_str(record).map_err(Refused::RecordUnreadable)
}

fn is_for(record: &Record, attempt: &str) -> Result<(), Refused> {
    if record.permit.as_deref() == Some(attempt) {
        return Ok(());
    }
    Err(Refused::NotPermitted { permit: record.permit.clone(), wanted: attempt.to_owned() })
}

fn told(permit: Option<&str>) -> &str {
    permit.unwrap_or("nothing")
}

#[cfg(test)]
mod tests {
    use statemachine::worlds::born;

    use super::*;

    fn record(open: bool, permit: Option<&str>) -> String {
        let record = Record::next(None, &born(), open).permitting(permit.map(str::to_owned));
        serde_json::to_string(&record).unwrap()
    }

    #[test]
    fn only_the_attempt_that_the_record_names_may_go_on() {
        of(&record(true, Some("7-1")), "7-1").unwrap();
        for (permit, told) in [(Some("7-2"), "permits 7-2"), (None, "permits nothing")] {
            let refused = of(&record(true, permit), "7-1").unwrap_err();
            assert_eq!(refused.reason(), "NotPermitted");
            assert!(refused.to_string().contains(told), "{refused}");
        }
    }

    #[test]
    fn nothing_is_copied_while_the_gate_is_open() {
        to_copy(&record(false, Some("7-1")), "7-1").unwrap();
        assert_eq!(to_copy(&record(true, Some("7-1")), "7-1").unwrap_err().reason(), "GateOpen");
        assert_eq!(to_copy(&record(false, None), "7-1").unwrap_err().reason(), "NotPermitted");
    }

    #[test]
    fn a_record_that_is_missing_or_unreadable_permits_nothing() {
        assert_eq!(of("", "7-1").unwrap_err().reason(), "RecordMissing");
        assert_eq!(to_copy("{", "7-1").unwrap_err().reason(), "RecordUnreadable");
    }
}
