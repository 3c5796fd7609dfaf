//! What the operator asks of the API server, counted in its audit log: counts do not flicker.

use std::time::Duration;

use anyhow::{Result, ensure};
use on_cluster::{Instance, Stage, played, stage::records::lines};
use serde_json::json;

const PROVISIONING: usize = 15;
/// Words that are out of date are written after a minute at the latest.
const MINUTE: Duration = Duration::from_secs(70);

#[tokio::test]
async fn provisioning_an_instance_takes_at_most_15_writes_events_included() -> Result<()> {
    played("provisioned", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        let writes = stage.writes()?;
        println!("{} writes:\n{}", writes.len(), lines(&writes));
        ensure!(writes.len() <= PROVISIONING, "{} writes:\n{}", writes.len(), lines(&writes));
        ensure!(writes.iter().all(|it| it.code < 300), "one was refused:\n{}", lines(&writes));
        Ok(())
    })
    .await
}

/// What is waited for changes on the way, and the words for it.
#[tokio::test]
async fn provisioning_takes_no_more_where_the_backend_takes_its_time() -> Result<()> {
    played("slow", async |stage| {
        let slow = json!([{"name": "STANDIN_START_DELAY_MS", "value": "30000"}]);
        stage.served(&Instance::dev("dev").with("backend.env", slow)).await?;
        let writes = stage.writes()?;
        println!("{} writes:\n{}", writes.len(), lines(&writes));
        ensure!(writes.len() <= PROVISIONING, "{} writes:\n{}", writes.len(), lines(&writes));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_minute_of_steady_state_takes_no_write() -> Result<()> {
    played("steady", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        let mark = stage.mark()?;
        tokio::time::sleep(MINUTE).await;
        let asked = stage.requests_since(mark)?;
        let writes = stage.writes_since(mark)?;
        println!("{} reads in a minute:\n{}", asked.len(), lines(&asked));
        ensure!(writes.is_empty(), "{} writes:\n{}", writes.len(), lines(&writes));
        ensure!(asked.len() <= 16, "{} reads in a minute of rest:\n{}", asked.len(), lines(&asked));
        Ok(())
    })
    .await
}

/// The API server writes them in another way than they were given.
#[tokio::test]
async fn quantities_settle_however_they_are_written() -> Result<()> {
    played("amounts", async |stage| {
        let odd = json!({"requests": {"cpu": "1e-1", "memory": "0.05Gi"},
            "limits": {"memory": "1.1234567891Gi", "cpu": "1500000u"}});
        stage.served(&on_cluster::stage::small("dev").with("backend.resources", odd)).await?;
        let mark = stage.mark()?;
        // Longer than any pause between two looks.
        tokio::time::sleep(Duration::from_secs(12)).await;
        let asked = stage.requests_since(mark)?;
        ensure!(!asked.is_empty(), "nobody has looked");
        ensure!(!asked.iter().any(cluster::audit::Entry::is_write), "written:\n{}", lines(&asked));
        Ok(())
    })
    .await
}

/// A touch that changes nothing that is wanted costs nothing and rolls nothing.
#[tokio::test]
async fn labels_and_annotations_on_the_instance_are_no_reason_to_write() -> Result<()> {
    played("touched", async |stage| {
        stage.served(&on_cluster::stage::small("dev")).await?;
        let before = stage.pod("dev").await?.metadata.uid;
        let mark = stage.mark()?;
        touch(stage, "labels").await?;
        touch(stage, "annotations").await?;
        tokio::time::sleep(Duration::from_secs(8)).await;
        let writes = stage.writes_since(mark)?;
        ensure!(writes.is_empty(), "{} writes:\n{}", writes.len(), lines(&writes));
        ensure!(stage.pod("dev").await?.metadata.uid == before, "the pod was rolled");
        Ok(())
    })
    .await
}

async fn touch(stage: &Stage, what: &str) -> Result<()> {
    let patch = serde_json::json!({"metadata": {(what): {"example.org/team": "red"}}});
    stage.merge::<convex_operator::api::ConvexInstance>("dev", patch).await?;
    Ok(())
}
