//! The routes of an instance: one for every host, by the host alone, and one that leads from plain HTTP to HTTPS for all of them.

use gateway_api::httproutes::{
    HttpRoute, HttpRouteParentRefs, HttpRouteRules, HttpRouteRulesBackendRefs,
    HttpRouteRulesFilters, HttpRouteRulesFiltersRequestRedirect,
    HttpRouteRulesFiltersRequestRedirectScheme, HttpRouteRulesFiltersType,
    HttpRouteRulesFiltersUrlRewrite, HttpRouteRulesFiltersUrlRewritePath,
    HttpRouteRulesFiltersUrlRewritePathType, HttpRouteRulesMatches, HttpRouteRulesMatchesPath,
    HttpRouteRulesMatchesPathType, HttpRouteRulesTimeouts, HttpRouteSpec,
};

use super::{
    Inputs,
    backend::{API_PORT, SITE_PORT},
    dashboard,
    host::Purpose,
    labels::{self, Part},
};
use crate::api::ParentRef;

/// Where HTTP actions are below the port of the API (`crates/local_backend/src/router.rs` upstream).
const ACTIONS: &str = "/http/";
/// No end: a client holds its WebSocket for as long as it runs (GEP-2257: zero turns a timeout off).
const ENDLESS: &str = "0s";
/// 301: clients may remember it.
const MOVED: i64 = 301;

/// A listener that lets a host in.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// The Gateway and the listener, as a route names them.
    pub parent: ParentRef,
    /// Whether it ends TLS.
    pub tls: bool,
}

/// What is known of the way to a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Way {
    /// The listeners that let it in.
    pub listeners: Vec<Listener>,
    /// Whether paths can be rewritten.
    pub rewrites: bool,
    /// Whether a route may say how long a request lasts.
    pub timeouts: bool,
    /// Whether everything that is asked for was found, and so the listeners are all there are.
    pub complete: bool,
}

impl Way {
    /// Whether clients come by HTTPS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.listeners.iter().any(|it| it.tls)
    }

    /// Whether plain HTTP is led to HTTPS.
    #[must_use]
    pub fn redirects(&self) -> bool {
        self.is_secure() && self.listeners.iter().any(|it| !it.tls)
    }

    /// The listeners of one kind, as a route names them.
    fn parents(&self, tls: bool) -> impl Iterator<Item = HttpRouteParentRefs> {
        self.listeners.iter().filter(move |it| it.tls == tls).map(|it| parent(&it.parent))
    }
}

/// The route that leads to the pods of a host.
#[must_use]
pub fn route(inputs: &Inputs<'_>, purpose: Purpose, host: &str, way: &Way) -> HttpRoute {
    let part = match purpose {
        Purpose::Api | Purpose::Site => Part::Backend,
        Purpose::Dashboard => Part::Dashboard,
    };
    HttpRoute {
        metadata: labels::owned(inputs.instance, part, inputs.names.route(purpose)),
        spec: HttpRouteSpec {
            hostnames: Some(vec![host.to_owned()]),
            parent_refs: Some(way.parents(way.is_secure()).collect()),
            rules: Some(vec![rule(inputs, purpose, way)]),
        },
        status: None,
    }
}

/// The one route that leads from plain HTTP to HTTPS, for every host that has both; none where no host has. A listener that is
/// not for all of these hosts takes those that it is for (Gateway API, `HTTPRouteSpec.hostnames`).
#[must_use]
pub fn redirect(inputs: &Inputs<'_>, ways: &[(Purpose, String, Way)]) -> Option<HttpRoute> {
    let led = || ways.iter().filter(|(.., way)| way.redirects());
    let hosts: Vec<_> = led().map(|(_, host, _)| host.clone()).collect();
    let home = inputs.instance.metadata.namespace.as_deref();
    let mut parents = Vec::<HttpRouteParentRefs>::new();
    for parent in led().flat_map(|(.., way)| way.parents(false)) {
        if !parents.iter().any(|it| is_same(it, &parent, home)) {
            parents.push(parent);
        }
    }
    (!hosts.is_empty()).then(|| HttpRoute {
        metadata: labels::owned(inputs.instance, Part::Backend, inputs.names.redirect()),
        spec: HttpRouteSpec {
            hostnames: Some(hosts),
            parent_refs: Some(parents),
            rules: Some(vec![to_https()]),
        },
        status: None,
    })
}

