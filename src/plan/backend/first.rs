//! What runs in the backend's pod before the backend may open its data.

use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector};
use statemachine::pins::Release;

use crate::plan::{Inputs, security};

/// Whoever scales the `StatefulSet` by hand gets more pods with the same claim before that is put back, and
/// `ReadWriteOnce` lets all pods of a node in. Only the first may go on.
const GATE: &str = "[ \"$POD_NAME\" = \"$ONLY\" ] || { echo \"only pod $ONLY may open the data; this is $POD_NAME\"; exit 1; }";
/// The image's files are executable for root alone (mode 744) and readable for all: whoever copies them
/// owns the copy and may run it. `/convex/data` is a folder, and stays where it is.
const PREPARE: &str = "for file in /convex/*; do if [ -f \"$file\" ]; then cp \"$file\" /run/convex/ || exit 1; fi; done";

/// The containers that come first, in order.
pub(super) fn containers(
    inputs: &Inputs<'_>,
    release: &Release,
    restricted: bool,
) -> Vec<Container> {
    let mut first = vec![gate(inputs, release)];
    first.extend(restricted.then(|| prepare(inputs, release)));
    first
}

fn gate(inputs: &Inputs<'_>, release: &Release) -> Container {
    let own_name = EnvVarSource {
        field_ref: Some(ObjectFieldSelector {
            api_version: Some("v1".to_owned()),
            field_path: "metadata.name".to_owned(),
        }),
        ..EnvVarSource::default()
    };
    let only = format!("{}-0", inputs.names.backend());
    Container {
        env: Some(vec![
            EnvVar { name: "POD_NAME".to_owned(), value: None, value_from: Some(own_name) },
            EnvVar { name: "ONLY".to_owned(), value: Some(only), value_from: None },
        ]),
        ..script(inputs, release, "gate", GATE)
    }
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
