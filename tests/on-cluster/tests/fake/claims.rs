//! Whose data is in a claim, and who may have it.

use anyhow::{Result, ensure};
use k8s_openapi::{
    api::{
        core::v1::{PersistentVolumeClaim, Secret, Service},
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use on_cluster::{
    Stage, State, played,
    stage::{PATIENCE, small},
};
use serde_json::json;

#[tokio::test]
async fn what_is_kept_is_taken_over_by_whoever_says_so_and_by_nobody_else() -> Result<()> {
    played("kept", async |stage| {
        stage.ready(&small("dev")).await?;
        let before = stage.marker("dev").await?;
        let secret = stage.secret("dev-instance", "INSTANCE_SECRET").await?;
        stage.deleted("dev").await?;
        stage.create(&small("dev")).await?;
        let state = stage.because("dev", "NameConflict").await?;
        ensure!(state.phase == "Pending", "{state}");
        ensure!(state.message.contains("existingClaim: dev-data"), "how it goes on: {state}");
        stage.deleted("dev").await?;
        let heir = small("dev").with("backend.storage.pvc.existingClaim", "dev-data");
        stage.ready(&heir).await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        ensure!(stage.secret("dev-instance", "INSTANCE_SECRET").await? == secret);
        let key = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        stage.door("dev").await?.accepts(&key).await
    })
    .await
}

/// The way out that docs/operations.md describes, word for word.
#[tokio::test]
async fn a_mistyped_version_is_taken_back_by_telling_the_stamp() -> Result<()> {
    played("mistyped", async |stage| {
        stage.ready(&small("dev")).await?;
        let before = stage.marker("dev").await?;
        let stamp = stage.get::<PersistentVolumeClaim>("dev-data").await?;
        stage.patch("dev", json!({"version": "no-such-version"})).await?;
        stage.because("dev", "ImagePullFailed").await?;
        stage.deleted("dev").await?;
        let mut back = json!({});
        for key in ["version", "image", "opened-by"] {
            let key = format!("convex.icod.de/{key}");
            back[&key] = json!(stamp.annotations().get(&key));
        }
        let told = json!({"metadata": {"annotations": back}});
        stage.merge::<PersistentVolumeClaim>("dev-data", told).await?;
        let again = small("dev").with("backend.storage.pvc.existingClaim", "dev-data");
        stage.ready(&again).await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_claim_is_never_two_instances() -> Result<()> {
    played("inuse", async |stage| {
        stage.ready(&small("dev")).await?;
        let other = small("other").with("backend.storage.pvc.existingClaim", "dev-data");
        stage.create(&other).await?;
        let state = stage.because("other", "ClaimInUse").await?;
        ensure!(state.phase == "Pending", "{state}");
        ensure!(
            state.message.contains("\"dev-data\"") && state.message.contains("\"dev\""),
            "{state}"
        );
        ensure!(stage.pod("other").await.is_err(), "a second backend");
        // Once its instance is gone, the claim may be had, and with it the data, by whoever names its secret too.
        let before = stage.marker("dev").await?;
        stage.deleted("dev").await?;
        let state = stage.because("other", "SecretMissing").await?;
        ensure!(state.message.contains("secretRef to \"dev-instance\""), "{state}");
        stage
            .patch("other", json!({"backend": {"instance": {"secretRef": "dev-instance"}}}))
            .await?;
        stage.settled("other").await?;
        let after = stage.marker("other").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_instances_that_ask_for_one_claim_at_once_are_never_both_served() -> Result<()> {
    played("race", async |stage| {
        claim(stage, "pool").await?;
        let asks = |name| small(name).with("backend.storage.pvc.existingClaim", "pool");
        let (one, two) = (asks("one"), asks("two"));
        tokio::try_join!(stage.create(&one), stage.create(&two))?;
        let over = |state: &State| state.is_settled() || state.reason == "ClaimInUse";
        let decided =
            async |name| stage.follow(name).await?.until("a decision", PATIENCE, over).await;
        let (one, two) = tokio::try_join!(decided("one"), decided("two"))?;
        ensure!(one.reason == "ClaimInUse" || two.reason == "ClaimInUse", "{one}\n{two}");
        let winner = if one.reason == "ClaimInUse" { "two" } else { "one" };
        stage.settled(winner).await?;
        stage.marker(winner).await?;
        let starts = stage.journal("pool").await?;
        ensure!(starts == ["start"], "{starts:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_claim_that_is_named_and_missing_is_waited_for() -> Result<()> {
    played("later", async |stage| {
        let named = small("dev").with("backend.storage.pvc.existingClaim", "pool");
        stage.create(&named).await?;
        let state = stage.because("dev", "ClaimMissing").await?;
        ensure!(state.phase == "Pending" && state.message.contains("\"pool\""), "{state}");
        claim(stage, "pool").await?;
        stage.settled("dev").await?;
        stage.deleted("dev").await?;
        let kept: PersistentVolumeClaim = stage.get("pool").await?;
        ensure!(kept.metadata.deletion_timestamp.is_none(), "it goes");
        Ok(())
    })
    .await
}

/// The class says no, and nothing else of the instance suffers from it.
#[tokio::test]
async fn a_claim_that_cannot_grow_stops_nothing_else_and_grows_once_it_can() -> Result<()> {
    played("fixed", async |stage| {
        let classes = Api::<StorageClass>::all(stage.client());
        let class = stage.namespace().to_owned();
        let like = classes.get("standard").await?;
        let growing = |grows: bool| StorageClass {
            metadata: ObjectMeta { name: Some(class.clone()), ..ObjectMeta::default() },
            allow_volume_expansion: Some(grows),
            ..like.clone()
        };
        classes.create(&PostParams::default(), &growing(false)).await?;
        stage
            .ready(&small("dev").with("backend.storage.pvc.storageClassName", class.clone()))
            .await?;
        stage.patch("dev", json!({"backend": {"storage": {"pvc": {"size": "2Gi"}}}})).await?;
        let state = stage.because("dev", "VolumeResizeRefused").await?;
        ensure!(
            state.phase == "Ready" && state.message.contains("allowVolumeExpansion"),
            "{state}"
        );
        stage.all::<Service>().delete("dev-backend", &DeleteParams::default()).await?;
        stage
            .until("repair", PATIENCE, || async {
                Ok(stage.all::<Service>().get_opt("dev-backend").await?.map(|_| ()))
            })
            .await?;
        stage.patch("dev", json!({"version": "v2"})).await?;
        let upgraded = |state: &State| state.running == "v2" && state.phase == "Ready";
        stage.follow("dev").await?.until("v2", PATIENCE, upgraded).await?;
        let grows = json!({"allowVolumeExpansion": true});
        classes.patch(&class, &PatchParams::default(), &Patch::Merge(&grows)).await?;
        stage.settled("dev").await?;
        classes.delete(&class, &DeleteParams::default()).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn deletion_policy_delete_takes_what_retain_keeps() -> Result<()> {
    played("policies", async |stage| {
        let (goes, stays) = (small("goes").with("deletionPolicy", "Delete"), small("stays"));
        tokio::try_join!(stage.ready(&goes), stage.ready(&stays))?;
        tokio::try_join!(stage.deleted("goes"), stage.deleted("stays"))?;
        let claim: PersistentVolumeClaim = stage.get("stays-data").await?;
        let secret: Secret = stage.get("stays-instance").await?;
        ensure!(claim.labels().contains_key("convex.icod.de/instance-uid"));
        ensure!(secret.labels().contains_key("convex.icod.de/instance-uid"));
        ensure!(claim.owner_references().is_empty() && secret.owner_references().is_empty());
        for left in ["stays-admin", "goes-instance", "goes-admin"] {
            ensure!(stage.all::<Secret>().get_opt(left).await?.is_none(), "{left} stays");
        }
        stage
            .until("end of the claim", PATIENCE, || async {
                let found = stage.all::<PersistentVolumeClaim>().get_opt("goes-data").await?;
                Ok(found.is_none().then_some(()))
            })
            .await
    })
    .await
}

async fn claim(stage: &Stage, name: &str) -> Result<()> {
    let spec = json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    stage.make::<PersistentVolumeClaim>(spec).await?;
    Ok(())
}
