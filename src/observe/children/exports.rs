//! The claim that the exports of an instance are kept on, as it is found.

use std::sync::Arc;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use statemachine::pins::Pins;

use super::stores::{asked_for, watched};
use crate::{
    api::ConvexInstance,
    context::Context,
    plan::{
        exports::Exports,
        labels::{self, Belongs},
        names::Names,
    },
};

/// Where exports are kept. Those that an earlier instance of this name has left are added to: nothing on it is written over.
/// Where exports are known or about to be made, the API server is asked before it is held to be gone.
pub(super) async fn seen(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    pins: &Pins,
) -> kube::Result<Exports> {
    let name = names.snapshots();
    let status = instance.status.as_ref();
    let known = status.is_some_and(|it| it.snapshots.iter().any(|it| it.bucket.is_none()));
    let elsewhere = status.and_then(|it| it.upgrade.as_ref()).is_some_and(|it| it.bucket.is_some());
    let exports = pins.upgrade.as_ref().is_some_and(|it| it.strategy.exports()) && !elsewhere;
    let found = match watched(ctx, instance, &name) {
        None if known || exports => asked_for(ctx, instance, &name).await?,
        found => found,
    };
    let kept = |it: &Arc<PersistentVolumeClaim>| {
        matches!(labels::belongs(instance, &it.metadata), Belongs::Ours | Belongs::Retained)
    };
    Ok(Exports::on(found.filter(kept)))
}
