//! Settings that change while an instance serves.

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConditionStatus;
use k8s_openapi::api::{
    apps::v1::{ControllerRevision, Deployment, StatefulSet},
    core::v1::{PersistentVolumeClaim, Service},
};
use kube::{ResourceExt, api::ListParams};
use on_cluster::{
    Instance, Stage, State, played,
    stage::{PATIENCE, condition, records::lines, small},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_changed_variable_rolls_the_pod_exactly_once() -> Result<()> {
    played("rolled", async |stage| {
        stage.served(&small("dev")).await?;
        let before = stage.marker("dev").await?;
        set(stage, json!([{"name": "A", "value": "1"}])).await?;
        ensure!(variable(stage, "A").await?.as_deref() == Some("1"));
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        ensure!(after.starts == before.starts + 1, "{before:?} became {after:?}");
        ensure!(revisions(stage).await? == 2, "rolled more than once");
        let journal = stage.journal("dev-data").await?;
        ensure!(journal == ["start", "stop", "start"], "{journal:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_removed_variable_is_really_removed() -> Result<()> {
    played("unset", async |stage| {
        let two = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
        stage.served(&small("dev").with("backend.env", two)).await?;
        set(stage, json!([{"name": "B", "value": "2"}])).await?;
        ensure!(variable(stage, "A").await?.is_none(), "A is still there");
        ensure!(variable(stage, "B").await?.as_deref() == Some("2"), "B is gone");
        set(stage, json!([])).await?;
        ensure!(variable(stage, "B").await?.is_none(), "B is still there");
        ensure!(stage.marker("dev").await?.starts == 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_changed_origin_reaches_the_pod_though_it_stands_in_a_config_map() -> Result<()> {
    played("origin", async |stage| {
        stage.served(&small("dev")).await?;
        let before = stage.pod("dev").await?.uid();
        let origin = "https://api.example.org";
        stage.patch("dev", json!({"networking": {"cloudOrigin": origin}})).await?;
        let rolled = |pod: &k8s_openapi::api::core::v1::Pod| pod.uid() != before;
        stage.pod_when("dev", rolled).await?;
        stage.settled("dev").await?;
        let endpoints = stage.instance("dev").await?.status.and_then(|it| it.endpoints);
        let url = endpoints.and_then(|it| it.api_url);
        ensure!(url.as_deref() == Some(origin), "{url:?}");
        ensure!(revisions(stage).await? == 2, "rolled more than once");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_dashboard_is_turned_off_and_on_without_touching_the_backend() -> Result<()> {
    played("page", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        let pod = stage.pod("dev").await?.uid();
        stage.patch("dev", json!({"dashboard": {"enabled": false}})).await?;
        stage
            .until("end of the dashboard", PATIENCE, || async {
                let page = stage.all::<Deployment>().get_opt("dev-dashboard").await?;
                let service = stage.all::<Service>().get_opt("dev-dashboard").await?;
                Ok((page.is_none() && service.is_none()).then_some(()))
            })
            .await?;
        stage.settled("dev").await?;
        let instance = stage.instance("dev").await?;
        let ready = condition(&instance, "DashboardReady")?;
        ensure!(ready.reason == "Disabled", "{ready:?}");
        let endpoints = instance.status.and_then(|it| it.endpoints).context("endpoints")?;
        ensure!(endpoints.dashboard_url.is_none(), "{endpoints:?}");
        stage.patch("dev", json!({"dashboard": {"enabled": true}})).await?;
        stage.settled("dev").await?;
        stage.get::<Deployment>("dev-dashboard").await?;
        stage.get::<Service>("dev-dashboard").await?;
        ensure!(stage.pod("dev").await?.uid() == pod, "the backend was rolled");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_admin_key_stands_in_the_page_only_where_that_is_asked_for_and_said() -> Result<()> {
    played("prefilled", async |stage| {
        stage.served(&Instance::dev("dev")).await?;
        ensure!(!page_env(stage).await?.contains("NEXT_PUBLIC_ADMIN_KEY"));
        ensure!(condition(&stage.instance("dev").await?, "AdminKeyPrefilled").is_err());
        stage.patch("dev", json!({"dashboard": {"prefillAdminKey": true}})).await?;
        let told = |state: &State| state.is_settled();
        stage.follow("dev").await?.until("Ready", PATIENCE, told).await?;
        let it = condition(&stage.instance("dev").await?, "AdminKeyPrefilled")?;
        ensure!(it.status == ConditionStatus::True, "{it:?}");
        ensure!(it.message.contains("everybody who can open the dashboard"), "{it:?}");
        let env = page_env(stage).await?;
        ensure!(env.contains("NEXT_PUBLIC_ADMIN_KEY") && env.contains("secretKeyRef"), "{env}");
        let key = stage.secret("dev-admin", "CONVEX_SELF_HOSTED_ADMIN_KEY").await?;
        ensure!(!stage.everything_readable().await?.contains(&key), "the key is told");
        stage.patch("dev", json!({"dashboard": {"prefillAdminKey": false}})).await?;
        stage.settled("dev").await?;
        ensure!(!page_env(stage).await?.contains("NEXT_PUBLIC_ADMIN_KEY"), "it stays");
        Ok(())
    })
    .await
}

/// The API server writes quantities its own way, and people write them without quotes.
#[tokio::test]
async fn resources_however_they_are_spelled_are_no_reason_to_write_again() -> Result<()> {
    played("spelled", async |stage| {
        let amounts = json!({"cpu": 1, "memory": "1024Mi"});
        let resources = json!({"requests": amounts, "limits": {"cpu": "2000m"}});
        stage.served(&small("dev").with("backend.resources", resources)).await?;
        let mark = stage.mark()?;
        let poll = std::time::Duration::from_secs(32);
        tokio::time::sleep(poll).await;
        let writes = stage.writes_since(mark)?;
        ensure!(writes.is_empty(), "{}", lines(&writes));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_suspended_instance_keeps_its_data_and_resumes_with_it() -> Result<()> {
    played("suspended", async |stage| {
        stage.served(&small("dev")).await?;
        let before = stage.marker("dev").await?;
        stage.patch("dev", json!({"suspend": true})).await?;
        stage.phase("dev", "Ready/Suspended").await?;
        stage
            .until("end of the pod", PATIENCE, || async {
                Ok(stage.pod("dev").await.is_err().then_some(()))
            })
            .await?;
        let state = stage.because("dev", "Suspended").await?;
        ensure!(!state.ready, "{state}");
        stage.get::<PersistentVolumeClaim>("dev-data").await?;
        stage.patch("dev", json!({"suspend": false})).await?;
        stage.settled("dev").await?;
        let after = stage.marker("dev").await?;
        ensure!(after.first_start == before.first_start, "{before:?} became {after:?}");
        ensure!(stage.journal("dev-data").await? == ["start", "stop", "start"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_grown_size_is_asked_for_and_the_pod_is_left_alone() -> Result<()> {
    played("grown", async |stage| {
        stage.served(&small("dev")).await?;
        let pod = stage.pod("dev").await?.uid();
        stage.patch("dev", json!({"backend": {"storage": {"pvc": {"size": "2Gi"}}}})).await?;
        stage
            .until("request of 2Gi", PATIENCE, || async {
                let claim: PersistentVolumeClaim = stage.get("dev-data").await?;
                let requests = claim.spec.and_then(|it| it.resources?.requests);
                let size = requests.and_then(|mut it| it.remove("storage"));
                Ok(size.filter(|it| it.0 == "2Gi"))
            })
            .await?;
        stage.settled("dev").await?;
        ensure!(stage.pod("dev").await?.uid() == pod, "the backend was rolled");
        Ok(())
    })
    .await
}

/// Sets the environment and waits until the pod that has it serves.
async fn set(stage: &Stage, env: Value) -> Result<()> {
    let before = stage.pod("dev").await?.uid();
    stage.patch("dev", json!({"backend": {"env": env}})).await?;
    stage.pod_when("dev", |pod| pod.uid() != before).await?;
    stage.settled("dev").await?;
    Ok(())
}

async fn variable(stage: &Stage, name: &str) -> Result<Option<String>> {
    let spec = stage.pod("dev").await?.spec.context("a spec")?;
    let env = spec.containers.into_iter().find(|it| it.name == "backend").and_then(|it| it.env);
    Ok(env.into_iter().flatten().find(|it| it.name == name).and_then(|it| it.value))
}

async fn revisions(stage: &Stage) -> Result<usize> {
    stage.get::<StatefulSet>("dev-backend").await?;
    Ok(stage.all::<ControllerRevision>().list(&ListParams::default()).await?.items.len())
}

async fn page_env(stage: &Stage) -> Result<String> {
    let page = serde_json::to_value(stage.get::<Deployment>("dev-dashboard").await?)?;
    Ok(page["spec"]["template"]["spec"]["containers"][0]["env"].to_string())
}
