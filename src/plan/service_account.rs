//! The service account of a part, where the spec asks for one of its own: bound to no role, and without a token.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::{
    Inputs,
    labels::{self, Part},
    pod,
};

/// The account that is asked for; none where another one is used.
#[must_use]
pub fn service_account(inputs: &Inputs<'_>, part: Part) -> Option<ServiceAccount> {
    let asked = pod::made_account(inputs.instance, part)?;
    let name = inputs.names.of_part(part);
    let mut metadata = labels::owned(inputs.instance, part, name);
    metadata.annotations = Some(asked.annotations.clone());
    Some(ServiceAccount {
        metadata,
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    })
}
