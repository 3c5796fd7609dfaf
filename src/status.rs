//! The only door to status: compare, and write under the resourceVersion that was read.
//!
//! There are two doors in it. [`advance`] persists an edge with its pins before anything is done about it,
//! and [`report`] says what was found. Both refresh every condition's `observedGeneration`, and a
//! condition's `lastTransitionTime` moves only when its `status` does.

mod account;
mod conditions;
mod messages;
mod worth;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use statemachine::{Phase, Step};

use self::account::Account;
use crate::{
    api::{Blocked, ConditionStatus, ConvexInstance, ConvexInstanceStatus},
    context::{Context, Span},
    error::Error,
    observe::{World, hold, image, uid},
    plan::{Applied, Plan},
};

/// The condition of an instance that is left as it is.
const PAUSED: &str = "Paused";

/// What became of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    /// What started to block with the status that was just written, or an image that is not what its name stood for.
    pub newly_blocked: Option<Blocked>,
    /// When to look again because something is not written yet.
    pub unwritten: Option<Duration>,
}

/// Persists the edge that was taken, with its pins, in one conditional write. Without an edge the
/// instance is handed back as it is.
///
/// # Errors
/// [`Error::Advance`] when the write failed, a conflict included: nothing may be done about the edge.
pub async fn advance(
    ctx: &Context,
    instance: Arc<ConvexInstance>,
    step: &Step,
    world: &World,
) -> Result<Arc<ConvexInstance>, Error> {
    if step.taken.is_none() {
        return Ok(instance);
    }
    // Users are let in right after this write. Where the instance is not yet Ready all the same, because of its
    // dashboard or its routes, that is worth no write of its own; where it fails, the next report says so.
    let open = Applied { flows: true, ..Applied::default() };
    let waits = conditions::surroundings(&instance, step, world, &open);
    let waits = waits.is_some_and(|it| !it.abnormal) && !hold::is_held(&instance);
    let applied = if waits { open } else { Applied::default() };
    let Account { status, .. } = account::of(&instance, step, world, &applied);
    let written = write(ctx, &instance, status).await.map_err(Error::Advance)?;
    let _settled = ctx.memory.lasted(&uid(&instance), Span::Unwritten, false);
    Ok(Arc::new(written))
}

/// Says what was found and done, where that differs from what is written: at once where it is abnormal or
/// the end of something, and after a few seconds where it passes by itself.
///
/// # Errors
/// [`Error::Report`] when the write failed, a conflict included.
pub async fn report(
    ctx: &Context,
    instance: &ConvexInstance,
    step: &Step,
    world: &World,
    plan: &Plan<Applied>,
) -> Result<Reported, Error> {
    if step.phase == Phase::Unknown {
        return unknown(ctx, instance, step).await.map_err(Error::Report);
    }
    let before = instance.status.clone().unwrap_or_default();
    let Account { status: after, abnormal } =
        account::of(instance, &settled(step), world, &plan.state);
    let differs = account::differ(&before, &after);
    let lasted = ctx.memory.lasted(&uid(instance), Span::Unwritten, differs).unwrap_or_default();
    if !differs || is_leaving(instance, step) {
        return Ok(Reported::default());
    }
    let worth = worth::after(instance, &before, &after, abnormal);
    if lasted < worth {
        return Ok(Reported {
            unwritten: Some(worth.saturating_sub(lasted)),
            ..Reported::default()
        });
    }
    let newly_blocked = newly_blocked(&before, &after).filter(|_| abnormal);
    let newly_blocked = newly_blocked.or_else(|| image_moved(&before, &after));
    let mut instance = Box::new(instance.clone());
    if let Some(revision) = &plan.state.revision {
        instance.meta_mut().resource_version = Some(revision.clone());
    }
    write(ctx, &instance, after).await.map_err(Error::Report)?;
    let _written = ctx.memory.lasted(&uid(&instance), Span::Unwritten, false);
    Ok(Reported { newly_blocked, unwritten: None })
}

/// The edge is in the status already; only what came after it is reported.
fn settled(step: &Step) -> Step {
    Step { taken: None, pins: None, ..step.clone() }
}

/// Once the finalizer is off there is nobody left to report to.
fn is_leaving(instance: &ConvexInstance, step: &Step) -> bool {
    let leaves = step.obligations.contains(&statemachine::Action::EnsureFinalizerRemoved);
    instance.meta().deletion_timestamp.is_some() && leaves
}

/// What every condition says, without its words.
fn told(status: &ConvexInstanceStatus) -> BTreeMap<String, (ConditionStatus, String)> {
    let conditions = status.conditions.iter();
    conditions.map(|it| (it.type_.clone(), (it.status, it.reason.clone()))).collect()
}

fn newly_blocked(before: &ConvexInstanceStatus, after: &ConvexInstanceStatus) -> Option<Blocked> {
    let blocked = after.blocked_by.first()?;
    let known = before.blocked_by.iter().any(|it| it.reason == blocked.reason);
    (!known).then(|| blocked.clone())
}

/// Upgrades change the image by intent; where none has ended or is under way, somebody has moved a tag.
fn image_moved(before: &ConvexInstanceStatus, after: &ConvexInstanceStatus) -> Option<Blocked> {
    let quiet = before.upgrade.is_none() && before.running_version == after.running_version;
    let (one, other) = (before.image.as_ref()?, after.image.as_ref()?);
    let message = image::moved(one, other).filter(|_| quiet)?;
    Some(Blocked { guard: "BackendReady".to_owned(), reason: "ImageMoved".to_owned(), message })
}

async fn write(
    ctx: &Context,
    instance: &ConvexInstance,
    status: ConvexInstanceStatus,
) -> kube::Result<ConvexInstance> {
    let mut written = instance.clone();
    written.meta_mut().managed_fields = None;
    written.status = Some(status);
    let api = api(ctx, instance);
    let name = instance.name_any();
    let written = api.replace_status(&name, &PostParams::default(), &written).await?;
    ctx.memory.wrote(&uid(instance), written.meta().resource_version.as_deref());
    Ok(written)
}

/// A newer operator wrote this status, and what it means is not known: nothing of it is touched but the
/// one condition that says so.
async fn unknown(ctx: &Context, instance: &ConvexInstance, step: &Step) -> kube::Result<Reported> {
    let before = instance.status.clone().unwrap_or_default();
    let conditions = account::amended(instance, conditions::unknown(step), &before);
    if conditions != before.conditions {
        amend(ctx, instance, json!({"conditions": conditions})).await?;
    }
    Ok(Reported::default())
}

/// Says, once, that everything is left as it is: what else stands in the status may be out of date.
///
/// # Errors
/// [`Error::Report`] when the write failed, a conflict included.
pub async fn paused(ctx: &Context, instance: &ConvexInstance) -> Result<(), Error> {
    let before = instance.status.clone().unwrap_or_default();
    if told(&before).contains_key(PAUSED) {
        return Ok(());
    }
    let verdict = conditions::paused(&instance.name_any());
    let conditions = account::amended(instance, verdict, &before);
    amend(ctx, instance, json!({"conditions": conditions})).await.map_err(Error::Report)
}

async fn amend(ctx: &Context, instance: &ConvexInstance, status: Value) -> kube::Result<()> {
    let patch =
        json!({"metadata": {"resourceVersion": instance.resource_version()}, "status": status});
    let (api, name) = (api(ctx, instance), instance.name_any());
    api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&patch)).await.map(|_| ())
}

fn api(ctx: &Context, instance: &ConvexInstance) -> Api<ConvexInstance> {
    Api::namespaced(ctx.client.clone(), &instance.namespace().unwrap_or_default())
}
