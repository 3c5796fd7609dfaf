//! Rules on hosts, URLs and Gateways.

use on_cluster::{Case, Instance, rule};
use serde_json::{Value, json};

use crate::{complete, everywhere};

pub fn cases() -> Vec<Case> {
    let names = everywhere(
        &[
            "networking.tlsSecretRef",
            "networking.gatewayClassName",
            "networking.ingress.className",
            "networking.parentRefs[].name",
            "networking.parentRefs[].namespace",
            "networking.parentRefs[].sectionName",
        ],
        "must be the name of an object",
        "some.other-name",
        "-name",
    );
    let hosts = ["host", "siteHost", "dashboardHost"].map(host);
    let origins = ["deploymentUrl", "cloudOrigin"].map(origin);
    let more = vec![site_origin(), of_one_kind(), annotations(), class(), of_the_dashboard()];
    [names, hosts.to_vec(), origins.to_vec(), more, ways_in(), three_hosts()].concat()
}

/// An instance with this way in and no other.
fn with(networking: Value) -> Instance {
    Instance::dev("a").with("networking", networking)
}

fn of_one_kind() -> Case {
    let parents = json!([{"name": "public"}]);
    rule("spec.networking", "three ways in: give one of them, or say in mode which one counts")
        .accepts(with(json!({"host": "a.example.com", "parentRefs": parents})))
        .accepts(with(json!({"host": "a.example.com", "parentRefs": parents, "ingress": {},
            "mode": "Ingress"})))
        .refuses(with(json!({"host": "a.example.com", "parentRefs": parents, "ingress": {}})))
        .refuses(with(json!({"host": "a.example.com", "gatewayClassName": "x", "ingress": {}})))
}

fn ways_in() -> Vec<Case> {
    let host = |mode: &str| json!({"host": "a.example.com", "mode": mode});
    let mut class = host("OwnGateway");
    class["gatewayClassName"] = "x".into();
    let mut parents = host("Shared");
    parents["parentRefs"] = json!([{"name": "public"}]);
    vec![
        rule("spec.networking", "mode Shared needs parentRefs")
            .accepts(with(parents.clone()))
            .refuses(with(host("Shared"))),
        rule("spec.networking", "mode OwnGateway needs gatewayClassName")
            .accepts(with(class))
            .refuses(with(host("OwnGateway"))),
        rule("spec.networking", "a way in needs host")
            .accepts(with(json!({"parentRefs": [{"name": "public"}], "mode": "None"})))
            .accepts(with(json!({"host": "a.example.com"})))
            .refuses(with(json!({"parentRefs": [{"name": "public"}]})))
            .refuses(with(json!({"mode": "Ingress"}))),
    ]
}

fn three_hosts() -> Vec<Case> {
    let hosts = |host: Option<&str>, site: &str, dashboard: &str| {
        let mut hosts = json!({"siteHost": site, "dashboardHost": dashboard});
        if let Some(host) = host {
            hosts["host"] = host.into();
        }
        with(hosts)
    };
    let (a, b, c) = ("a.example.com", "b.example.com", "c.example.com");
    vec![
        rule("spec.networking", "siteHost and dashboardHost need host")
            .accepts(hosts(Some(a), b, c))
            .refuses(hosts(None, b, c)),
        rule("spec.networking", "each needs a name of its own")
            .accepts(hosts(Some(a), b, c))
            .refuses(hosts(Some(a), a, c))
            .refuses(hosts(Some(a), b, a))
            .refuses(hosts(Some(a), b, b)),
    ]
}

fn annotations() -> Case {
    let ingress =
        |key: &str| with(json!({"host": "a.example.com", "ingress": {"annotations": {key: "x"}}}));
    let gateway = |key: &str| {
        with(
            json!({"host": "a.example.com", "gatewayClassName": "x", "gatewayAnnotations": {key: "x"}}),
        )
    };
    rule("spec.networking", "snippets of a proxy's configuration reach what their author may not")
        .accepts(ingress("cert-manager.io/issuer"))
        .accepts(gateway("cert-manager.io/issuer"))
        .refuses(ingress("nginx.ingress.kubernetes.io/configuration-snippet"))
        .refuses(gateway("example.com/server-snippets"))
        .refuses(ingress("convex.icod.de/applied-fields"))
        .refuses(gateway("convex.icod.de/applied-fields"))
}

fn class() -> Case {
    let with = |value: &str| complete().with("dashboard.service.loadBalancerClass", value);
    rule("spec.dashboard.service.loadBalancerClass", "must be a word such as tailscale")
        .accepts(with("example.com/internal"))
        .refuses(with("a b"))
        .refuses(with("/internal"))
}

fn of_the_dashboard() -> Case {
    let with = |key: &str| complete().with("dashboard.service.annotations", json!({key: "x"}));
    rule("spec.dashboard.service", "annotations of convex.icod.de are the operator's own")
        .accepts(with("tailscale.com/tags"))
        .refuses(with("convex.icod.de/applied-fields"))
}

fn host(field: &str) -> Case {
    let with = |value: &str| complete().with(&format!("networking.{field}"), value);
    rule(&format!("spec.networking.{field}"), "must be a host name such as api.example.com")
        .accepts(with("a-1.xn--bcher-kva.example"))
        .refuses(with("https://api.example.com"))
        .refuses(with("api.example.com/path"))
        .refuses(with("api.example.com:443"))
        .refuses(with("*.example.com"))
        .refuses(with("API.example.com"))
        .refuses(with("10.0.0.1"))
        .refuses(with("localhost"))
        .refuses(with("kubernetes.default.svc"))
        .refuses(with("dev.default.svc.cluster.local"))
}

fn origin(field: &str) -> Case {
    let with = |value: &str| complete().with(&format!("networking.{field}"), value);
    rule(&format!("spec.networking.{field}"), "without path or trailing slash")
        .accepts(with("http://127.0.0.1:3210"))
        .refuses(with("https://api.example.com/"))
        .refuses(with("https://user:secret@api.example.com"))
        .refuses(with("api.example.com"))
        .refuses(with("ftp://api.example.com"))
}

fn site_origin() -> Case {
    let with = |value: &str| complete().with("networking.siteOrigin", value);
    rule("spec.networking.siteOrigin", "maybe a port and a path, without trailing slash")
        .accepts(with("https://api.example.com/http"))
        .refuses(with("https://api.example.com/http/"))
        .refuses(with("https://api.example.com/a b"))
}
