//! Whose a host is.

use kube::{Resource, ResourceExt, core::DeserializeGuard};

use super::super::Obstacle;
use crate::{
    api::{ConvexInstance, Mode},
    context::Context,
    plan::host,
};

/// A host of this instance that another one keeps.
pub(super) fn conflict(ctx: &Context, instance: &ConvexInstance) -> Option<Obstacle> {
    let all = ctx.stores.instances.state();
    taken(instance, all.iter().filter_map(|it| decoded(it)))
}

/// Of two instances that name one host the older keeps it, in whatever namespace: traffic that it has got is not taken
/// away by somebody who comes later.
fn taken<'a>(
    instance: &ConvexInstance,
    all: impl Iterator<Item = &'a ConvexInstance>,
) -> Option<Obstacle> {
    let ours: Vec<_> = hosts(instance).collect();
    let older = all.filter(|it| it.uid() != instance.uid() && age(it) < age(instance));
    let mut taken = older.filter_map(|it| Some((hosts(it).find(|host| ours.contains(host))?, it)));
    let (host, holder) = taken.next()?;
    let holder = format!("{}/{}", holder.namespace().unwrap_or_default(), holder.name_any());
    Some(Obstacle::new(
        "HostConflict",
        format!(
            "host {host} is that of ConvexInstance {holder}, which is older and keeps it; nothing of this instance is exposed. Choose another host, or take it away there."
        ),
    ))
}

fn decoded(guard: &DeserializeGuard<ConvexInstance>) -> Option<&ConvexInstance> {
    guard.0.as_ref().ok()
}

/// Two of one second are told apart by what they are called.
fn age(instance: &ConvexInstance) -> (Option<i64>, Option<String>, String) {
    let born = instance.meta().creation_timestamp.as_ref().map(|it| it.0.as_second());
    (born, instance.namespace(), instance.name_any())
}

fn hosts(instance: &ConvexInstance) -> impl Iterator<Item = &str> {
    let spec = &instance.spec;
    let let_in = spec.networking.way_in() != Mode::None;
    host::hosts(&spec.networking, spec.dashboard.enabled)
        .filter(move |_| let_in)
        .map(|(_, host)| host)
}

#[cfg(test)]
mod tests;
