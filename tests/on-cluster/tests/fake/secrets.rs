//! Keys that people bring, spoil and lose: what is said names the key and never its value, and it heals by itself.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use on_cluster::{
    Instance, Stage, State, played,
    stage::{Object, PATIENCE, small},
};
use serde_json::{Value, json};

/// 64 hexadecimal digits that stand in no other text; only its first half is looked for where it was spoilt.
const SECRET: &str = "00c0ffee5eac0de5facade0feedbacc0ab1eca5cadecafe0ba5eba11decade01";
const CANARY: &str = "00c0ffee5eac0de5facade0feedbacc0";

fn adopting(name: &str, secret: &str) -> Instance {
    small(name).with("backend.instance", json!({"name": "orders", "secretRef": secret}))
}

fn holder(name: &str, key: &str, value: &str) -> Value {
    json!({"metadata": {"name": name}, "stringData": {(key): value}})
}

#[tokio::test]
async fn a_secret_that_is_missing_is_waited_for_and_used_once_it_is_there() -> Result<()> {
    played("missing", async |stage| {
        stage.create(&adopting("dev", "sealed")).await?;
        let state = stage.because("dev", "SecretMissing").await?;
        ensure!(state.phase == "Pending", "{state}");
        says(&state, &["\"sealed\"", "\"INSTANCE_SECRET\"", stage.namespace()])?;
        nothing_is_made(stage)?;
        stage.make::<Secret>(holder("sealed", "INSTANCE_SECRET", SECRET)).await?;
        stage.settled("dev").await?;
        is_never_told(stage).await
    })
    .await
}

#[tokio::test]
async fn an_existing_deployments_secret_is_adopted_and_no_other_is_made() -> Result<()> {
    played("adopted", async |stage| {
        let made: Secret = stage.make(holder("theirs", "secret", SECRET)).await?;
        let instance = adopting("dev", "theirs").with("backend.instance.secretKey", "secret");
        stage.ready(&instance).await?;
        let key = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        ensure!(key.starts_with("orders|"), "the key is of another instance");
        stage.door("dev").await?.accepts(&key).await?;
        ensure!(stage.all::<Secret>().get_opt("dev-instance").await?.is_none(), "another was made");
        is_untouched(stage, &made).await?;
        stage.deleted("dev").await?;
        is_untouched(stage, &made).await?;
        is_never_told(stage).await
    })
    .await
}

#[tokio::test]
async fn a_wrong_key_is_named_beside_the_keys_that_are_there() -> Result<()> {
    played("wrongkey", async |stage| {
        stage.make::<Secret>(holder("sealed", "INSTANCE_SECERT", SECRET)).await?;
        stage.create(&adopting("dev", "sealed")).await?;
        let state = stage.because("dev", "SecretKeyMissing").await?;
        ensure!(state.phase == "Pending", "{state}");
        says(&state, &["\"INSTANCE_SECRET\"", "INSTANCE_SECERT"])?;
        stage.merge::<Secret>("sealed", json!({"stringData": {"INSTANCE_SECRET": SECRET}})).await?;
        stage.settled("dev").await?;
        is_never_told(stage).await
    })
    .await
}

#[tokio::test]
async fn an_empty_secret_is_invalid_until_it_is_mended() -> Result<()> {
    invalid("empty", json!({"stringData": {"INSTANCE_SECRET": ""}}), "is empty").await
}

#[tokio::test]
async fn a_binary_secret_is_invalid_until_it_is_mended() -> Result<()> {
    invalid("binary", json!({"data": {"INSTANCE_SECRET": "AP/+gIE="}}), "").await
}

#[tokio::test]
async fn a_secret_that_ends_in_a_newline_is_invalid_until_it_is_mended() -> Result<()> {
    let value = format!("{SECRET}\n");
    invalid("newline", json!({"stringData": {"INSTANCE_SECRET": value}}), "newline").await
}

#[tokio::test]
async fn a_secret_that_is_too_short_is_invalid_until_it_is_mended() -> Result<()> {
    let spoilt = json!({"stringData": {"INSTANCE_SECRET": CANARY}});
    invalid("short", spoilt, "32 characters").await
}

async fn invalid(test: &str, spoilt: Value, why: &str) -> Result<()> {
    played(test, async |stage| {
        let mut manifest = spoilt;
        manifest["metadata"] = json!({"name": "sealed"});
        stage.make::<Secret>(manifest).await?;
        stage.create(&adopting("dev", "sealed")).await?;
        let state = stage.because("dev", "SecretInvalid").await?;
        ensure!(state.phase == "Pending", "{state}");
        says(&state, &["\"sealed\"", "\"INSTANCE_SECRET\"", why])?;
        nothing_is_made(stage)?;
        stage.merge::<Secret>("sealed", json!({"stringData": {"INSTANCE_SECRET": SECRET}})).await?;
        stage.settled("dev").await?;
        is_never_told(stage).await
    })
    .await
}

