//! Volumes that are full, on a kubelet's own terms: it grows one only when it next looks at the pod.

use anyhow::Result;

use crate::stage::played;

#[tokio::test]
async fn an_export_that_its_claim_has_no_room_for_is_kept_once_the_claim_has_grown() -> Result<()> {
    played("small-claim", async |stage| stage.is_exported_once_there_is_room().await).await
}

#[tokio::test]
async fn a_volume_that_is_full_cannot_be_held_and_is_copied_once_its_size_was_raised() -> Result<()>
{
    played("full", async |stage| stage.is_copied_once_there_is_room().await).await
}
