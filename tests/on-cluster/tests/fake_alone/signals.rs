//! SIGTERM: what is being written is written to its end, and the next operator goes on from there.

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use on_cluster::stage::{records::lines, small};

use crate::{END, alone, process::Operator};

const CROWD: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

#[tokio::test]
async fn an_operator_that_is_told_to_end_while_it_provisions_ends_well_and_the_next_goes_on()
-> Result<()> {
    alone("midway", async |stage| {
        try_join_all(CROWD.map(|name| async move { stage.create(&small(name)).await })).await?;
        stage.phase("a", "Provisioning").await?;
        let ended = stage.cluster.stop_operator().await?;
        println!("in the middle of provisioning it took {:?} to end", ended.took);
        ensure!(ended.code == Some(0) && ended.took < END, "{ended:?}");
        let mark = stage.mark()?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let late = stage.requests_since(mark)?;
        ensure!(late.is_empty(), "after its end:\n{}", lines(&late));
        stage.cluster.start_operator().await?;
        for name in CROWD {
            stage.settled(name).await?;
            ensure!(stage.marker(name).await?.starts == 1, "{name} was started twice");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_operator_that_is_told_to_end_right_after_its_start_ends_well() -> Result<()> {
    alone("early", async |stage| {
        for _ in 0..3 {
            let ended = stage.cluster.stop_operator().await?;
            println!("right after its start it took {:?} to end", ended.took);
            ensure!(ended.code == Some(0) && ended.took < END, "{ended:?}");
            stage.cluster.start_operator().await?;
        }
        Ok(())
    })
    .await
}

/// Its place is not the only one where the signal may come: also before it has the lease.
#[tokio::test]
async fn an_operator_that_waits_for_the_lease_ends_well_and_at_once() -> Result<()> {
    alone("waiting", async |stage| {
        let mut second = Operator::start(stage, "second")?;
        let written = std::time::Duration::from_secs(2);
        tokio::time::sleep(written).await;
        second.lives()?;
        let (status, took) = second.stop().await?;
        ensure!(status.code() == Some(0) && took < END, "{status} after {took:?}");
        Ok(())
    })
    .await
}
