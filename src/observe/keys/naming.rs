//! What the deployment is called, and when that is not the name of the data.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use statemachine::pins::Store;

use super::{Reader, value};
use crate::{
    convex::InstanceName,
    observe::Obstacle,
    plan::{
        labels::{self, Belongs},
        secrets,
    },
};

/// That the data belongs to another instance name.
pub(in crate::observe) fn renamed(made: &str, now: &str) -> Obstacle {
    let message = format!(
        "the data was made under the instance name \"{made}\", and the name is \"{now}\" now (key INSTANCE_NAME of the Secret, or spec.backend.instance.name). Put it back; what runs keeps running as it is."
    );
    Obstacle::new("InstanceNameChanged", message)
}

impl Reader<'_> {
    /// A Secret that we have written names the deployment that the data is in. Where that was moved to a database of another
    /// name, the one that the spec still names holds what was left then.
    pub(super) fn left(&self, holder: &Secret) -> Option<Obstacle> {
        let spec = self.instance.spec.backend.instance.name.as_deref()?;
        let begins = *self.asked.used == Store::Original;
        let asks = begins && self.instance.spec.backend.db.is_server();
        let kept = kept_name(holder).filter(|_| {
            asks && labels::belongs(self.instance, &holder.metadata) != Belongs::Foreign
        })?;
        (kept.as_str() != spec).then(|| renamed(kept.as_str(), spec))
    }

    /// The spec's name, else the one beside the secret, else the name of the resource.
    pub(super) fn instance_name(&self, holder: Option<&Secret>) -> Result<InstanceName, Obstacle> {
        let spec = self.instance.spec.backend.instance.name.as_deref().map(str::as_bytes);
        let beside = holder.and_then(|it| value(it, secrets::INSTANCE_NAME));
        let own = self.instance.name_any();
        let name = spec.or(beside).unwrap_or(own.as_bytes());
        InstanceName::parse(name).map_err(|error| {
            let holder = holder.map(ResourceExt::name_any).unwrap_or_default();
            Obstacle::new(
                "SecretInvalid",
                format!("Secret \"{holder}\", key \"{}\" {error}. Mend it, or set spec.backend.instance.name.", secrets::INSTANCE_NAME),
            )
        })
    }
}

/// The name beside an instance secret.
pub(super) fn kept_name(holder: &Secret) -> Option<InstanceName> {
    InstanceName::parse(value(holder, secrets::INSTANCE_NAME)?).ok()
}
