//! Whether clients get to the instance from outside as its spec asks for, and which way they would take.

mod hosts;
mod ingress;
mod parents;
mod told;
mod way;

use gateway_api::gatewayclasses::GatewayClass;

use self::way::Gateways;
use super::{Children, Obstacle};
use crate::{
    api::{ConvexInstance, Mode},
    context::{Context, GatewayApi, Presence},
    plan::{
        host::{self, Purpose, Schemes},
        route::Way,
    },
};

/// What is known of the way in.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    /// A host belongs to another instance: nothing is made for it here.
    pub conflict: Option<Obstacle>,
    /// What keeps clients out.
    pub obstacle: Option<Obstacle>,
    /// The way to each host through Gateways; none where the cluster has none.
    pub ways: Vec<(Purpose, String, Way)>,
    /// Whether the cluster has routes.
    pub has_routes: bool,
    /// Whether the cluster has Gateways.
    pub has_gateways: bool,
    /// By which schemes clients come.
    pub schemes: Schemes,
}

/// Looks at what was watched.
pub(super) fn of(ctx: &Context, instance: &ConvexInstance, children: &Children) -> Exposure {
    let api = &ctx.stores.gateway_api;
    let mode = instance.spec.networking.way_in();
    let conflict = hosts::conflict(ctx, instance);
    let has_routes = api.routes.served.presence() == Presence::Watched;
    let has_gateways = api.gateways.served.presence() == Presence::Watched;
    let (ways, obstacle) = match mode {
        Mode::None => (Vec::new(), None),
        Mode::Ingress => (Vec::new(), ingress::obstacle(children.ingress.as_deref())),
        Mode::Shared | Mode::OwnGateway => match absent(api, mode == Mode::OwnGateway) {
            Some(absent) => (Vec::new(), Some(absent)),
            None => through_gateways(api, instance, children),
        },
    };
    let schemes = schemes(instance, &ways);
    let obstacle = conflict.clone().or(obstacle);
    Exposure { conflict, obstacle, ways, has_routes, has_gateways, schemes }
}

fn through_gateways(
    api: &GatewayApi,
    instance: &ConvexInstance,
    children: &Children,
) -> (Vec<(Purpose, String, Way)>, Option<Obstacle>) {
    let seen = Gateways { gateways: api.gateways.readable(), classes: api.classes.readable() };
    let networking = &instance.spec.networking;
    let own = networking.way_in() == Mode::OwnGateway;
    let namespace = instance.metadata.namespace.as_deref().unwrap_or_default();
    let (mut ways, mut wrong) = (Vec::new(), Vec::new());
    let class = networking.gateway_class_name.as_deref();
    if let Some(class) = class.filter(|_| own) {
        wrong.extend(told::gateway(children.gateway.as_deref(), seen.class(class), class));
    }
    for (purpose, host) in host::hosts(networking, instance.spec.dashboard.enabled) {
        let (way, obstacles) = if own {
            (way::own(instance, purpose, class.and_then(|it| seen.class(it))), Vec::new())
        } else {
            seen.way(host, namespace, &networking.parent_refs)
        };
        wrong.extend(obstacles);
        ways.push((purpose, host.to_owned(), way));
    }
    let controllers: Vec<_> = seen.classes.iter().map(controller).collect();
    let routes = || told::routes(instance, children, &ways, &controllers);
    let obstacle = wrong.into_iter().next().or_else(routes);
    (ways, obstacle)
}

fn controller(class: &GatewayClass) -> String {
    class.spec.controller_name.clone()
}

/// Why there are no routes.
fn absent(api: &GatewayApi, own: bool) -> Option<Obstacle> {
    let routes = api.routes.served.presence();
    // Whoever makes one needs more than to be let in by one.
    let gateways = api.gateways.served.presence();
    let of_both = if own && routes == Presence::Watched { gateways } else { routes };
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

/// As the spec says it, or as the listeners that let a host in say it. Where nobody says it now, it is what was last told, so
/// that a Gateway that is away for a moment restarts no backend; else the safe one.
fn schemes(instance: &ConvexInstance, ways: &[(Purpose, String, Way)]) -> Schemes {
    let networking = &instance.spec.networking;
    if networking.way_in() != Mode::Shared {
        return Schemes::all(networking.tls_secret_ref.is_some());
    }
    let last = instance.status.as_ref().and_then(|it| it.endpoints.as_ref());
    let secure = |purpose: Purpose| {
        let way = ways.iter().find(|(of, _, way)| *of == purpose && !way.listeners.is_empty());
        let told = last.and_then(|it| match purpose {
            Purpose::Api => it.api_url.as_deref(),
            Purpose::Site => it.site_url.as_deref(),
            Purpose::Dashboard => it.dashboard_url.as_deref(),
        });
        let host = host::of(networking, purpose);
        let told = told.filter(|url| host.is_some_and(|host| url.ends_with(&format!("//{host}"))));
        way.map_or_else(
            || told.is_none_or(|url| url.starts_with("https:")),
            |(_, _, way)| way.is_secure(),
        )
    };
    Schemes {
        api: secure(Purpose::Api),
        site: secure(Purpose::Site),
        dashboard: secure(Purpose::Dashboard),
    }
}
