//! What reaches an instance from outside, by its host names and nothing else.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cluster::{NodeKind, description::Description, wait};
use on_cluster::{Instance, edge, outside::Outside};

use crate::{scene::Scene, story::Story};

const PATIENCE: Duration = Duration::from_mins(1);
const FIELDS: [&str; 3] = ["host", "siteHost", "dashboardHost"];

/// Makes a shared Gateway with a certificate for the hosts of the sample, and a client of theirs; none on a played node.
///
/// # Errors
/// The API server refuses.
pub async fn prepare(scene: &Scene, cluster: &Description) -> Result<Option<Outside>> {
    if cluster.node == NodeKind::Fake {
        return Ok(None);
    }
    let hosts = of_the_sample(scene)?;
    let outside = edge::client(&scene.kubectl, cluster, &scene.namespace, &hosts).await?;
    scene.kubectl.apply(&scene.namespace, &edge::shared().to_string()).await?;
    Ok(Some(outside))
}

/// Asks every host by HTTPS, opens a WebSocket, and carries 64 MiB there and back.
///
/// # Errors
/// One of them does not get through.
pub async fn show(scene: &Scene, outside: Option<&Outside>, story: &mut Story) -> Result<()> {
    let Some(outside) = outside else {
        story.part("hosts", "left out: a played node has no network for a data plane");
        return Ok(());
    };
    story.part("hosts", "through Traefik's Gateway, with TLS, by their names");
    let began = Instant::now();
    let hosts = of_the_sample(scene)?;
    for host in &hosts {
        let leads = || edge::leads(outside, host, true);
        wait::until(&format!("way to {host}"), PATIENCE, &[], leads).await?;
        story.fact(began, &answers(outside, host).await?);
    }
    let [api, ..] = &hosts;
    let told = outside.sync(api).await?;
    story.fact(began, &format!("wss://{api}/api/1.0.0/sync answers {told}"));
    let sent = Instant::now();
    edge::uploaded(outside, api).await?;
    story.fact(sent, "64 MiB uploaded, and the same when they come back");
    Ok(())
}

async fn answers(outside: &Outside, host: &str) -> Result<String> {
    let (secure, plain) =
        (outside.get(host, true, "/").await?, outside.get(host, false, "/").await?);
    let to = plain.location.unwrap_or_default();
    ensure!(to.starts_with(&format!("https://{host}/")), "{host} leads to {to:?}");
    let first: String = secure.body.lines().next().unwrap_or_default().chars().take(50).collect();
    Ok(format!("https://{host}/ {} {first:?}; http is led there ({})", secure.status, plain.status))
}

fn of_the_sample(scene: &Scene) -> Result<[String; 3]> {
    let sample = Instance::from_yaml(&scene.sample)?;
    let networking = &sample.spec()["networking"];
    Ok(FIELDS.map(|field| networking[field].as_str().unwrap_or_default().to_owned()))
}
