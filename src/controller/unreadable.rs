//! An instance that cannot be decoded: left as it is, said to its owner, and let go when it is deleted.

use std::sync::Arc;

use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
    runtime::events::{Event, EventType},
};
use serde_json::json;

use crate::{
    api::ConvexInstance,
    context::{Context, Guarded},
    error::Error,
    events,
    observe::cut,
    plan::labels::{self, FINALIZER},
};

/// The instance, where it can be decoded; the others go on in any case.
///
/// # Errors
/// [`Error::Decode`], which was told to whoever reads its Events.
pub(super) async fn decoded(
    ctx: &Context,
    instance: &Guarded,
) -> Result<Arc<ConvexInstance>, Error> {
    match &instance.0 {
        Ok(instance) => Ok(Arc::new(instance.clone())),
        Err(invalid) => Err(told(ctx, instance, Error::Decode(invalid.error.clone())).await),
    }
}

/// Tells about it, and hands the error on. Where the instance is being deleted, our finalizer goes: what it
/// owns is collected by Kubernetes, and the claim and the Secret, which nobody owns, stay, as under Retain.
async fn told(ctx: &Context, instance: &Guarded, error: Error) -> Error {
    let leaves = instance.meta().deletion_timestamp.is_some();
    if leaves && !labels::has_finalizer(instance) {
        return error; // it is somebody else's to finish
    }
    let (reason, note) = if leaves {
        ("LetGo", format!("{error}. It is let go; its claim and its Secret are kept."))
    } else {
        ("Unreadable", format!("{error}. It is left as it is until it changes."))
    };
    let event = Event {
        type_: EventType::Warning,
        reason: reason.to_owned(),
        note: Some(cut(&note)),
        action: "Decode".to_owned(),
        secondary: None,
    };
    events::publish(ctx, &instance.object_ref(&()), &event).await;
    if !leaves {
        return error;
    }
    let_go(ctx, instance).await.map_or_else(Error::Apply, |()| error)
}

async fn let_go(ctx: &Context, instance: &Guarded) -> kube::Result<()> {
    let namespace = instance.namespace().unwrap_or_default();
    let api: Api<ConvexInstance> = Api::namespaced(ctx.client.clone(), &namespace);
    let others: Vec<_> = instance.finalizers().iter().filter(|it| *it != FINALIZER).collect();
    let patch = json!({"metadata": {
        "resourceVersion": instance.resource_version(),
        "finalizers": others,
    }});
    api.patch_metadata(&instance.name_any(), &PatchParams::default(), &Patch::Merge(&patch))
        .await?;
    Ok(())
}
