//! An instance behind a real data plane of the Gateway API: what gets through to it from outside, and what is told where nothing
//! does.

use anyhow::{Result, ensure};
use http::StatusCode;
use on_cluster::{
    Instance, Stage, edge,
    outside::Outside,
    stage::{PATIENCE, small},
};
use serde_json::{Value, json};

use crate::stage::played;

/// The hosts of one test: the data plane has those of all of them.
pub struct Hosts(pub [String; 3]);

impl Hosts {
    pub fn of(stage: &Stage) -> Self {
        Self(["api", "site", "dashboard"].map(|it| format!("{it}.{}.example", stage.namespace())))
    }

    pub fn networking(&self, way: Value) -> Value {
        let [host, site, dashboard] = &self.0;
        let mut networking = way;
        networking["host"] = json!(host);
        networking["siteHost"] = json!(site);
        networking["dashboardHost"] = json!(dashboard);
        networking
    }
}

pub fn exposed(networking: Value) -> Instance {
    small("dev")
        .with("version", "v1")
        .with("dashboard.enabled", true)
        .with("networking", networking)
}

pub async fn client(stage: &Stage, hosts: &Hosts) -> Result<Outside> {
    edge::client(&stage.kubectl, stage.cluster.description(), stage.namespace(), &hosts.0).await
}

#[tokio::test]
async fn http_https_websockets_and_uploads_get_through_a_shared_gateway() -> Result<()> {
    played("gateway", async |stage| {
        let hosts = Hosts::of(stage);
        let outside = client(stage, &hosts).await?;
        stage.apply(&edge::shared()).await?;
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
            stage
                .until(&format!("a way to {host}"), PATIENCE, || edge::leads(&outside, host, tls))
                .await?;
        }
        let plain = outside.get(api, false, "/version?a=b").await?;
        let moved = format!("https://{api}/version?a=b");
        ensure!(plain.status == StatusCode::MOVED_PERMANENTLY, "{plain:?}");
        ensure!(plain.location.as_deref() == Some(&moved), "{plain:?}");
        gets_through(&outside, &hosts).await
    })
    .await
}

/// Each host leads to its part, a WebSocket is answered, and 64 MiB come back as they were sent.
pub async fn gets_through(outside: &Outside, hosts: &Hosts) -> Result<()> {
    let [api, site, dashboard] = &hosts.0;
    let version = outside.get(api, true, "/version").await?;
    ensure!(version.status == StatusCode::OK && version.body == "v1", "{version:?}");
    let action = outside.get(site, true, "/any/action").await?;
    ensure!(action.body == "This deployment has no HTTP actions.", "{action:?}");
    let page = outside.get(dashboard, true, "/").await?;
    ensure!(page.status == StatusCode::OK, "{page:?}");
    ensure!(outside.sync(api).await? == "Transition");
    edge::uploaded(outside, api).await
}

#[tokio::test]
async fn a_route_that_is_rejected_is_told_with_what_to_write_and_heals() -> Result<()> {
    played("rejected", async |stage| {
        let hosts = Hosts::of(stage);
        client(stage, &hosts).await?;
        let mut gateway = edge::shared();
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
        stage.apply(&edge::shared()).await?;
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
        stage.apply(&edge::shared()).await?;
        stage.exposed("dev").await
    })
    .await
}
