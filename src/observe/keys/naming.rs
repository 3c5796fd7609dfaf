//! What the deployment is called, and when that is not the name of the data.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use statemachine::pins::Store;

use super::{Reader, value};
use crate::{
    convex::InstanceName,
    observe::Obstacle,
    plan::{deed::Deed, secrets},
};

/// The data has another name than the one that is asked for.
const CHANGED: &str = "InstanceNameChanged";

/// That the data belongs to another instance name.
pub(in crate::observe) fn renamed(made: &str, now: &str) -> Obstacle {
    let message = format!(
        "the data was made under the instance name \"{made}\", and the name is \"{now}\" now (key INSTANCE_NAME of the Secret, or spec.backend.instance.name). Put it back; what runs keeps running as it is."
    );
    Obstacle::new(CHANGED, message)
}

/// The same of an instance that is made anew. Its field cannot change, and it has made nothing yet.
fn named_otherwise(left: &str, spec: &str) -> Obstacle {
    let message = format!(
        "the instance that was here before has moved its data to the instance name \"{left}\"; that of \"{spec}\", which spec.backend.instance.name asks for, is what it left behind. The field cannot change: delete this instance, which has opened nothing yet, and create it anew with \"{left}\", or without the field."
    );
    Obstacle::new(CHANGED, message)
}

impl Reader<'_> {
    /// An instance that was there before has moved the data to a database of another name, and the one that the spec names holds
    /// what was left then.
    pub(super) fn left(&self, holder: &Secret) -> Option<Obstacle> {
        let spec = self.instance.spec.backend.instance.name.as_deref()?;
        let deed = self.inherited(holder).filter(Deed::is_inherited)?;
        (deed.deployment.as_str() != spec).then(|| named_otherwise(deed.deployment.as_str(), spec))
    }

    /// What an earlier instance has stamped on the Secret.
    fn inherited(&self, holder: &Secret) -> Option<Deed> {
        Deed::of(self.instance, holder).filter(|it| !it.own)
    }

    /// The store that an earlier instance has left its data in, as that one called it.
    pub(super) fn left_in(&self, holder: &Secret) -> Store {
        self.inherited(holder).map(|it| it.store).unwrap_or_default()
    }

    /// The spec's name, else the one that the data has, else the one beside the secret, else the name of the resource.
    pub(super) fn instance_name(&self, holder: Option<&Secret>) -> Result<InstanceName, Obstacle> {
        let spec = self.instance.spec.backend.instance.name.as_deref().map(str::as_bytes);
        let inherited = holder.and_then(|it| self.inherited(it)).map(|it| it.deployment);
        let beside = holder.and_then(|it| value(it, secrets::INSTANCE_NAME));
        let own = self.instance.name_any();
        let moved = inherited.as_ref().map(|it| it.as_str().as_bytes());
        let name = spec.or(moved).or(beside).unwrap_or(own.as_bytes());
        InstanceName::parse(name).map_err(|error| {
            let holder = holder.map(ResourceExt::name_any).unwrap_or_default();
            Obstacle::new(
                "SecretInvalid",
                format!("Secret \"{holder}\", key \"{}\" {error}. Mend it, or set spec.backend.instance.name.", secrets::INSTANCE_NAME),
            )
        })
    }
}
