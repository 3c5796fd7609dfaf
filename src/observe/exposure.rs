//! Whether clients get to the instance from outside as its spec asks for, and which way they would take.

mod conditions;
mod gateway;
mod hosts;
mod ingress;
mod limits;
mod listeners;
mod remedies;
mod schemes;
mod seen;
mod told;
mod way;

use std::sync::Arc;

use gateway_api::httproutes::HttpRoute;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use self::{gateway::Age, listeners::Asked, seen::Seen, way::Wanted};
use super::{Children, Obstacle};
use crate::{
    api::{ConvexInstance, Mode, VendorPolicies},
    context::{Context, GatewayApi, Presence},
    plan::{
        host::{Purpose, Schemes},
        names::Names,
        route::Way,
    },
};

/// What is known of the way in.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // facts are independent; an enum would invent relations
pub struct Exposure {
    /// The hosts that are this instance's; for one that belongs to another nothing is made here.
    pub hosts: Vec<(Purpose, String)>,
    /// What keeps clients out.
    pub obstacle: Option<Obstacle>,
    /// Whether that is but the word of a controller that has had little time to give it.
    pub awaited: bool,
    /// What those have to know who are let in; empty where there is nothing.
    pub limits: String,
    /// Whether somebody serves the routes who takes policies for them.
    pub takes_policies: bool,
    /// The way to each host through Gateways; none where the cluster has none.
    pub ways: Vec<(Purpose, String, Way)>,
    /// Whether routes can be made, and what is over can be told.
    pub has_routes: bool,
    /// Whether the cluster has Gateways.
    pub has_gateways: bool,
    /// By which schemes clients come.
    pub schemes: Schemes,
}

/// Looks at what was watched.
pub(super) fn of(ctx: &Context, instance: &ConvexInstance, children: &Children) -> Exposure {
    let api = &ctx.stores.gateway_api;
    let (hosts, conflict) = hosts::of(ctx, instance);
    let mut exposure = match instance.spec.networking.way_in() {
        Mode::None => Exposure { has_routes: true, ..Exposure::default() },
        Mode::Ingress => Exposure {
            obstacle: ingress::obstacle(children.ingress.as_deref()),
            has_routes: true,
            ..Exposure::default()
        },
        mode @ (Mode::Shared | Mode::OwnGateway) => match absent(api, mode == Mode::OwnGateway) {
            Some(absent) => Exposure { obstacle: Some(absent), ..Exposure::default() },
            None => through_gateways(&Seen::of(api), instance, children, &hosts)
                .with_policies(api.policies.served.presence(), instance),
        },
    };
    exposure.has_gateways = api.gateways.served.presence() == Presence::Watched;
    exposure.schemes = schemes::of(instance, &exposure.ways);
    exposure.obstacle = conflict.or(exposure.obstacle);
    Exposure { hosts, ..exposure }
}

impl Exposure {
    /// A body that is too large for NGINX Gateway Fabric is let through by a policy, or there is a word about it.
    fn with_policies(mut self, presence: Presence, instance: &ConvexInstance) -> Self {
        let wanted = instance.spec.networking.vendor_policies == VendorPolicies::Auto;
        let takes = wanted && presence == Presence::Watched;
        if self.takes_policies && !takes {
            self.limits = limits::with_bodies(&self.limits);
        }
        self.takes_policies &= takes;
        self
    }
}

fn through_gateways(
    seen: &Seen,
    instance: &ConvexInstance,
    children: &Children,
    hosts: &[(Purpose, String)],
) -> Exposure {
    let networking = &instance.spec.networking;
    let age = Age(Timestamp::now());
    let own = networking.gateway_class_name.as_deref();
    let own = own.filter(|_| networking.way_in() == Mode::OwnGateway);
    let (mut ways, mut wrong) = (Vec::new(), None);
    if let Some(class) = own {
        wrong = gateway::own(seen, children.gateway.as_deref(), class, age);
    }
    for (purpose, host) in hosts {
        let (way, obstacle) = match own {
            Some(class) => (way::own(instance, *purpose, seen.class(class)), None),
            None => wanted(instance, children, (*purpose, host), age).way(seen),
        };
        wrong = wrong.or(obstacle);
        ways.push((*purpose, host.clone(), way));
    }
    let obstacle = wrong.or_else(|| told::routes(instance, children, &ways, seen));
    let passes = obstacle.as_ref().is_some_and(|it| !it.abnormal);
    // Until there is a Service, no controller finds what the routes lead to.
    let awaited = passes && !children.service.as_deref().is_some_and(|it| age.is_noticed(it));
    let limits = limits::of(seen, instance);
    let takes_policies = limits::of_bodies(seen, instance);
    Exposure {
        obstacle,
        awaited,
        limits,
        takes_policies,
        ways,
        has_routes: true,
        ..Exposure::default()
    }
}

fn wanted<'a>(
    instance: &'a ConvexInstance,
    children: &'a Children,
    (purpose, host): (Purpose, &'a str),
    age: Age,
) -> Wanted<'a> {
    let names = Names::of(&instance.name_any());
    let found = |name: String| children.routes.iter().find(|it| it.name_any() == name);
    let leads = |it: &&Arc<HttpRoute>| it.spec.hostnames.iter().flatten().any(|of| of == host);
    Wanted {
        asked: Asked { host, from: instance.metadata.namespace.as_deref().unwrap_or_default() },
        secure: schemes::last(instance, purpose),
        routes: [found(names.route(purpose)), found(names.redirect()).filter(leads)],
        parents: &instance.spec.networking.parent_refs,
        age,
    }
}

/// Why there are no routes.
fn absent(api: &GatewayApi, own: bool) -> Option<Obstacle> {
    let [routes, gateways] = [api.routes.served.presence(), api.gateways.served.presence()];
    // Whoever makes a Gateway needs to see it; whoever is let in by one can do without.
    let is_enough = gateways == Presence::Refused && !own;
    let of_both = if routes == Presence::Watched && !is_enough { gateways } else { routes };
    match of_both {
        Presence::Watched => None,
        Presence::Unknown => Some(Obstacle::passing(
            "GatewayAPIPending",
            "whether the cluster has the Gateway API is not known yet",
        )),
        Presence::Missing => Some(Obstacle::new(
            "GatewayAPINotInstalled",
            "the cluster lacks HTTPRoute or Gateway of gateway.networking.k8s.io/v1: install the standard channel of the Gateway API and a controller for it, or set spec.networking.ingress instead. The instance is reached inside the cluster meanwhile.",
        )),
        Presence::Refused => Some(Obstacle::new(
            "GatewayAPIForbidden",
            "the operator may not list HTTPRoutes or Gateways: bring its role to what docs/rbac.md says.",
        )),
    }
}
