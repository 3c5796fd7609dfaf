//! The Deployment of the dashboard: stateless pages of the backend's own version.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec},
        core::v1::{
            Container, EnvVar, EnvVarSource, HTTPGetAction, PodSpec, PodTemplateSpec, Probe,
            ResourceRequirements, SecretKeySelector,
        },
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};

use super::{
    Inputs, backend,
    labels::{self, Part},
    pod as settings, secrets, security,
};
use crate::api::{Environment, Profile};

/// The page; the image's own default.
pub const PORT: i32 = 6791;

/// The Deployment of the dashboard.
#[must_use]
pub fn deployment(inputs: &Inputs<'_>) -> Deployment {
    let selector = labels::selector(inputs.instance, Part::Dashboard);
    Deployment {
        metadata: labels::owned(inputs.instance, Part::Dashboard, inputs.names.dashboard()),
        spec: Some(DeploymentSpec {
            replicas: Some(inputs.instance.spec.dashboard.replicas),
            revision_history_limit: Some(2),
            selector: LabelSelector { match_labels: Some(selector), ..LabelSelector::default() },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(settings::labels(inputs.instance, Part::Dashboard)),
                    annotations: settings::annotations(inputs.instance, Part::Dashboard, []),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(inputs)),
            },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn pod(inputs: &Inputs<'_>) -> PodSpec {
    let security = &inputs.instance.spec.dashboard.security;
    let pod = PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        // The image names its user by name, and only a number proves that it is not root.
        security_context: Some(security::pod(Profile::Restricted, security.pod.as_ref())),
        containers: vec![Container {
            name: "dashboard".to_owned(),
            image: Some(inputs.dashboard_image()),
            ports: Some(vec![backend::port("http", PORT)]),
            env: Some(environment(inputs)),
            resources: resources(inputs),
            security_context: Some(security::container(security.container.as_ref())),
            readiness_probe: Some(probe(2)),
            liveness_probe: Some(probe(20)),
            volume_mounts: Some(vec![
                backend::mount("cache", "/app/.next/cache"),
                backend::mount("tmp", "/tmp"),
            ]),
            termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
            ..Container::default()
        }],
        volumes: Some(vec![backend::empty("cache"), backend::empty("tmp")]),
        ..PodSpec::default()
    };
    settings::with(inputs, Part::Dashboard, pod)
}

fn environment(inputs: &Inputs<'_>) -> Vec<EnvVar> {
    let plain = |name: &str, value: String| EnvVar {
        name: name.to_owned(),
        value: Some(value),
        value_from: None,
    };
    let mut env = vec![
        // The runtime may put the pod's name here, which the server would then listen on.
        plain("HOSTNAME", "0.0.0.0".to_owned()),
        plain("PORT", PORT.to_string()),
        plain("NEXT_PUBLIC_DEPLOYMENT_URL", inputs.origins().deployment),
    ];
    if inputs.instance.spec.dashboard.prefill_admin_key {
        env.push(EnvVar {
            name: "NEXT_PUBLIC_ADMIN_KEY".to_owned(),
            value: None,
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: inputs.names.admin_secret(),
                    key: secrets::ADMIN_KEY.to_owned(),
                    optional: None,
                }),
                ..EnvVarSource::default()
            }),
        });
    }
    env
}

fn resources(inputs: &Inputs<'_>) -> Option<ResourceRequirements> {
    let spec = &inputs.instance.spec;
    let default = || backend::requests("50m", "128Mi");
    spec.dashboard
        .resources
        .clone()
        .or_else(|| (spec.environment == Environment::Prod).then(default))
}

fn probe(period: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/".to_owned()),
            port: IntOrString::String("http".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(3),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}
