//! What the backend was given of a server outside, in a Secret of ours.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::Called;
use crate::{
    convex::InstanceName,
    observe::{Obstacle, keys::renamed},
    plan::{labels, outside::Server},
};

/// A Secret of ours. `Debug` shows which one it is.
#[derive(Clone)]
pub(super) struct Kept(pub(super) Server, pub(super) Arc<Secret>);

impl Kept {
    /// Under another name the backend would open another database, and another folder of the buckets. An upgrade leads from one
    /// that is the instance's to another one that is.
    pub(super) fn renamed(&self, called: &Called<'_>) -> Option<Obstacle> {
        let made = self.1.annotations().get(labels::INSTANCE_NAME)?;
        let own = called.own.iter().any(|it| it.as_str() == made);
        (!own).then(|| renamed(made, called.keys.deployment.as_str()))
    }

    /// Whether the backend was given it under this name.
    pub(super) fn is_of(&self, name: &InstanceName) -> bool {
        let made = self.1.annotations().get(labels::INSTANCE_NAME);
        made.is_some_and(|it| it == name.as_str())
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Kept({:?})", self.0)
    }
}
