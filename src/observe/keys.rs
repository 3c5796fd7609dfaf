//! The keys of an instance: read by name, or prepared to be made.
//!
//! User Secrets are neither listed nor watched; they are read when a pass needs them. A value never
//! leaves this module but as a typed secret that does not print itself.

mod admin;
mod found;
mod naming;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use statemachine::pins::Store;

pub use self::found::{AdminFound, Keys, KeysFound, Source};
pub(super) use self::found::{Data, Seen};
pub(in crate::observe) use self::naming::renamed;
use super::Obstacle;
use crate::{
    api::ConvexInstance,
    context::Context,
    convex::{InstanceName, InstanceSecret},
    plan::{
        labels::{self, Belongs},
        names::Names,
        secrets,
    },
};

/// What keys are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Whether there is data that they were made for.
    pub(super) data: &'a Data,
    /// The store that the data is in, or is meant for.
    pub(super) used: &'a Store,
    /// All stores that are the instance's.
    pub(super) own: &'a BTreeSet<Store>,
}

/// The reason of an admin key that was not made with the instance's secret.
const MISMATCH: &str = "AdminKeyMismatch";

impl Seen {
    /// The keys, unless the data was made under another instance name: that is part of it.
    pub(super) fn for_data_of(self, name: Option<&str>) -> Self {
        let other = |keys: &Keys| name.filter(|it| *it != keys.deployment.as_str());
        let Some(made) = self.keys.as_ref().and_then(other) else { return self };
        let now = self.keys.as_ref().map(|it| it.deployment.to_string()).unwrap_or_default();
        let obstacle = Some(renamed(made, &now));
        Self { keys: None, obstacle, unfit: true, ..self }
    }
}

/// Reads the keys, or prepares new ones for an instance that never had any.
pub(super) async fn read(
    ctx: &Context,
    instance: &ConvexInstance,
    names: &Names,
    asked: Asked<'_>,
) -> kube::Result<Seen> {
    let namespace = instance.namespace().unwrap_or_default();
    let secrets: Api<Secret> = Api::namespaced(ctx.client.clone(), &namespace);
    let existing = instance.spec.backend.instance.secret_ref.as_deref();
    let own = names.instance_secret();
    // Whoever rotates changes the first and then deletes the second: read the other way round, a key would be minted with what
    // was there before, and stay.
    let admin = secrets.get_opt(&names.admin_secret()).await?;
    let holder = secrets.get_opt(existing.unwrap_or(&own)).await?;
    Ok(judged(instance, names, asked, holder.as_ref(), admin.as_ref()))
}

/// What the two Secrets say, where they are there.
fn judged(
    instance: &ConvexInstance,
    names: &Names,
    asked: Asked<'_>,
    holder: Option<&Secret>,
    admin: Option<&Secret>,
) -> Seen {
    let existing = instance.spec.backend.instance.secret_ref.as_deref();
    let stored = [holder.filter(|_| existing.is_none()), admin]
        .into_iter()
        .flatten()
        .filter(|secret| labels::belongs(instance, &secret.metadata) == Belongs::Ours)
        .map(ResourceExt::name_any)
        .collect();
    let namespace = instance.namespace().unwrap_or_default();
    let reader = Reader { instance, names, namespace: &namespace, asked };
    let found = match (existing, holder) {
        (Some(name), holder) => reader.named(name, holder),
        (None, Some(holder)) => reader.own(holder),
        (None, None) => reader.fresh(),
    };
    match found.and_then(|half| reader.with_admin(half, admin)) {
        Ok((_, Some(obstacle))) if *asked.data == Data::Own && obstacle.reason == MISMATCH => {
            Seen { keys: None, obstacle: Some(obstacle), stored, unfit: true }
        }
        Ok((keys, obstacle)) => Seen { keys: Some(keys), obstacle, stored, unfit: false },
        Err(obstacle) => Seen { keys: None, obstacle: Some(obstacle), stored, unfit: false },
    }
}

struct Reader<'a> {
    instance: &'a ConvexInstance,
    names: &'a Names,
    namespace: &'a str,
    asked: Asked<'a>,
}

struct Half {
    name: InstanceName,
    secret: InstanceSecret,
    source: Source,
    found: KeysFound,
    of_the_operator: bool,
}

