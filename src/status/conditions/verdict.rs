//! One condition, before it is known how long it has been so.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{Condition, ConditionStatus, ConditionType},
    observe::Obstacle,
};

/// A condition before it is known how long it has been so.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::status) struct Verdict {
    type_: ConditionType,
    status: ConditionStatus,
    reason: String,
    message: String,
}

impl Verdict {
    /// A condition.
    pub(super) fn new(
        type_: ConditionType,
        status: impl Into<ConditionStatus>,
        reason: &str,
        message: impl Into<String>,
    ) -> Self {
        Self { type_, status: status.into(), reason: reason.to_owned(), message: message.into() }
    }

    /// What was said before, once more.
    pub(super) fn again(type_: ConditionType, before: &Condition) -> Self {
        let (reason, message) = (&before.reason, before.message.clone());
        Self::new(type_, before.status, reason, message)
    }

    /// True with a reason of its own, or false for this reason.
    pub(super) fn unless(type_: ConditionType, obstacle: Option<&Obstacle>, reason: &str) -> Self {
        match obstacle {
            None => Self::new(type_, true, reason, ""),
            Some(it) => Self::new(type_, false, it.reason, it.message.clone()),
        }
    }

    /// The condition, with the time since when its status has been what it is.
    pub(in crate::status) fn since(
        self,
        before: &[Condition],
        generation: i64,
        now: &Time,
    ) -> Condition {
        let type_ = format!("{:?}", self.type_);
        let same = before.iter().find(|it| it.type_ == type_ && it.status == self.status);
        Condition {
            last_transition_time: same
                .map_or_else(|| now.clone(), |it| it.last_transition_time.clone()),
            type_,
            status: self.status,
            observed_generation: generation,
            reason: self.reason,
            message: self.message,
        }
    }
}
