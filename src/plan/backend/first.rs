//! What runs in the backend's pod before the backend may open its data.

mod preflight;

use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector};
use statemachine::pins::{Backend, Release};

use crate::plan::{Inputs, claim, config, gate, security};

pub(in crate::plan) use self::preflight::named;

/// The image's files are executable for root alone (mode 744) and readable for all: whoever copies them
/// owns the copy and may run it. `/convex/data` is a folder, and stays where it is.
const PREPARE: &str = "for file in /convex/*; do if [ -f \"$file\" ]; then cp \"$file\" /run/convex/ || exit 1; fi; done";

/// The containers that come first, in order.
pub(super) fn containers(
    inputs: &Inputs<'_>,
    backend: &Backend,
    restricted: bool,
) -> Vec<Container> {
    let mut first = vec![preflight::with(inputs, backend, asked(inputs, backend, "gate", &[]))];
    first.extend(restricted.then(|| prepare(inputs, &backend.release)));
    // Asked once more, right before the backend: pulling its image may have taken its time, and so may servers that could not
    // be used at first. What could not be pulled has opened nothing.
    let volume = inputs.instance.spec.backend.storage.pvc.enabled;
    let lasts = volume || !inputs.outside.is_empty();
    let copied = inputs.found(&backend.store).is_some_and(claim::is_copy);
    let more: &[&str] = if copied { &["--remember", "--copied"] } else { &["--remember"] };
    first.extend(lasts.then(|| asked(inputs, backend, "open", more)));
    first
}

/// Whoever scales the `StatefulSet` by hand gets more pods with the same claim before that is put back, and whoever edits or
/// undoes its template gets another version on it: the gate asks the record, and lets only the first pod on.
fn asked(inputs: &Inputs<'_>, backend: &Backend, name: &str, more: &[&str]) -> Container {
    let mut env = vec![
        own("POD_NAME", "metadata.name"),
        is("ONLY", format!("{}-0", inputs.names.backend())),
        is("TEMPLATE", serde_json::to_string(backend).unwrap_or_default()),
        gate::variable(&inputs.names),
    ];
    let volume = inputs.instance.spec.backend.storage.pvc.enabled;
    env.extend(volume.then(|| is("DATA", config::DATA_DIR.trim_start_matches('/'))));
    Container {
        name: name.to_owned(),
        image: Some(inputs.worker_image.to_owned()),
        args: Some(
            [&["gate", "--report", "dev/termination-log"], more]
                .concat()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        ),
        working_dir: Some("/".to_owned()),
        env: Some(env),
        volume_mounts: volume.then(|| vec![super::mount("data", config::DATA_DIR)]),
        resources: super::resources(inputs),
        security_context: Some(security::worker(&inputs.instance.spec.backend.security)),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn is(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.into()), value_from: None }
}

/// A field of the pod itself.
fn own(name: &str, field: &str) -> EnvVar {
    let field =
        ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: field.to_owned() };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value: None, value_from: Some(source) }
}

fn prepare(inputs: &Inputs<'_>, release: &Release) -> Container {
    Container {
        volume_mounts: Some(vec![super::mount("copy", super::COPY)]),
        ..script(inputs, release, "prepare", PREPARE)
    }
}

fn script(inputs: &Inputs<'_>, release: &Release, name: &str, script: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: Some(release.image.clone()),
        command: Some(["/bin/sh", "-c", script].map(str::to_owned).into()),
        // A quota may want them on every container; a pod is counted by the larger of the two.
        resources: super::resources(inputs),
        security_context: Some(security::container(
            inputs.instance.spec.backend.security.container.as_ref(),
        )),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}
