//! The gate looks at the servers outside that the backend depends on, with what the backend gets.

use k8s_openapi::api::core::v1::{Container, EnvVar, VolumeMount};
use statemachine::pins::Backend;

use super::{is, own};
use crate::{
    api::{CreateDatabase, ExtraMount},
    plan::{
        Inputs,
        backend::{environment, mount},
        config, outside,
    },
};

/// Where it is kept, as long as the pod lives, what was told of it last.
const TOLD: &str = "preflight.told";

/// The gate that looks at them, where there are any.
pub(super) fn with(inputs: &Inputs<'_>, backend: &Backend, gate: Container) -> Container {
    if inputs.outside.is_empty() {
        return gate;
    }
    let tmp = config::TMP_DIR.trim_start_matches('/');
    let about = environment::about_servers(inputs, backend);
    let mut gate = gate;
    gate.args.get_or_insert_default().push("--preflight".to_owned());
    let mounts = gate.volume_mounts.get_or_insert_default();
    mounts.push(mount("tmp", config::TMP_DIR));
    mounts.extend(outside::mounted(inputs).map(|(_, place)| place));
    mounts.extend(named(inputs, &about));
    let create = inputs.instance.spec.backend.db.create_database;
    let create = create.filter(|it| *it == CreateDatabase::IfMissing);
    let env = gate.env.get_or_insert_default();
    env.extend([own("POD_UID", "metadata.uid"), is("TOLD", format!("{tmp}/{TOLD}"))]);
    env.extend(create.map(|it| is("CREATE_DATABASE", it.word())));
    env.extend(about);
    gate
}

/// The mounts of the spec with files that a variable names, such as authorities or a profile of the cloud.
pub(in crate::plan) fn named(inputs: &Inputs<'_>, about: &[EnvVar]) -> Vec<VolumeMount> {
    let all = inputs.instance.spec.backend.pod.iter().flat_map(|it| &it.volume_mounts);
    let holds = |it: &&ExtraMount| {
        let below = format!("{}/", it.mount_path.trim_end_matches('/'));
        let mut values = about.iter().filter_map(|it| it.value.as_deref());
        values.any(|value| value == it.mount_path || value.starts_with(&below))
    };
    let read = |it: &ExtraMount| VolumeMount {
        sub_path: it.sub_path.clone(),
        read_only: Some(true),
        ..mount(&it.name, &it.mount_path)
    };
    all.filter(holds).map(read).collect()
}

#[cfg(test)]
mod tests;
