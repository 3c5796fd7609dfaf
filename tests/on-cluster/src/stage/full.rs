//! Volumes that are full: of a storage class whose volumes have the size that was asked for and not a byte more. Who mounts them
//! has to be root.

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster::storage::LIMITED_CLASS;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::{Value, json};

use super::{
    Stage,
    data::Data,
    upgrades::{upgraded_by, ways},
};

const MIB: usize = 1 << 20;
/// Kubelet grows a volume that is in use when it next looks at the pod, which it does every minute or two.
const GROWS_WITHIN: Duration = Duration::from_mins(4);

impl Stage {
    /// An instance of version v1 with data, upgraded like this, on whose volume there is no room for another byte.
    ///
    /// # Errors
    /// It does not get ready, or its volume never gets full.
    pub async fn filled_up(&self, maintenance: Value) -> Result<Data> {
        let limited = upgraded_by(maintenance)
            .with("backend.storage.pvc.storageClassName", LIMITED_CLASS)
            .with("backend.storage.pvc.size", "8Mi");
        self.ready(&limited).await?;
        let data = self.fill("dev").await?;
        let door = self.door("dev").await?;
        let mut kept = 0;
        while kept < 64 && door.keep(&noise(MIB / 2)).await.is_ok() {
            kept += 1;
        }
        ensure!(kept < 64, "the volume is never full");
        Ok(data)
    }

    /// Asks for a larger volume, and waits until it is there.
    ///
    /// # Errors
    /// It is refused, or does not grow in time.
    pub async fn makes_room(&self) -> Result<()> {
        let larger = json!({"backend": {"storage": {"pvc": {"size": "32Mi"}}}});
        self.patch("dev", larger).await?;
        self.until("the volume's new size", GROWS_WITHIN, || async {
            let claim: PersistentVolumeClaim = self.get("dev-data").await?;
            let capacity = claim.status.and_then(|it| it.capacity?.remove("storage"));
            Ok(capacity.filter(|it| it.0 == "32Mi").map(drop))
        })
        .await
    }

    /// Upgrades with a copy where the volume is full, first in vain and then with more room.
    ///
    /// # Errors
    /// It is not told, or something is lost.
    pub async fn is_copied_once_there_is_room(&self) -> Result<()> {
        let mut asked = ways::copy();
        asked["exportDeadlineSeconds"] = 30.into();
        let data = self.filled_up(asked).await?;
        self.patch("dev", json!({"version": "v2"})).await?;
        let state = self.degrades("dev", "HoldRefused").await?;
        ensure!(state.running == "v1", "{state}");
        ensure!(state.message.contains("backend.storage.pvc.size"), "what to do: {state}");
        self.has_all("dev", &data).await?;
        self.makes_room().await?;
        self.retry("dev", "1").await?;
        self.ends_well(&data, "v2").await
    }

    /// Upgrades with an export where its claim is too small, first in vain and then with more room.
    ///
    /// # Errors
    /// It is not told, or something is lost.
    pub async fn is_exported_once_there_is_room(&self) -> Result<()> {
        let mut asked = ways::export();
        asked["snapshots"] = json!({"size": "1Mi", "storageClassName": LIMITED_CLASS});
        asked["exportDeadlineSeconds"] = 45.into();
        self.ready(&upgraded_by(asked)).await?;
        let data = self.fill("dev").await?;
        self.door("dev").await?.keep(&noise(4 * MIB)).await?;
        self.patch("dev", json!({"version": "v2"})).await?;
        let state = self.degrades("dev", "ExportFailed").await?;
        ensure!(state.message.contains("NoRoom") && state.running == "v1", "{state}");
        ensure!(state.message.contains("maintenance.snapshots.size"), "what to do: {state}");
        self.serves_on(&data).await?;
        self.patch("dev", json!({"maintenance": {"snapshots": {"size": "16Mi"}}})).await?;
        self.retry("dev", "1").await?;
        self.ends_well(&data, "v2").await
    }
}

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