/// HTTP actions on a port of their own are at most four at a time (`convex.md` upstream facts: port 3211 proxies to 3210): where
/// paths can be rewritten, they go to the port of the API.
fn rule(inputs: &Inputs<'_>, purpose: Purpose, way: &Way) -> HttpRouteRules {
    let rewritten = purpose == Purpose::Site && way.rewrites;
    let (service, port) = match purpose {
        Purpose::Dashboard => (inputs.names.dashboard(), dashboard::PORT),
        Purpose::Site if !rewritten => (inputs.names.backend_service(), SITE_PORT),
        Purpose::Api | Purpose::Site => (inputs.names.backend_service(), API_PORT),
    };
    HttpRouteRules {
        matches: Some(vec![everything()]),
        filters: rewritten.then(|| vec![to_actions()]),
        backend_refs: Some(vec![HttpRouteRulesBackendRefs {
            name: service,
            port: Some(port),
            ..HttpRouteRulesBackendRefs::default()
        }]),
        timeouts: way.timeouts.then(|| HttpRouteRulesTimeouts {
            request: Some(ENDLESS.to_owned()),
            backend_request: None,
        }),
        ..HttpRouteRules::default()
    }
}

fn everything() -> HttpRouteRulesMatches {
    HttpRouteRulesMatches {
        path: Some(HttpRouteRulesMatchesPath {
            r#type: Some(HttpRouteRulesMatchesPathType::PathPrefix),
            value: Some("/".to_owned()),
        }),
        ..HttpRouteRulesMatches::default()
    }
}

fn to_actions() -> HttpRouteRulesFilters {
    HttpRouteRulesFilters {
        r#type: HttpRouteRulesFiltersType::UrlRewrite,
        url_rewrite: Some(HttpRouteRulesFiltersUrlRewrite {
            path: Some(HttpRouteRulesFiltersUrlRewritePath {
                r#type: HttpRouteRulesFiltersUrlRewritePathType::ReplacePrefixMatch,
                replace_prefix_match: Some(ACTIONS.to_owned()),
                ..HttpRouteRulesFiltersUrlRewritePath::default()
            }),
            ..HttpRouteRulesFiltersUrlRewrite::default()
        }),
        ..HttpRouteRulesFilters::default()
    }
}

fn to_https() -> HttpRouteRules {
    let redirect = HttpRouteRulesFiltersRequestRedirect {
        scheme: Some(HttpRouteRulesFiltersRequestRedirectScheme::Https),
        status_code: Some(MOVED),
        ..HttpRouteRulesFiltersRequestRedirect::default()
    };
    HttpRouteRules {
        matches: Some(vec![everything()]),
        filters: Some(vec![HttpRouteRulesFilters {
            r#type: HttpRouteRulesFiltersType::RequestRedirect,
            request_redirect: Some(redirect),
            ..HttpRouteRulesFilters::default()
        }]),
        ..HttpRouteRules::default()
    }
}

/// A parent without a namespace is in that of the route.
fn is_same(one: &HttpRouteParentRefs, other: &HttpRouteParentRefs, home: Option<&str>) -> bool {
    let within = |it: &HttpRouteParentRefs| it.namespace.as_deref().or(home).map(str::to_owned);
    one.name == other.name && one.section_name == other.section_name && within(one) == within(other)
}

fn parent(it: &ParentRef) -> HttpRouteParentRefs {
    HttpRouteParentRefs {
        name: it.name.clone(),
        namespace: it.namespace.clone(),
        section_name: it.section_name.clone(),
        ..HttpRouteParentRefs::default()
    }
}

#[cfg(test)]
mod tests;
