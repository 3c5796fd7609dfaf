//! Volumes that are full: of a storage class whose volumes have the size that was asked for and not a byte more.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster::storage::LIMITED_CLASS;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use on_cluster::stage::{
    Stage,
    upgrades::{upgraded_by, ways},
};
use serde_json::json;

use crate::stage::played;

const MIB: usize = 1 << 20;
/// Kubelet grows a volume that is in use when it next looks at the pod, which it does every minute or two.
const GROWS_WITHIN: Duration = Duration::from_mins(4);

/// Text that does not get smaller, of so many bytes.
fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let letters = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    });
    let mut text: String = letters.take(bytes / 16).collect();
    text.truncate(bytes);
    text
}

/// Waits until a claim whose volume is in use has the size that it asks for.
async fn grown(stage: &Stage, claim: &str, size: &str) -> Result<()> {
    stage
        .until("the volume's new size", GROWS_WITHIN, || async {
            let claim: PersistentVolumeClaim = stage.get(claim).await?;
            let capacity = claim.status.and_then(|it| it.capacity?.remove("storage"));
            Ok(capacity.filter(|it| it.0 == size).map(drop))
        })
        .await
}

#[tokio::test]
async fn an_export_that_its_claim_has_no_room_for_is_kept_once_the_claim_has_grown() -> Result<()> {
    played("small-claim", async |stage| {
        let mut asked = ways::export();
        asked["snapshots"] = json!({"size": "1Mi", "storageClassName": LIMITED_CLASS});
        asked["exportDeadlineSeconds"] = 45.into();
        stage.ready(&upgraded_by(asked)).await?;
        let data = stage.fill("dev").await?;
        stage.door("dev").await?.keep(&noise(4 * MIB)).await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.degrades("dev", "ExportFailed").await?;
        ensure!(state.message.contains("NoRoom") && state.running == "v1", "{state}");
        ensure!(state.message.contains("maintenance.snapshots.size"), "what to do: {state}");
        stage.serves_on(&data).await?;
        stage.patch("dev", json!({"maintenance": {"snapshots": {"size": "16Mi"}}})).await?;
        stage.retry("dev", "1").await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}

#[tokio::test]
async fn a_volume_that_is_full_cannot_be_held_and_is_copied_once_its_size_was_raised() -> Result<()>
{
    played("full", async |stage| {
        let mut asked = ways::copy();
        asked["exportDeadlineSeconds"] = 30.into();
        let limited = upgraded_by(asked)
            .with("backend.storage.pvc.storageClassName", LIMITED_CLASS)
            .with("backend.storage.pvc.size", "8Mi");
        stage.ready(&limited).await?;
        let data = stage.fill("dev").await?;
        let door = stage.door("dev").await?;
        let mut kept = 0;
        while kept < 64 && door.keep(&noise(MIB / 2)).await.is_ok() {
            kept += 1;
        }
        ensure!(kept < 64, "the volume is never full");
        stage.patch("dev", json!({"version": "v2"})).await?;
        let state = stage.degrades("dev", "HoldRefused").await?;
        ensure!(state.running == "v1", "{state}");
        ensure!(state.message.contains("backend.storage.pvc.size"), "what to do: {state}");
        stage.has_all("dev", &data).await?;
        let larger = json!({"backend": {"storage": {"pvc": {"size": "32Mi"}}}});
        stage.patch("dev", larger).await?;
        grown(stage, "dev-data", "32Mi").await?;
        stage.retry("dev", "1").await?;
        stage.ends_well(&data, "v2").await
    })
    .await
}
