//! The `ServiceAccount` by which object storage knows the backend: an identity, and no rights in the cluster.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::{
    Inputs,
    labels::{self, Part},
};

/// The `ServiceAccount`; none where the spec asks for none. No token of it is mounted: what a cloud reads is put into the pod
/// by a webhook of that cloud.
#[must_use]
pub fn account(inputs: &Inputs<'_>) -> Option<ServiceAccount> {
    let wanted = inputs.instance.spec.backend.service_account.as_ref()?;
    let name = inputs.names.backend_account();
    let mut metadata = labels::owned(inputs.instance, Part::Backend, name);
    metadata.annotations = Some(wanted.annotations.clone()).filter(|it| !it.is_empty());
    Some(ServiceAccount {
        metadata,
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    })
}
