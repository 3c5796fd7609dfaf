//! The algorithm of kstatus, as its documentation and source have it
//! (kubernetes-sigs/cli-utils, `pkg/kstatus/status`), for a resource of a kind that it does not know.

use kube::Resource;

use crate::api::{Condition, ConditionStatus, ConvexInstance};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kstatus {
    Current,
    InProgress,
    Failed,
    Terminating,
}

pub(super) fn kstatus(instance: &ConvexInstance) -> Kstatus {
    if instance.meta().deletion_timestamp.is_some() {
        return Kstatus::Terminating;
    }
    let Some(status) = &instance.status else { return Kstatus::Current };
    if Some(status.observed_generation) != instance.meta().generation {
        return Kstatus::InProgress;
    }
    let verdict = |it: &Condition| match (it.type_.as_str(), it.status) {
        ("Reconciling", ConditionStatus::True) => Some(Kstatus::InProgress),
        ("Stalled", ConditionStatus::True) => Some(Kstatus::Failed),
        _ => None,
    };
    if let Some(found) = status.conditions.iter().find_map(verdict) {
        return found;
    }
    match status.conditions.iter().find(|it| it.type_ == "Ready").map(|it| it.status) {
        Some(ConditionStatus::True) | None => Kstatus::Current,
        Some(ConditionStatus::False | ConditionStatus::Unknown) => Kstatus::InProgress,
    }
}
