//! The instance goes, and its data stays.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret};
use kube::{Api, api::ListParams};

use crate::{
    scene::{Phases, Scene},
    story::Story,
};

const GONE: Duration = Duration::from_mins(2);

/// Deletes the instance, and looks at what its deletion policy keeps.
///
/// # Errors
/// It does not go in time, a pod is left, or the data is not.
pub async fn delete(scene: &Scene, story: &mut Story) -> Result<()> {
    let name = scene.name();
    story.part("delete", &format!("kubectl delete cvx {name}"));
    let mut follower = scene.follow().await?;
    let asked = Instant::now();
    let mut phases = Phases::after("Ready", story, asked);
    let command = ["delete", "cvx", name, "--wait=false"];
    let (sent, gone) =
        tokio::join!(scene.kubectl(&command), follower.gone(GONE, |state| phases.see(state)));
    sent?;
    gone?;
    let took = crate::story::seconds(asked.elapsed());
    let (client, namespace) = (scene.client.clone(), &scene.namespace);
    let writers = ListParams::default().labels("app.kubernetes.io/component=backend");
    let pods = Api::<Pod>::namespaced(client.clone(), namespace).list(&writers).await?;
    ensure!(pods.items.is_empty(), "the instance is gone and its backend is not");
    let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), namespace);
    claims.get(&format!("{name}-data")).await?;
    Api::<Secret>::namespaced(client, namespace).get(&format!("{name}-instance")).await?;
    let kept = format!("claim {name}-data and Secret {name}-instance kept (deletionPolicy Retain)");
    story.fact(asked, &format!("instance gone after {took}, {kept}"));
    Ok(())
}
