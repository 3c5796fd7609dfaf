//! What is left of an upgrade to be looked at: Events, exports and stores.

use anyhow::{Context, Result};
use convex_operator::api::ConvexInstance;
use k8s_openapi::api::events::v1::Event;
use kube::{Api, api::ListParams};

use super::instance::short;
use crate::{scene::Scene, story::Story};

/// Tells what the cluster knows of the upgrades of this instance.
///
/// # Errors
/// The API server does not answer.
pub async fn tell(scene: &Scene, story: &mut Story) -> Result<()> {
    story.part("left", "Events, and what the status lists as kept");
    let events = Api::<Event>::namespaced(scene.client.clone(), &scene.namespace);
    let mut events = events.list(&ListParams::default()).await?.items;
    events.retain(|it| {
        it.regarding.as_ref().and_then(|it| it.kind.as_deref()) == Some("ConvexInstance")
    });
    events.sort_by_key(|it| it.event_time.as_ref().map(|time| time.0));
    let told = |it: Event| {
        let words = [it.type_, it.reason, it.note].map(Option::unwrap_or_default);
        let [kind, reason, note] = words;
        println!("          {kind:<8} {reason:<17} {note}");
    };
    let first = events.iter().position(|it| it.reason.as_deref() == Some("UpgradeStarted"));
    events.into_iter().skip(first.unwrap_or_default()).for_each(told);
    stores(scene).await
}

async fn stores(scene: &Scene) -> Result<()> {
    let instances = Api::<ConvexInstance>::namespaced(scene.client.clone(), &scene.namespace);
    let status = instances.get(scene.name()).await?.status.context("a status")?;
    for it in status.snapshots {
        let (id, version, at) = (it.id, short(&it.version), it.location);
        let (documents, files, bytes) = (it.documents, it.files, it.bytes);
        println!(
            "          status.snapshots: {id} of {version}, {documents} documents, {files} files, {bytes} bytes, {at}"
        );
    }
    for it in status.stores {
        let version = it.version.unwrap_or_default();
        println!("          status.stores: claim {}, last opened by {}", it.claim, short(&version));
    }
    Ok(())
}
