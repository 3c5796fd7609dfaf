//! The operator never asks for what its role does not give it.

use anyhow::{Result, ensure};
use cluster::operator::USER;
use on_cluster::stage::records::lines;

use crate::alone;

/// In all that was ever asked on this cluster, by the tests before this one as well.
#[tokio::test]
async fn nothing_that_the_operator_asked_for_was_beyond_its_role() -> Result<()> {
    alone("role", async |stage| {
        let mut asked = stage.cluster.audit_matching(0, &[USER, "\"forbid\""])?;
        asked.retain(|it| it.user == USER && it.is_beyond_role);
        ensure!(asked.is_empty(), "beyond its role:\n{}", lines(&asked));
        Ok(())
    })
    .await
}