#[tokio::test]
async fn a_lost_instance_secret_is_never_invented_anew_and_the_backend_keeps_running() -> Result<()>
{
    played("lost", async |stage| {
        stage.ready(&small("dev")).await?;
        let (before, pod) = (stage.get::<Secret>("dev-instance").await?, stage.pod("dev").await?);
        stage.remove::<Secret>("dev-instance").await?;
        let state = stage.phase("dev", "Degraded").await?;
        ensure!(state.reason == "SecretLost", "{state}");
        says(&state, &["\"dev-instance\""])?;
        ensure!(stage.all::<Secret>().get_opt("dev-instance").await?.is_none(), "it was invented");
        let still = stage.pod("dev").await?;
        ensure!(still.uid() == pod.uid(), "the backend was touched");
        stage.door("dev").await?.version().await?;
        let restored = json!({"metadata": {"name": "dev-instance", "labels": before.metadata.labels},
            "data": before.data});
        stage.make::<Secret>(restored).await?;
        let state = stage.settled("dev").await?;
        ensure!(state.phase == "Ready", "{state}");
        ensure!(stage.pod("dev").await?.uid() == pod.uid(), "the backend was rolled");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_secret_restored_without_its_labels_is_somebody_elses_and_told_so() -> Result<()> {
    played("bare", async |stage| {
        stage.ready(&small("dev")).await?;
        let before: Secret = stage.get("dev-instance").await?;
        stage.remove::<Secret>("dev-instance").await?;
        stage.phase("dev", "Degraded").await?;
        let bare = json!({"metadata": {"name": "dev-instance"}, "data": before.data});
        stage.make::<Secret>(bare).await?;
        let state = stage.because("dev", "NameConflict").await?;
        says(&state, &["\"dev-instance\"", "secretRef"])?;
        let named = json!({"backend": {"instance": {"secretRef": "dev-instance"}}});
        stage.patch("dev", named).await?;
        stage.settled("dev").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tampered_admin_secret_is_said_to_be_wrong_and_left_alone_until_it_is_deleted()
-> Result<()> {
    played("tampered", async |stage| {
        stage.ready(&small("dev")).await?;
        let own = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        stage.make::<Secret>(holder("other", "INSTANCE_SECRET", SECRET)).await?;
        stage.ready(&adopting("other", "other").with("backend.instance.name", "dev")).await?;
        let foreign = stage.secret("other-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        let tampered = json!({"stringData": {"CONVEX_SELF_HOSTED_ADMIN_KEY": foreign}});
        let tampered: Secret = stage.merge("dev-admin", tampered).await?;
        let state = stage.because("dev", "AdminKeyMismatch").await?;
        ensure!(state.phase == "Ready" && !state.ready, "{state}");
        says(&state, &["\"dev-admin\"", "Delete"])?;
        is_untouched(stage, &tampered).await?;
        for key in [&own, &foreign] {
            let told = stage.everything_readable().await?;
            ensure!(!told.contains(key.as_str()), "a key was told");
        }
        stage.remove::<Secret>("dev-admin").await?;
        stage.settled("dev").await?;
        let minted = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        stage.door("dev").await?.accepts(&minted).await
    })
    .await
}

fn says(state: &State, words: &[&str]) -> Result<()> {
    let silent: Vec<_> = words.iter().filter(|word| !state.message.contains(**word)).collect();
    ensure!(silent.is_empty(), "nothing of {silent:?} in: {state}");
    Ok(())
}

/// Neither the value nor half of it, anywhere that people without access to Secrets can read.
async fn is_never_told(stage: &Stage) -> Result<()> {
    let told = stage.everything_readable().await?;
    ensure!(!told.contains(CANARY), "the secret was told");
    Ok(())
}

fn nothing_is_made(stage: &Stage) -> Result<()> {
    let created = stage.writes()?.into_iter().filter(|it| {
        it.verb == "create" && !["events", "convexinstances"].contains(&it.resource.as_str())
    });
    let made: Vec<_> = created.map(|it| it.resource).collect();
    ensure!(made.is_empty(), "made while Pending: {made:?}");
    Ok(())
}

async fn is_untouched<K: Object>(stage: &Stage, before: &K) -> Result<()> {
    let now: K = stage.get(&before.name_any()).await?;
    let (was, is) = (before.resource_version(), now.resource_version());
    ensure!(was == is, "{} was touched", before.name_any());
    Ok(())
}

/// Applications take URL and key from one Secret: the key must never be sent elsewhere.
#[tokio::test]
async fn an_admin_secret_that_points_elsewhere_is_put_right_and_keeps_its_key() -> Result<()> {
    played("astray", async |stage| {
        stage.ready(&small("dev")).await?;
        let (url, key) = ("CONVEX_SELF_HOSTED_URL", "CONVEX_SELF_HOSTED_ADMIN_KEY");
        let before = (stage.secret("dev-admin", url).await?, stage.secret("dev-admin", key).await?);
        for astray in [
            json!({"stringData": {(url): "http://elsewhere.example"}}),
            json!({"data": {(url): null}}),
        ] {
            stage.merge::<Secret>("dev-admin", astray).await?;
            stage
                .until("the right URL", PATIENCE, || async {
                    let now = stage.secret("dev-admin", url).await.unwrap_or_default();
                    Ok((now == before.0).then_some(()))
                })
                .await?;
        }
        ensure!(stage.secret("dev-admin", key).await? == before.1, "another key");
        Ok(())
    })
    .await
}
