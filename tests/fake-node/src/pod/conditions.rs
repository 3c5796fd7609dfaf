//! The conditions that a kubelet keeps on a pod.

use k8s_openapi::{
    api::core::v1::PodCondition, apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp,
};

/// One condition, before it is known whether it is new.
pub struct Fact {
    /// Its type.
    pub of: &'static str,
    /// What it says: nothing, or why it is not so.
    pub holds: Result<(), (&'static str, String)>,
    /// Reason of one that holds, where it has one.
    pub reason: Option<&'static str>,
}

/// A condition that simply holds.
#[must_use]
pub const fn holds(of: &'static str) -> Fact {
    Fact { of, holds: Ok(()), reason: None }
}

/// `facts` as conditions: times move only where the status changes, and conditions of others stay.
#[must_use]
pub fn merge(before: &[PodCondition], facts: Vec<Fact>, now: Timestamp) -> Vec<PodCondition> {
    let mut conditions: Vec<_> =
        facts.into_iter().map(|fact| condition(before, fact, now)).collect();
    let foreign = before.iter().filter(|old| !conditions.iter().any(|new| new.type_ == old.type_));
    let foreign: Vec<_> = foreign.cloned().collect();
    conditions.extend(foreign);
    conditions
}

fn condition(before: &[PodCondition], fact: Fact, now: Timestamp) -> PodCondition {
    let status = if fact.holds.is_ok() { "True" } else { "False" };
    let old = before.iter().find(|old| old.type_ == fact.of && old.status == status);
    let (reason, message) = match fact.holds {
        Ok(()) => (fact.reason.map(str::to_owned), None),
        Err((reason, message)) => (Some(reason.to_owned()), Some(message)),
    };
    PodCondition {
        type_: fact.of.to_owned(),
        status: status.to_owned(),
        reason,
        message,
        last_transition_time: old
            .and_then(|old| old.last_transition_time.clone())
            .or(Some(Time(now))),
        ..PodCondition::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_time_moves_only_with_the_status() {
        let no = |why: &str| Fact {
            of: "Ready",
            holds: Err(("ContainersNotReady", why.to_owned())),
            reason: None,
        };
        let first = merge(&[], vec![no("a")], at(1));
        let second = merge(&first, vec![no("b")], at(2));
        assert_eq!(second[0].last_transition_time, Some(Time(at(1))));
        assert_eq!(second[0].message.as_deref(), Some("b"));
        let third = merge(&second, vec![holds("Ready")], at(3));
        assert_eq!(third[0].last_transition_time, Some(Time(at(3))));
        assert_eq!(third[0].status, "True");
    }

    #[test]
    fn the_conditions_of_others_stay() {
        let foreign =
            PodCondition { type_: "DisruptionTarget".to_owned(), ..PodCondition::default() };
        let merged = merge(&[foreign], vec![holds("Ready")], at(1));
        let types: Vec<_> = merged.iter().map(|condition| condition.type_.as_str()).collect();
        assert_eq!(types, ["Ready", "DisruptionTarget"]);
    }
}
