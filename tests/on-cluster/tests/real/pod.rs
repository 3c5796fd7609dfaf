//! What the backend's pod is allowed, and what it is given.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{Pod, Volume};
use on_cluster::Stage;

use crate::stage::{played, small};

#[tokio::test]
async fn the_backend_runs_as_a_user_without_rights_and_without_a_token() -> Result<()> {
    played("pod", async |stage| {
        stage.ready(&small("dev")).await?;
        let pod = stage.pod("dev").await?;
        has_these_volumes_and_no_others(&pod)?;
        let uid = inside(stage, &["id", "-u"]).await?;
        ensure!(uid.trim() == "1001", "it runs as {uid}");
        let token = inside(stage, &["ls", "/var/run/secrets/kubernetes.io/serviceaccount"]).await;
        ensure!(token.is_err(), "a token is mounted: {token:?}");
        let owner = inside(stage, &["ls", "-ldn", "/convex/data"]).await?;
        ensure!(owner.contains(" 1001 "), "the data belongs to somebody else: {owner}");
        let status = inside(stage, &["cat", "/proc/1/status"]).await?;
        for fact in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000"] {
            ensure!(status.contains(fact), "{fact:?} is not so:\n{status}");
        }
        Ok(())
    })
    .await
}

/// As the image is, with root and without a single capability; the namespace has to allow root.
#[tokio::test]
async fn the_image_runs_as_it_is_where_the_spec_says_so() -> Result<()> {
    on_cluster::played("image", async |stage| {
        let image = small("dev").with("backend.security.profile", "Image");
        stage.ready(&image).await?;
        let uid = inside(stage, &["id", "-u"]).await?;
        ensure!(uid.trim() == "0", "it runs as {uid}");
        let status = inside(stage, &["cat", "/proc/1/status"]).await?;
        ensure!(status.contains("CapEff:\t0000000000000000"), "it has capabilities:\n{status}");
        let key = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        stage.door("dev").await?.accepts(&key).await
    })
    .await
}

fn has_these_volumes_and_no_others(pod: &Pod) -> Result<()> {
    let spec = pod.spec.as_ref().context("a pod has a spec")?;
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    let kinds: BTreeSet<_> = volumes.iter().map(|it| (it.name.as_str(), kind(it))).collect();
    let wanted = [
        ("copy", "emptyDir"),
        ("credentials", "emptyDir"),
        ("data", "claim dev-data"),
        ("tmp", "emptyDir"),
    ];
    ensure!(kinds == wanted.map(|(name, kind)| (name, kind.to_owned())).into(), "{kinds:?}");
    let container = spec.containers.first().context("a pod has a container")?;
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let data = mounts.iter().find(|it| it.name == "data").map(|it| it.mount_path.as_str());
    ensure!(data == Some("/convex/data"), "the data is mounted at {data:?}");
    Ok(())
}

fn kind(volume: &Volume) -> String {
    match (&volume.persistent_volume_claim, &volume.empty_dir) {
        (Some(claim), _) => format!("claim {}", claim.claim_name),
        (None, Some(_)) => "emptyDir".to_owned(),
        (None, None) => format!("{volume:?}"),
    }
}

async fn inside(stage: &Stage, command: &[&str]) -> Result<String> {
    let exec = ["exec", "--namespace", stage.namespace(), "dev-backend-0", "--"];
    stage.kubectl.run(&[&exec[..], command].concat()).await
}
