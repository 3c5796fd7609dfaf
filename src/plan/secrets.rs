//! The two Secrets of an instance. Keys are made once and never written over; the URL beside the admin key
//! follows the backend.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::ResourceExt;
use statemachine::pins::Backend;

use super::{
    Inputs, deed,
    labels::{self, Part},
    names::Names,
};
use crate::api::ConvexInstance;

/// The key of the name of an instance.
pub const INSTANCE_NAME: &str = "INSTANCE_NAME";
/// The key of the secret of an instance.
pub const INSTANCE_SECRET: &str = "INSTANCE_SECRET";
/// The key of the admin key, spelled as Convex's command line reads it.
pub const ADMIN_KEY: &str = "CONVEX_SELF_HOSTED_ADMIN_KEY";
/// The key of the URL, spelled as Convex's command line reads it.
pub const URL: &str = "CONVEX_SELF_HOSTED_URL";

/// The Secret with name and secret of the instance. It outlives the instance under Retain.
#[must_use]
pub fn instance(inputs: &Inputs<'_>) -> Secret {
    let name = inputs.names.instance_secret();
    let mut metadata = labels::outliving(inputs.instance, Part::Backend, name);
    if inputs.instance.spec.backend.db.is_server() {
        let backend = Backend { release: inputs.release.clone(), store: inputs.store.clone() };
        metadata.annotations = Some(deed::stamp(inputs, &backend, &[backend.release.opener()]));
    }
    Secret {
        metadata,
        data: Some(data([
            (INSTANCE_NAME, inputs.keys.name.to_string()),
            (INSTANCE_SECRET, inputs.keys.secret.to_hex().to_string()),
        ])),
        ..Secret::default()
    }
}

/// What of the Secret with the keys follows the data on a server: its stamp ([`deed`]), and the name that this instance was born
/// with.
#[must_use]
pub fn stamped(inputs: &Inputs<'_>, stamp: BTreeMap<String, String>) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(inputs.keys.source.secret.clone()),
            namespace: inputs.instance.metadata.namespace.clone(),
            annotations: Some(stamp),
            ..ObjectMeta::default()
        },
        data: Some(data([(INSTANCE_NAME, inputs.keys.name.to_string())])),
        ..Secret::default()
    }
}

/// What is said on the Secret with the keys where its instance goes before it has let anybody in.
#[must_use]
pub fn never_served(instance: &ConvexInstance, names: &Names) -> Secret {
    let uid = instance.uid().unwrap_or_default();
    let theirs = instance.spec.backend.instance.secret_ref.clone();
    Secret {
        metadata: ObjectMeta {
            name: Some(theirs.unwrap_or_else(|| names.instance_secret())),
            namespace: instance.namespace(),
            annotations: Some([(labels::NEVER_SERVED.to_owned(), uid)].into()),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    }
}

/// The Secret that an application's `envFrom` takes: where the backend is, and the key to it.
#[must_use]
pub fn admin(inputs: &Inputs<'_>) -> Secret {
    Secret {
        metadata: labels::owned(inputs.instance, Part::Backend, inputs.names.admin_secret()),
        data: Some(data([
            (URL, inputs.service_url(super::backend::API_PORT)),
            (ADMIN_KEY, inputs.keys.admin.expose().to_owned()),
        ])),
        ..Secret::default()
    }
}

fn data<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, ByteString> {
    let encoded = |(key, value): (&str, String)| (key.to_owned(), ByteString(value.into_bytes()));
    pairs.into_iter().map(encoded).collect()
}
