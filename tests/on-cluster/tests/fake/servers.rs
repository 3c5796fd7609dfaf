//! The sample for production on real servers, counted: what it takes to get there, and at rest.

use std::time::Duration;

use anyhow::{Result, ensure};
use on_cluster::{Beside, Instance, Stage, played, stage::records::lines};

/// Events included.
const PROVISIONING: usize = 16;
/// Longer than any pause between two looks.
const LOOK: Duration = Duration::from_secs(35);
const SAMPLE: &str = include_str!("../../../../docs/samples/prod.yaml");

#[tokio::test]
async fn the_sample_for_production_without_hosts_takes_at_most_16_writes_and_none_at_rest()
-> Result<()> {
    played("prod", async |stage| {
        let beside = Beside::start(stage.cluster.description()).await?;
        beside.hand_over(&stage.kubectl, stage.namespace()).await?;
        // No Gateway API is here: what hosts take is counted on a real node.
        stage.ready(&Instance::from_yaml(SAMPLE)?.without("networking")).await?;
        stage.rest().await?;
        let writes = stage.writes()?;
        println!("{} writes:\n{}", writes.len(), lines(&writes));
        ensure!(writes.len() <= PROVISIONING, "{} writes:\n{}", writes.len(), lines(&writes));
        ensure!(writes.iter().all(|it| it.code < 300), "one was refused:\n{}", lines(&writes));
        rests(stage).await
    })
    .await
}

async fn rests(stage: &Stage) -> Result<()> {
    let mark = stage.mark()?;
    tokio::time::sleep(LOOK).await;
    ensure!(!stage.requests_since(mark)?.is_empty(), "nobody has looked");
    let writes = stage.writes_since(mark)?;
    ensure!(writes.is_empty(), "{} writes:\n{}", writes.len(), lines(&writes));
    Ok(())
}
