//! Whose a host is.

use kube::{Resource, ResourceExt, api::ObjectMeta};

use super::super::{Obstacle, age};
use crate::{
    api::{ConvexInstance, Mode},
    context::{Context, Guarded},
    plan::{
        host::{self, Purpose},
        labels::{self, Belongs},
    },
};

/// What leads to hosts: an Ingress or a route of ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Led {
    meta: ObjectMeta,
    hosts: Vec<String>,
}

/// Who asks for hosts. One that cannot be decoded keeps what can be read of its own.
#[derive(Clone, Debug)]
struct Asking<'a> {
    meta: &'a ObjectMeta,
    hosts: Vec<&'a str>,
}

impl<'a> Asking<'a> {
    fn of(guarded: &'a Guarded) -> Self {
        match &guarded.0 {
            Ok(instance) => Self::decoded(instance),
            Err(it) => {
                Self { meta: &it.metadata, hosts: it.hosts.iter().map(String::as_str).collect() }
            }
        }
    }

    fn decoded(instance: &'a ConvexInstance) -> Self {
        Self { meta: instance.meta(), hosts: wanted(instance).map(|(_, host)| host).collect() }
    }
}

/// The hosts of an instance that are its own, and why the first of the others is not.
pub(super) fn of(
    ctx: &Context,
    instance: &ConvexInstance,
) -> (Vec<(Purpose, String)>, Option<Obstacle>) {
    let all = ctx.stores.instances.state();
    let all: Vec<_> = all.iter().map(|it| Asking::of(it)).collect();
    divided(instance, &all, &led(ctx))
}

fn led(ctx: &Context) -> Vec<Led> {
    let ingresses = ctx.stores.ingresses.state().into_iter().map(|it| {
        let rules = it.spec.as_ref().and_then(|spec| spec.rules.as_deref()).unwrap_or_default();
        let hosts = rules.iter().filter_map(|rule| rule.host.clone()).collect();
        Led { meta: it.metadata.clone(), hosts }
    });
    let routes = ctx
        .stores
        .gateway_api
        .routes
        .readable()
        .into_iter()
        .map(|it| Led { meta: it.metadata, hosts: it.spec.hostnames.unwrap_or_default() });
    ingresses.chain(routes).collect()
}

/// Of two instances that name one host it is the one's that it leads to already, in whatever namespace: traffic is not taken away
/// by somebody who comes to want it. While it leads to neither, it is the older's.
fn divided(
    instance: &ConvexInstance,
    all: &[Asking<'_>],
    led: &[Led],
) -> (Vec<(Purpose, String)>, Option<Obstacle>) {
    let (mut own, mut conflict) = (Vec::new(), None);
    for (purpose, host) in wanted(instance) {
        let lacks = |it: &ObjectMeta| !leads(led, host, it);
        let rivals = all.iter().filter(|it| it.meta.uid != instance.uid());
        let mut rivals = rivals.filter(|it| it.hosts.contains(&host));
        let own_claim = (lacks(instance.meta()), age(instance.meta()));
        match rivals.find(|it| (lacks(it.meta), age(it.meta)) < own_claim) {
            Some(holder) => {
                conflict = conflict.or_else(|| Some(refusal(instance, host, holder.meta)));
            }
            None => own.push((purpose, host.to_owned())),
        }
    }
    (own, conflict)
}

/// Who lives in another namespace is nobody's business.
fn refusal(instance: &ConvexInstance, host: &str, holder: &ObjectMeta) -> Obstacle {
    let holder = if holder.namespace == instance.namespace() {
        format!("ConvexInstance \"{}\"", holder.name.as_deref().unwrap_or_default())
    } else {
        "a ConvexInstance of another namespace".to_owned()
    };
    Obstacle::new(
        "HostConflict",
        format!(
            "host {host} is that of {holder}, which keeps it; it does not lead here. Choose another host, or take it away there."
        ),
    )
}

fn leads(led: &[Led], host: &str, instance: &ObjectMeta) -> bool {
    led.iter().any(|it| {
        it.meta.namespace == instance.namespace
            && it.hosts.iter().any(|of| of == host)
            && labels::belongs_to(instance, &it.meta) == Belongs::Ours
    })
}

fn wanted(instance: &ConvexInstance) -> impl Iterator<Item = (Purpose, &str)> {
    let spec = &instance.spec;
    let let_in = spec.networking.way_in() != Mode::None;
    host::hosts(&spec.networking, spec.dashboard.enabled).filter(move |_| let_in)
}

#[cfg(test)]
mod tests;
