//! What the backend's pod is allowed, and what it is given.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use cluster::images::{BACKEND, FOREIGN};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{EmptyDirVolumeSource, Pod, Volume},
};
use on_cluster::{Stage, stage::PATIENCE};
use serde_json::json;

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

/// What opens the data is what the container `prepare` has brought, from an image of its own: whoever edits that of the
/// backend's container gets another root filesystem, and no other backend. Here without a gate, so that nothing else stops it.
#[tokio::test]
async fn an_image_that_was_edited_by_hand_brings_no_other_program() -> Result<()> {
    played("edited", async |stage| {
        stage.ready(&small("dev").with("version", "v1")).await?;
        let set: StatefulSet = stage.get("dev-backend").await?;
        let template = set.spec.context("a StatefulSet has a spec")?.template;
        let mut spec = template.spec.context("a template has a spec")?;
        let first = spec.init_containers.get_or_insert_default();
        first.retain(|it| it.name == "prepare");
        ensure!(first.len() == 1, "nothing is prepared");
        spec.containers[0].image = Some(format!("{BACKEND}:{FOREIGN}"));
        for volume in spec.volumes.iter_mut().flatten().filter(|it| it.name == "data") {
            *volume = Volume {
                name: "data".to_owned(),
                empty_dir: Some(EmptyDirVolumeSource::default()),
                ..Volume::default()
            };
        }
        let edited = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "edited"}, "spec": spec});
        stage.make::<Pod>(edited.clone()).await?;
        ensure!(version(stage, "edited").await? == "v1", "the image of the container runs");
        let mut other = edited;
        other["metadata"]["name"] = "other".into();
        other["spec"]["initContainers"][0]["image"] = format!("{BACKEND}:{FOREIGN}").into();
        stage.make::<Pod>(other).await?;
        let of_prepare = version(stage, "other").await?;
        ensure!(of_prepare == FOREIGN, "this test cannot fail: {of_prepare}");
        Ok(())
    })
    .await
}

async fn version(stage: &Stage, pod: &str) -> Result<String> {
    let answers = async || {
        let pod: Pod = stage.get(pod).await?;
        let Ok(door) = stage.enter(&pod).await else { return Ok(None) };
        Ok(door.version().await.ok())
    };
    stage.until("an answer", PATIENCE, answers).await
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