impl Reader<'_> {
    fn named(&self, name: &str, holder: Option<&Secret>) -> Result<Half, Obstacle> {
        let key = self.instance.spec.backend.instance.secret_key.as_deref();
        let key = key.unwrap_or(secrets::INSTANCE_SECRET);
        let missing = || {
            Obstacle::new(
                "SecretMissing",
                format!(
                    "Secret \"{name}\" is not in namespace \"{}\"; create it with key \"{key}\". Looking again within 30 s.",
                    self.namespace
                ),
            )
        };
        self.half(holder.ok_or_else(missing)?, key, KeysFound::Named)
    }

    fn own(&self, holder: &Secret) -> Result<Half, Obstacle> {
        let name = holder.name_any();
        let taken_over = self.instance.spec.backend.storage.pvc.existing_claim.is_some();
        let found = match labels::belongs(self.instance, &holder.metadata) {
            Belongs::Ours => KeysFound::Ours,
            Belongs::Retained if taken_over => KeysFound::Retained,
            Belongs::Retained if !self.instance.spec.backend.storage.pvc.enabled => {
                return Err(Obstacle::new(
                    "NameConflict",
                    format!(
                        "Secret \"{name}\" was kept from an earlier instance of this name (deletionPolicy Retain). To go on with the data that was made with it, set spec.backend.instance.secretRef: {name}; to start anew, delete the Secret, or choose another name."
                    ),
                ));
            }
            Belongs::Retained => {
                return Err(Obstacle::new(
                    "NameConflict",
                    format!(
                        "Secret \"{name}\" was kept from an earlier instance of this name (deletionPolicy Retain). To take it over with its data, create the instance with spec.backend.storage.pvc.existingClaim: {} (where an upgrade has moved the data, the claim whose annotation convex.icod.de/sealed is the largest number); to start anew, delete the Secret and that claim, or choose another name.",
                        self.names.store(&self.left_in(holder))
                    ),
                ));
            }
            Belongs::Foreign => {
                return Err(Obstacle::new(
                    "NameConflict",
                    format!(
                        "Secret \"{name}\" exists and is not owned by this instance; set spec.backend.instance.secretRef to \"{name}\" to use it, or rename one of the two. It was not touched."
                    ),
                ));
            }
        };
        self.half(holder, secrets::INSTANCE_SECRET, found)
    }

    fn fresh(&self) -> Result<Half, Obstacle> {
        let name = self.names.instance_secret();
        if let Some(obstacle) = self.keyless(&name) {
            return Err(obstacle);
        }
        let secret = InstanceSecret::generate()
            .map_err(|error| Obstacle::new("RandomnessMissing", error.to_string()))?;
        Ok(Half {
            name: self.instance_name(None)?,
            secret,
            source: Source { secret: name, key: secrets::INSTANCE_SECRET.to_owned() },
            found: KeysFound::Nowhere,
            of_the_operator: true,
        })
    }

    /// Data whose keys are not here, with what to do about it.
    fn keyless(&self, name: &str) -> Option<Obstacle> {
        match self.asked.data {
            Data::New => None,
            Data::Own => Some(Obstacle::new(
                "SecretLost",
                format!(
                    "Secret \"{name}\" is gone, and the admin keys of this instance were made with it. A new one is not invented: restore it from a backup with its labels, or put INSTANCE_NAME and INSTANCE_SECRET into a Secret of another name and set spec.backend.instance.secretRef to it. Where there is no data to keep, delete the instance and its claim and create it anew. What runs is left as it is."
                ),
            )),
            Data::Inherited { claim, secret } => {
                let old = secret.as_deref().unwrap_or("of that instance");
                Some(Obstacle::new(
                    "SecretMissing",
                    format!(
                        "claim \"{claim}\" holds the data of an earlier instance, whose admin keys were made with Secret \"{old}\"; a new one is not invented for it. Set spec.backend.instance.secretRef to \"{old}\", or restore it from a backup. Looking again within 30 s."
                    ),
                ))
            }
        }
    }

    fn half(&self, holder: &Secret, key: &str, found: KeysFound) -> Result<Half, Obstacle> {
        if let Some(left) = self.left(holder) {
            return Err(left);
        }
        let secret = holder.name_any();
        let value = value(holder, key).ok_or_else(|| key_missing(holder, key))?;
        let invalid = |error: &dyn std::fmt::Display| {
            Obstacle::new(
                "SecretInvalid",
                format!(
                    "Secret \"{secret}\", key \"{key}\" {error}. Mend it; looking again within 30 s."
                ),
            )
        };
        Ok(Half {
            secret: InstanceSecret::parse(value).map_err(|error| invalid(&error))?,
            name: self.instance_name(Some(holder))?,
            source: Source { secret, key: key.to_owned() },
            found,
            of_the_operator: labels::belongs(self.instance, &holder.metadata) != Belongs::Foreign,
        })
    }
}

fn value<'a>(secret: &'a Secret, key: &str) -> Option<&'a [u8]> {
    secret.data.as_ref()?.get(key).map(|value| value.0.as_slice())
}

/// Names the keys that are there, for a typo shows at once beside them.
fn key_missing(secret: &Secret, key: &str) -> Obstacle {
    let keys: Vec<_> = secret.data.iter().flatten().map(|(key, _)| key.as_str()).collect();
    let has = if keys.is_empty() { "no key at all".to_owned() } else { keys.join(", ") };
    Obstacle::new(
        "SecretKeyMissing",
        format!(
            "Secret \"{}\" has no key \"{key}\" (it has: {has}). Add the key; looking again within 30 s.",
            secret.name_any()
        ),
    )
}

#[cfg(test)]
mod tests;
