//! The operator as a Deployment, for a real node.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, LogParams, Patch, PatchParams},
};
use serde_json::json;

use super::{Build, Ended, NAME, NAMESPACE, Options, chart};
use crate::{
    binaries::Programs, checkout::Checkout, client, description::Description, images, real, wait,
};

const READY: Duration = Duration::from_secs(90);
const END: Duration = Duration::from_mins(1);
/// Variables of the operator and the values of the chart that they come from.
const CHART_VALUES: [(&str, &str); 5] = [
    ("BACKEND_REPOSITORY", "images.backend.repository"),
    ("DASHBOARD_REPOSITORY", "images.dashboard.repository"),
    ("LOG_FORMAT", "logFormat"),
    ("RUST_LOG", "logLevel"),
    ("WATCH_NAMESPACE", "watchNamespace"),
];
/// Tells pods of one build from those of another.
const BUILD: &str = "local.test/build";
const SELECTOR: &str = "app.kubernetes.io/name=convex-operator";

/// Brings the image in, where it changed, and applies the whole chart.
///
/// # Errors
/// It does not become available.
pub async fn install(
    checkout: &Checkout,
    cluster: &Description,
    build: &Build,
    programs: &Programs,
) -> Result<()> {
    let network = cluster.addresses.network.as_ref().context("a real node has a network")?;
    if build.changed {
        real::import(&cluster.run, network, &images::operator(programs)?)?;
    }
    apply(checkout, cluster, &build.digest, &Options::default()).await
}

/// Applies the chart again, which also brings a stopped operator back.
///
/// # Errors
/// Arguments were given, which the chart has no place for; or it does not become available.
pub async fn start(checkout: &Checkout, cluster: &Description, options: &Options) -> Result<()> {
    if !options.arguments.is_empty() {
        bail!("on a real node the operator is told everything by its environment");
    }
    let digest = std::fs::read_to_string(cluster.run.join("operator.sha256"))?;
    apply(checkout, cluster, &digest, options).await
}

async fn apply(
    checkout: &Checkout,
    cluster: &Description,
    digest: &str,
    options: &Options,
) -> Result<()> {
    let (repository, tag) = images::OPERATOR.split_once(':').context("a tag")?;
    let image = json!({ "repository": repository, "tag": tag, "pullPolicy": "Never" });
    let mut values = environment_values(options);
    values.push(format!("image={image}"));
    // The tag stays the same from build to build; that the pods differ is in the annotation.
    values.push(format!("podAnnotations={}", json!({ BUILD: digest })));
    chart::apply(checkout, cluster, NAMESPACE, &values)?;
    let client = client::from_file(&cluster.kubeconfig).await?;
    let deployments = Api::<Deployment>::namespaced(client.clone(), NAMESPACE);
    let pods = Api::<Pod>::namespaced(client, NAMESPACE);
    wait::until("available operator", READY, &[], || async {
        if is_rolled_out(&deployments.get(NAME).await?) {
            return Ok(Some(Ok(())));
        }
        let failed = failure(&pods, digest).await?;
        Ok(failed.map(|reason| Err(anyhow!("the operator does not start: {reason}"))))
    })
    .await?
}

/// A variable that the chart sets has a value of the chart; a second one of that name would be refused.
fn environment_values(options: &Options) -> Vec<String> {
    let mut values = Vec::new();
    let mut extra = Vec::new();
    for (name, value) in &options.environment {
        match CHART_VALUES.iter().find(|(variable, _)| variable == name) {
            Some((_, key)) => values.push(format!("{key}={}", json!(value))),
            None => extra.push(json!({ "name": name, "value": value })),
        }
    }
    values.push(format!("extraEnv={}", json!(extra)));
    values
}

