//! Rules on hosts, URLs and Gateways.

use on_cluster::{Case, rule};

use crate::{complete, everywhere};

pub fn cases() -> Vec<Case> {
    let names = everywhere(
        &[
            "networking.tlsSecretRef",
            "networking.gatewayClassName",
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
    [names, hosts.to_vec(), origins.to_vec(), vec![site_origin()]].concat()
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
