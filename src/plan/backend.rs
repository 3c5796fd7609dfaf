//! The `StatefulSet` of the backend: exactly one pod, never two.

mod environment;
mod first;

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{
            RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec,
            StatefulSetUpdateStrategy,
        },
        core::v1::{
            Container, ContainerPort, EmptyDirVolumeSource, ExecAction, HTTPGetAction, Lifecycle,
            LifecycleHandler, PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Probe,
            ResourceRequirements, Volume, VolumeMount,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use statemachine::pins::Backend;

use super::{
    Inputs, config, deployment,
    labels::{self, Part},
    outside, pod as settings, security,
};
use crate::api::{Environment, Profile};

pub(super) use self::{environment::about_storage, first::named};

/// The API, its WebSocket and everything else of the backend; fixed inside the container.
pub const API_PORT: i32 = 3210;
/// The HTTP actions of the backend; fixed inside the container.
pub const SITE_PORT: i32 = 3211;
/// The name of the container that owns the data.
pub const CONTAINER: &str = "backend";
/// Where a copy of the image's files is run from, by a user that may not run the originals.
const COPY: &str = "/run/convex";
/// The image has no handler for SIGTERM, and as the first process of its container it never gets the
/// kernel's either: SIGINT is its way to stop.
const STOP: &str = "kill -INT 1";

/// The `StatefulSet` with exactly one pod of this backend, or with none while it is stopped.
#[must_use]
pub fn stateful_set(inputs: &Inputs<'_>, backend: &Backend, stopped: bool) -> StatefulSet {
    let mut metadata = labels::owned(inputs.instance, Part::Backend, inputs.names.backend());
    let fence = (labels::FENCE.to_owned(), inputs.fence.to_owned());
    // For other instances, which ask whose a database is.
    let renamed = deployment::is_renamed(inputs.instance, &backend.store);
    let deployment = renamed.then(|| inputs.deployment(&backend.store).to_string());
    let named = deployment.map(|it| (labels::INSTANCE_NAME.to_owned(), it));
    metadata.annotations = Some([fence].into_iter().chain(named).collect());
    StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            replicas: Some(i32::from(!stopped)),
            service_name: Some(inputs.names.backend_service()),
            // With OrderedReady a pod that never becomes ready is never replaced, not even by a good one.
            pod_management_policy: Some("Parallel".to_owned()),
            revision_history_limit: Some(5),
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateStatefulSetStrategy {
                    partition: Some(0),
                    ..RollingUpdateStatefulSetStrategy::default()
                }),
            }),
            selector: LabelSelector {
                match_labels: Some(labels::selector(inputs.instance, Part::Backend)),
                ..LabelSelector::default()
            },
            template: template(inputs, backend),
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    }
}

fn template(inputs: &Inputs<'_>, backend: &Backend) -> PodTemplateSpec {
    let mut pod_labels = settings::labels(inputs.instance, Part::Backend);
    pod_labels.insert(labels::TRAFFIC.to_owned(), "flows".to_owned());
    let release = &backend.release;
    let annotations = [
        (labels::VERSION, release.version.clone()),
        (labels::ENGINE, release.engine.clone()),
        (labels::STORE, String::from(backend.store.clone())),
        (labels::CONFIG_HASH, config::digest(inputs)),
    ];
    let restarted = inputs.restarted.clone().map(|at| (labels::RESTARTED, at));
    let variables = config::variables_digest(inputs).map(|it| (labels::VARIABLES_HASH, it));
    let annotations = annotations.into_iter().chain(variables).chain(restarted);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(pod_labels),
            annotations: settings::annotations(
                inputs.instance,
                Part::Backend,
                annotations.map(|(key, value)| (key.to_owned(), value)),
            ),
            ..ObjectMeta::default()
        }),
        spec: Some(pod(inputs, backend)),
    }
}

fn pod(inputs: &Inputs<'_>, backend: &Backend) -> PodSpec {
    let security = &inputs.instance.spec.backend.security;
    let restricted = security.profile == Profile::Restricted;
    let pod = PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(60),
        security_context: Some(security::pod(security.profile, security.pod.as_ref())),
        init_containers: Some(first::containers(inputs, backend, restricted)),
        containers: vec![container(inputs, backend, restricted)],
        volumes: Some(volumes(inputs, backend, restricted)),
        ..PodSpec::default()
    };
    settings::with(inputs, Part::Backend, pod)
}

fn container(inputs: &Inputs<'_>, backend: &Backend, restricted: bool) -> Container {
    let release = &backend.release;
    let spec = &inputs.instance.spec.backend;
    let mut mounts = vec![
        mount("data", config::DATA_DIR),
        mount("credentials", config::CREDENTIALS_DIR),
        mount("tmp", config::TMP_DIR),
    ];
    if restricted {
        mounts.push(mount("copy", COPY));
    }
    mounts.extend(outside::mounted(inputs).map(|(_, place)| place));
    Container {
        name: CONTAINER.to_owned(),
        image: Some(release.image.clone()),
        working_dir: restricted.then(|| COPY.to_owned()),
        command: restricted.then(|| vec!["./run_backend.sh".to_owned()]),
        ports: Some(vec![port("api", API_PORT), port("site", SITE_PORT)]),
        env: Some(environment::of(inputs, backend)),
        resources: resources(inputs),
        security_context: Some(security::container(spec.security.container.as_ref())),
        // A large database may take its time to load; a pod that is killed meanwhile begins anew.
        startup_probe: Some(probe("/version", 1, 3600, 2)),
        liveness_probe: Some(probe("/version", 10, 6, 5)),
        readiness_probe: Some(probe("/instance_name", 5, 3, 3)),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                exec: Some(ExecAction {
                    command: Some(["/bin/sh", "-c", STOP].map(str::to_owned).into()),
                }),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        volume_mounts: Some(mounts),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

pub(super) fn resources(inputs: &Inputs<'_>) -> Option<ResourceRequirements> {
    let spec = &inputs.instance.spec;
    let default = || requests("500m", "1Gi");
    spec.backend.resources.clone().or_else(|| (spec.environment == Environment::Prod).then(default))
}

/// Requests of this much CPU and memory, without limits.
pub(super) fn requests(cpu: &str, memory: &str) -> ResourceRequirements {
    let amounts = [("cpu", cpu), ("memory", memory)];
    ResourceRequirements {
        requests: Some(BTreeMap::from(
            amounts.map(|(of, much)| (of.to_owned(), Quantity(much.to_owned()))),
        )),
        ..ResourceRequirements::default()
    }
}

fn volumes(inputs: &Inputs<'_>, backend: &Backend, restricted: bool) -> Vec<Volume> {
    let data = if inputs.instance.spec.backend.storage.pvc.enabled {
        Volume {
            name: "data".to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: inputs.claim(&backend.store),
                ..PersistentVolumeClaimVolumeSource::default()
            }),
            ..Volume::default()
        }
    } else {
        empty("data")
    };
    let mut volumes = vec![data, empty("credentials"), empty("tmp")];
    if restricted {
        volumes.push(empty("copy"));
    }
    volumes.extend(outside::mounted(inputs).map(|(volume, _)| volume));
    volumes
}

/// A volume that lives and dies with its pod.
pub(super) fn empty(name: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    }
}

/// A volume's place in a container.
pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

/// A named TCP port.
pub(super) fn port(name: &str, number: i32) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

fn probe(path: &str, period: i32, failures: i32, timeout: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("api".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(timeout),
        ..Probe::default()
    }
}
