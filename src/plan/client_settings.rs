//! The one policy of a vendor that the operator knows: NGINX Gateway Fabric refuses bodies of more than 1 MiB, which no field of
//! the Gateway API changes, and lifts that by a policy next to the route
//! (`docs.nginx.com/nginx-gateway-fabric`, traffic management, client settings).

use kube::{CustomResource, api::ObjectMeta};
use serde::{Deserialize, Serialize};

use super::{
    Inputs,
    host::Purpose,
    labels::{self, Part},
};

/// The domain of those who understand the policy. What follows it in the `controllerName` of a `GatewayClass` is for whoever
/// installs NGINX Gateway Fabric to say (`--gateway-ctlr-name`, `docs.nginx.com/nginx-gateway-fabric/reference/cli-help`).
const DOMAIN: &str = "gateway.nginx.org/";
/// As large as clients send it (`client_max_body_size` of nginx: zero turns the check off). What is too large is for the backend
/// to say, which knows why.
const UNLIMITED: &str = "0";

/// Whether a controller of this name understands the policy.
#[must_use]
pub fn is_understood_by(controller: &str) -> bool {
    controller.starts_with(DOMAIN)
}

/// What a client may send, and to which route.
#[derive(CustomResource, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "gateway.nginx.org",
    version = "v1alpha1",
    kind = "ClientSettingsPolicy",
    plural = "clientsettingspolicies",
    namespaced,
    derive = "PartialEq",
    schema = "disabled"
)]
#[serde(rename_all = "camelCase")]
pub struct ClientSettingsPolicySpec {
    /// What the policy is about.
    pub target_ref: TargetRef,
    /// What is said of bodies of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// An object of the same namespace.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct TargetRef {
    /// Its API group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// What is said of bodies of requests.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// The largest one, such as `50m`; "0" where there is no largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<String>,
}

/// Lets bodies of any size through to a host. The dashboard is only read.
#[must_use]
pub fn policy(inputs: &Inputs<'_>, purpose: Purpose) -> Option<ClientSettingsPolicy> {
    if purpose == Purpose::Dashboard {
        return None;
    }
    let name = inputs.names.route(purpose);
    let metadata: ObjectMeta = labels::owned(inputs.instance, Part::Backend, name.clone());
    let spec = ClientSettingsPolicySpec {
        target_ref: TargetRef {
            group: "gateway.networking.k8s.io".to_owned(),
            kind: "HTTPRoute".to_owned(),
            name,
        },
        body: Some(Body { max_size: Some(UNLIMITED.to_owned()) }),
    };
    Some(ClientSettingsPolicy { metadata, spec })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{built_for, instance};

    #[test]
    fn bodies_of_any_size_come_through_to_the_backend_alone() {
        let made = |purpose| built_for(&instance(), |inputs| policy(inputs, purpose));
        let api = serde_json::to_value(made(Purpose::Api)).unwrap();
        assert_eq!(api["apiVersion"], "gateway.nginx.org/v1alpha1");
        assert_eq!(
            api["spec"],
            json!({"targetRef": {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute",
                "name": "dev-api"}, "body": {"maxSize": "0"}})
        );
        assert_eq!(api["metadata"]["name"], "dev-api");
        assert!(made(Purpose::Site).is_some() && made(Purpose::Dashboard).is_none());
    }
}
