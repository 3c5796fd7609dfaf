//! The pods of Jobs: confined as the backend's pod is, so that what belongs to it can be read and belongs to it again.

use k8s_openapi::api::core::v1::{
    Affinity, Container, PersistentVolumeClaimVolumeSource, PodAffinity, PodAffinityTerm, PodSpec,
    Volume, VolumeMount, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::REPORT;
use crate::plan::{
    Inputs, backend, gate,
    labels::{self, Part},
    pod as settings, security,
};

/// A pod without a token that runs once, where the backend may run.
pub(super) fn confined(inputs: &Inputs<'_>) -> PodSpec {
    let confinement = &inputs.instance.spec.backend.security;
    let pod = PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        restart_policy: Some("Never".to_owned()),
        security_context: Some(security::pod(confinement.profile, confinement.pod.as_ref())),
        ..PodSpec::default()
    };
    settings::beside(inputs, pod)
}

/// Where the backend runs, if that can be: its image is to be there before it is asked for.
pub(super) fn beside_the_backend(inputs: &Inputs<'_>, pod: PodSpec) -> PodSpec {
    let beside = WeightedPodAffinityTerm {
        weight: 100,
        pod_affinity_term: PodAffinityTerm {
            label_selector: Some(LabelSelector {
                match_labels: Some(labels::selector(inputs.instance, Part::Backend)),
                ..LabelSelector::default()
            }),
            topology_key: "kubernetes.io/hostname".to_owned(),
            ..PodAffinityTerm::default()
        },
    };
    let affinity = Affinity {
        pod_affinity: Some(PodAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![beside]),
            ..PodAffinity::default()
        }),
        ..pod.affinity.unwrap_or_default()
    };
    PodSpec { affinity: Some(affinity), ..pod }
}

/// A container that runs one subcommand of the operator, with the record as it is when the container starts.
pub(super) fn worker(inputs: &Inputs<'_>, command: &str, arguments: &[&str]) -> Container {
    let arguments = [&[command], arguments, &["--report", REPORT]].concat();
    Container {
        image: Some(inputs.worker_image.to_owned()),
        args: Some(arguments.into_iter().map(str::to_owned).collect()),
        working_dir: Some("/".to_owned()),
        env: Some(vec![gate::variable(&inputs.names)]),
        ..contained(inputs, command)
    }
}

/// A container that is confined, and asks for what the backend asks for: a quota may want that of every container.
pub(super) fn contained(inputs: &Inputs<'_>, name: &str) -> Container {
    Container {
        name: name.to_owned(),
        security_context: Some(security::worker(&inputs.instance.spec.backend.security)),
        resources: backend::resources(inputs),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

/// A volume at a path.
pub(in crate::plan) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

/// A claim as a volume.
pub(in crate::plan) fn claimed(name: &str, claim: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim.to_owned(),
            ..PersistentVolumeClaimVolumeSource::default()
        }),
        ..Volume::default()
    }
}
