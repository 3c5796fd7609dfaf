//! From apply to Ready: what is seen on the way, and what is there at its end.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use convex_operator::api::ConditionStatus;
use k8s_openapi::api::core::v1::Secret;
use on_cluster::{
    Instance, Stage, played,
    stage::{PATIENCE, condition, small},
};

const KEY: &str = "CONVEX_SELF_HOSTED_ADMIN_KEY";
const URL: &str = "CONVEX_SELF_HOSTED_URL";

#[tokio::test]
async fn an_instance_goes_through_its_phases_in_order_and_says_so_in_history_and_two_events()
-> Result<()> {
    played("phases", async |stage| {
        let mut follower = stage.follow("dev").await?;
        stage.create(&Instance::dev("dev")).await?;
        let mut seen = Vec::new();
        follower
            .until("Ready", PATIENCE, |state| {
                if seen.last() != Some(&state.phase) {
                    seen.push(state.phase.clone());
                }
                state.is_settled()
            })
            .await?;
        seen.retain(|phase| !phase.is_empty());
        ensure!(seen == ["Provisioning", "Ready"], "phases: {seen:?}");
        let status = stage.instance("dev").await?.status.context("a status")?;
        let edges: Vec<_> = status
            .history
            .iter()
            .map(|it| format!("{} -> {}: {}", it.from, it.to, it.reason))
            .collect();
        let wanted = ["Pending -> Provisioning: Provisioning", "Provisioning -> Ready: Ready"];
        ensure!(edges == wanted, "{edges:#?}");
        let reasons = stage.reasons().await?;
        ensure!(reasons == ["Ready"], "events: {reasons:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_ready_instance_has_every_condition_and_tells_where_it_is_reached() -> Result<()> {
    played("conditions", async |stage| {
        stage.ready(&Instance::dev("dev")).await?;
        let instance = stage.instance("dev").await?;
        for type_ in [
            "Ready",
            "Available",
            "SecretsReady",
            "StorageReady",
            "BackendReady",
            "DashboardReady",
            "DatabaseConnected",
            "ObjectStorageConnected",
            "Exposed",
        ] {
            let it = condition(&instance, type_)?;
            ensure!(it.status == ConditionStatus::True, "{it:?}");
        }
        for type_ in ["Progressing", "Degraded", "UpgradeInProgress"] {
            let it = condition(&instance, type_)?;
            ensure!(it.status == ConditionStatus::False, "{it:?}");
        }
        let status = instance.status.context("a status")?;
        let stale: Vec<_> =
            status.conditions.iter().filter(|it| it.observed_generation != 1).collect();
        ensure!(stale.is_empty(), "about another generation: {stale:?}");
        let (namespace, endpoints) = (stage.namespace(), status.endpoints.context("endpoints")?);
        let wanted = |service: &str| Some(format!("http://{service}.{namespace}.svc"));
        let reached = [
            (endpoints.api_url, wanted("dev-backend").map(|it| it + ":3210")),
            (endpoints.site_url, wanted("dev-backend").map(|it| it + ":3211")),
            (endpoints.dashboard_url, wanted("dev-dashboard").map(|it| it + ":6791")),
        ];
        ensure!(reached.iter().all(|(is, wanted)| is == wanted), "{reached:?}");
        ensure!(status.blocked_by.is_empty(), "{:?}", status.blocked_by);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn kubectl_shows_the_columns_that_people_read() -> Result<()> {
    played("columns", async |stage| {
        stage.ready(&small("dev")).await?;
        let get = ["get", "cvx", "--namespace", stage.namespace()];
        let shown = stage.kubectl.run(&get).await?;
        let rows: Vec<Vec<_>> =
            shown.lines().map(|line| line.split_whitespace().collect()).collect();
        ensure!(
            rows[0] == ["NAME", "VERSION", "PHASE", "STAGE", "READY", "REASON", "AGE"],
            "{shown}"
        );
        // The empty stage is no word.
        ensure!(rows[1][..5] == ["dev", "6efab6f", "Ready", "True", "Serving"], "{shown}");
        let wide = stage.kubectl.run(&[&get[..], &["--output", "wide"]].concat()).await?;
        let header: Vec<_> = wide.lines().next().unwrap_or_default().split_whitespace().collect();
        ensure!(header[7..] == ["TARGET", "URL", "MESSAGE"], "{wide}");
        ensure!(wide.contains("the backend serves 6efab6f"), "{wide}");
        let wait = ["wait", "--for=condition=Ready", "cvx/dev", "--timeout=5s", "--namespace"];
        stage.kubectl.run(&[&wait[..], &[stage.namespace()]].concat()).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn secrets_and_config_map_are_ready_for_an_application_and_the_key_opens_the_backend()
-> Result<()> {
    played("contents", async |stage| {
        stage.ready(&small("dev")).await?;
        ensure!(keys(stage, "dev-admin").await? == [KEY, URL]);
        ensure!(keys(stage, "dev-instance").await? == ["INSTANCE_NAME", "INSTANCE_SECRET"]);
        let secret = stage.secret("dev-instance", "INSTANCE_SECRET").await?;
        let is_hex = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
        ensure!(secret.len() == 64 && secret.bytes().all(is_hex), "{} characters", secret.len());
        ensure!(stage.secret("dev-instance", "INSTANCE_NAME").await? == "dev");
        let url = stage.secret("dev-admin", URL).await?;
        ensure!(url == format!("http://dev-backend.{}.svc:3210", stage.namespace()), "{url}");
        let key = stage.secret("dev-admin", KEY).await?;
        ensure!(key.starts_with("dev|"), "the key does not begin with its instance's name");
        let door = stage.door("dev").await?;
        door.accepts(&key).await?;
        ensure!(door.accepts(&format!("{key}0")).await.is_err(), "any key is taken");

        let data = environment(stage, "dev").await?;
        for (name, value) in [
            ("INSTANCE_NAME", "dev"),
            ("DATA_DIR", "/convex/data"),
            ("DISABLE_METRICS_ENDPOINT", "true"),
            ("DOCUMENT_RETENTION_DELAY", "172800"),
            ("APPLICATION_MAX_CONCURRENT_V8_ACTIONS", "16"),
            ("CONVEX_CLOUD_ORIGIN", &url),
        ] {
            ensure!(data.get(name).map(String::as_str) == Some(value), "{name}: {data:?}");
        }
        ensure!(!data.contains_key("INSTANCE_SECRET"), "a secret that is no reference to one");
        ensure!(!data.contains_key("REDACT_LOGS_TO_CLIENT"), "redacted in dev");
        Ok(())
    })
    .await
}

/// What the backend's container is told in clear.
async fn environment(stage: &Stage, name: &str) -> Result<BTreeMap<String, String>> {
    let spec = stage.pod(name).await?.spec.context("a spec")?;
    let all = spec.containers[0].env.iter().flatten();
    Ok(all.filter_map(|it| Some((it.name.clone(), it.value.clone()?))).collect())
}

#[tokio::test]
async fn prod_asks_for_resources_and_redacts_logs_by_itself() -> Result<()> {
    played("prod", async |stage| {
        stage.ready(&small("live").with("environment", "prod")).await?;
        let data = environment(stage, "live").await?;
        let redacted = data.get("REDACT_LOGS_TO_CLIENT").map(String::as_str);
        ensure!(redacted == Some("true"), "{redacted:?}");
        let spec = stage.pod("live").await?.spec.context("a spec")?;
        let requests = spec.containers[0].resources.clone().and_then(|it| it.requests);
        let requests = serde_json::to_value(requests)?;
        ensure!(requests == serde_json::json!({"cpu": "500m", "memory": "1Gi"}), "{requests}");
        Ok(())
    })
    .await
}

async fn keys(stage: &Stage, secret: &str) -> Result<Vec<String>> {
    let secret: Secret = stage.get(secret).await?;
    Ok(secret.data.unwrap_or_default().into_keys().collect())
}
