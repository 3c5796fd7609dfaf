//! The two Secrets of an instance. Keys are made once and never written over; the URL beside the admin key
//! follows the backend.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};

use super::{
    Inputs,
    labels::{self, Part},
};
use crate::convex::InstanceName;

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
    Secret {
        metadata: labels::outliving(inputs.instance, Part::Backend, inputs.names.instance_secret()),
        data: Some(data([
            (INSTANCE_NAME, inputs.keys.name.to_string()),
            (INSTANCE_SECRET, inputs.keys.secret.to_hex().to_string()),
        ])),
        ..Secret::default()
    }
}

/// What of that Secret follows the data: the name of the deployment, under which whoever makes the instance anew finds it.
#[must_use]
pub fn renamed(inputs: &Inputs<'_>, deployment: &InstanceName) -> Secret {
    let Secret { metadata, .. } = instance(inputs);
    let data = data([(INSTANCE_NAME, deployment.to_string())]);
    Secret { metadata, data: Some(data), ..Secret::default() }
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
