//! An instance behind a real data plane of the Gateway API: what gets through to it from outside, and what is told where nothing
//! does.

use std::net::IpAddr;

use anyhow::{Result, ensure};
use cluster::{
    gateway::{CLASS, HTTP_PORT, HTTPS_PORT},
    pki::Authority,
};
use http::StatusCode;
use k8s_openapi::api::core::v1::Secret;
use on_cluster::{
    Instance, Stage,
    outside::Outside,
    stage::{PATIENCE, small},
};
use serde_json::{Value, json};

use crate::stage::played;

const MIB: usize = 1024 * 1024;

/// The hosts of one test: the data plane has those of all of them.
struct Hosts([String; 3]);

impl Hosts {
    fn of(stage: &Stage) -> Self {
        Self(["api", "site", "dashboard"].map(|it| format!("{it}.{}.example", stage.namespace())))
    }

    fn networking(&self, way: Value) -> Value {
        let [host, site, dashboard] = &self.0;
        let mut networking = way;
        networking["host"] = json!(host);
        networking["siteHost"] = json!(site);
        networking["dashboardHost"] = json!(dashboard);
        networking
    }
}

fn exposed(networking: Value) -> Instance {
    small("dev")
        .with("version", "v1")
        .with("dashboard.enabled", true)
        .with("networking", networking)
}

/// A certificate for the hosts in Secret `certificate`, and a client that trusts who signed it.
async fn client(stage: &Stage, hosts: &Hosts) -> Result<Outside> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::create(folder.path())?;
    let pair = authority.server_for("hosts", &hosts.0)?;
    let secret = json!({"metadata": {"name": "certificate"}, "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": pair.certificate, "tls.key": pair.key}});
    stage.make::<Secret>(secret).await?;
    let address = IpAddr::V4(stage.cluster.description().addresses.control_plane);
    let names: Vec<_> = hosts.0.iter().map(String::as_str).collect();
    Outside::of(address, [HTTP_PORT, HTTPS_PORT], authority.certificate(), &names)
}

/// A Gateway that somebody else looks after.
fn shared() -> Value {
    let all = json!({"namespaces": {"from": "Same"}});
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
    "metadata": {"name": "public"},
    "spec": {"gatewayClassName": CLASS, "listeners": [
        {"name": "web", "protocol": "HTTP", "port": HTTP_PORT, "allowedRoutes": all},
        {"name": "websecure", "protocol": "HTTPS", "port": HTTPS_PORT, "allowedRoutes": all,
            "tls": {"certificateRefs": [{"name": "certificate"}]}},
    ]}})
}

#[tokio::test]
async fn http_https_websockets_and_uploads_get_through_a_shared_gateway() -> Result<()> {
    played("gateway", async |stage| {
        let hosts = Hosts::of(stage);
        let outside = client(stage, &hosts).await?;
        stage.apply(&shared()).await?;
        stage
            .create(&exposed(hosts.networking(json!({"parentRefs": [{"name": "public"}]}))))
            .await?;
        stage.exposed("dev").await?;
        let [api, site, dashboard] = &hosts.0;
        let endpoints = stage.status("dev").await?.endpoints;
        let told = endpoints.and_then(|it| it.api_url);
        ensure!(told.as_deref() == Some(&format!("https://{api}")), "{told:?}");
        // The data plane tells that it has taken a route a moment before it leads anywhere.
        for (host, tls) in [(api, false), (api, true), (site, true), (dashboard, true)] {
            stage.until(&format!("a way to {host}"), PATIENCE, || led(&outside, host, tls)).await?;
        }
        let plain = outside.get(api, false, "/version?a=b").await?;
        let moved = format!("https://{api}/version?a=b");
        ensure!(plain.status == StatusCode::MOVED_PERMANENTLY, "{plain:?}");
        ensure!(plain.location.as_deref() == Some(&moved), "{plain:?}");
        let version = outside.get(api, true, "/version").await?;
        ensure!(version.status == StatusCode::OK && version.body == "v1", "{version:?}");
        let action = outside.get(site, true, "/any/action").await?;
        ensure!(action.body == "This deployment has no HTTP actions.", "{action:?}");
        let page = outside.get(dashboard, true, "/").await?;
        ensure!(page.status == StatusCode::OK, "{page:?}");
        ensure!(outside.sync(api).await? == "Transition");
        uploaded(&outside, api).await
    })
    .await
}

/// Whether the data plane knows the host, and where it leads.
async fn led(outside: &Outside, host: &str, tls: bool) -> Result<Option<()>> {
    let answer = outside.get(host, tls, "/").await?;
    let unknown = answer.body == "404 page not found\n" || answer.status.is_server_error();
    Ok((!unknown).then_some(()))
}

/// 64 MiB, and they are the same when they come back.
async fn uploaded(outside: &Outside, host: &str) -> Result<()> {
    let sent: Vec<u8> = (0..64 * MIB).map(|at| b'a' + u8::try_from(at % 23).unwrap_or(0)).collect();
    let kept = outside.post(host, "/stand-in/files", sent.clone()).await?;
    ensure!(kept.status == StatusCode::OK, "{kept:?}");
    let kept: Value = serde_json::from_str(&kept.body)?;
    let path = format!("/stand-in/files/{}", kept["id"].as_str().unwrap_or_default());
    let back = outside.get(host, true, &path).await?;
    ensure!(back.status == StatusCode::OK && back.body.as_bytes() == sent, "{}", back.status);
    Ok(())
}

#[tokio::test]
async fn a_route_that_is_rejected_is_told_with_what_to_write_and_heals() -> Result<()> {
    played("rejected", async |stage| {
        let hosts = Hosts::of(stage);
        client(stage, &hosts).await?;
        let mut gateway = shared();
        for listener in [0, 1] {
            let nobody = json!({"namespaces": {"from": "Selector",
                "selector": {"matchLabels": {"nobody": "has-this"}}}});
            gateway["spec"]["listeners"][listener]["allowedRoutes"] = nobody;
        }
        stage.apply(&gateway).await?;
        let parents = json!({"parentRefs": [{"name": "public"}]});
        stage.create(&exposed(hosts.networking(parents))).await?;
        let exposed = stage.condition_when("dev", "Exposed", "NotAllowedByListeners").await?;
        let remedy = format!("kubernetes.io/metadata.name: {}", stage.namespace());
        ensure!(exposed.message.contains(&remedy), "{exposed:?}");
        stage.condition_when("dev", "Available", "Serving").await?;
        stage.apply(&shared()).await?;
        stage.exposed("dev").await
    })
    .await
}

#[tokio::test]
async fn a_parent_that_does_not_exist_is_found_out_and_heals_once_it_does() -> Result<()> {
    played("parentless", async |stage| {
        let hosts = Hosts::of(stage);
        client(stage, &hosts).await?;
        let parents = json!({"parentRefs": [{"name": "public"}]});
        stage.create(&exposed(hosts.networking(parents))).await?;
        stage.condition_when("dev", "Exposed", "ParentGatewayNotFound").await?;
        stage.apply(&shared()).await?;
        stage.exposed("dev").await
    })
    .await
}