/// Why no pod of this build will become ready, as far as pods tell.
async fn failure(pods: &Api<Pod>, digest: &str) -> Result<Option<String>> {
    for pod in pods.list(&ListParams::default().labels(SELECTOR)).await? {
        let of_this_build = pod.annotations().get(BUILD).is_some_and(|build| build == digest);
        if !of_this_build || !has_ended(&pod) {
            continue;
        }
        let last = LogParams { previous: true, tail_lines: Some(12), ..LogParams::default() };
        let log = pods.logs(&pod.name_any(), &last).await.unwrap_or_default();
        return Ok(Some(format!("pod {} ended; its last lines:\n{log}", pod.name_any())));
    }
    Ok(None)
}

fn has_ended(pod: &Pod) -> bool {
    let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    containers.is_some_and(|containers| containers.iter().any(|c| c.restart_count > 0))
}

/// Scales to none, and learns from the pod how its process ended before the pod is gone.
///
/// # Errors
/// None runs, or it does not end.
pub async fn stop(client: &Client) -> Result<Ended> {
    let pods = Api::<Pod>::namespaced(client.clone(), NAMESPACE);
    let listed = pods.list(&ListParams::default().labels(SELECTOR)).await?;
    let name = listed.items.first().context("no operator runs")?.name_any();
    let deployments = Api::<Deployment>::namespaced(client.clone(), NAMESPACE);
    let asked = Instant::now();
    let none = Patch::Merge(json!({ "spec": { "replicas": 0 } }));
    deployments.patch_scale(NAME, &PatchParams::default(), &none).await?;
    let code = std::cell::Cell::new(None);
    wait::until("end of the operator", END, &[], || async {
        let Some(pod) = pods.get_opt(&name).await? else { return Ok(Some(())) };
        code.set(exit_code(&pod).or(code.get()));
        Ok(None)
    })
    .await?;
    Ok(Ended { code: code.get(), took: asked.elapsed() })
}

fn exit_code(pod: &Pod) -> Option<i32> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    Some(containers.first()?.state.as_ref()?.terminated.as_ref()?.exit_code)
}

/// Every replica is of the newest kind and available, and none of an older kind is left.
fn is_rolled_out(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    deployment.status.as_ref().is_some_and(|status| {
        status.observed_generation >= deployment.metadata.generation
            && status.updated_replicas == Some(wanted)
            && status.available_replicas == Some(wanted)
            && status.replicas == Some(wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(observed: i64, updated: i32, replicas: i32) -> Deployment {
        serde_json::from_value(json!({
            "metadata": { "generation": 2 },
            "spec": { "replicas": 1, "selector": {}, "template": {} },
            "status": { "observedGeneration": observed, "updatedReplicas": updated,
                "availableReplicas": 1, "replicas": replicas },
        }))
        .unwrap()
    }

    #[test]
    fn variables_go_where_the_chart_has_them() {
        let environment =
            [("RUST_LOG", "debug"), ("OTHER", "1")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let options = Options { environment: environment.to_vec(), ..Options::default() };
        let expected = [r#"logLevel="debug""#, r#"extraEnv=[{"name":"OTHER","value":"1"}]"#];
        assert_eq!(environment_values(&options), expected);
    }

    #[test]
    fn a_rollout_is_done_when_nothing_old_is_left() {
        assert!(is_rolled_out(&deployment(2, 1, 1)));
        assert!(!is_rolled_out(&deployment(1, 1, 1)), "the status is of the last generation");
        assert!(!is_rolled_out(&deployment(2, 1, 2)), "an old pod is left");
        assert!(!is_rolled_out(&deployment(2, 0, 1)), "the new pod is not there");
    }

    #[test]
    fn the_exit_code_is_that_of_the_terminated_container() {
        let pod = serde_json::from_value(json!({ "status": { "containerStatuses": [{
            "name": "operator", "image": "i", "imageID": "i", "ready": false, "restartCount": 0,
            "state": { "terminated": { "exitCode": 0 } } }] } }))
        .unwrap();
        assert_eq!(exit_code(&pod), Some(0));
        assert_eq!(exit_code(&Pod::default()), None);
    }
}
