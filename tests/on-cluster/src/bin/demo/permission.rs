//! Whether the user may do what the demo does.

use anyhow::{Result, ensure};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::{Api, Client, api::PostParams};

/// Group and resource of everything that is made outside the demo's own namespace. The roles may also be bound and hold
/// what the user does not: whoever may do everything else here mostly may do that.
const MADE: [(&str, &str); 6] = [
    ("", "namespaces"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("apps", "deployments"),
    ("convex.icod.de", "convexinstances"),
];

/// Nothing, where the user may.
///
/// # Errors
/// The user may not; the message names everything that is missing.
pub async fn check(client: &Client) -> Result<()> {
    let mut missing = Vec::new();
    for (group, resource) in MADE {
        for verb in ["create", "delete"] {
            if !may(client, verb, group, resource).await? {
                missing.push(format!("{verb} {resource}"));
            }
        }
    }
    ensure!(
        missing.is_empty(),
        "with this context you may not {}; the demo installs a resource definition and a cluster role, which an administrator of the cluster may",
        missing.join(", ")
    );
    Ok(())
}

async fn may(client: &Client, verb: &str, group: &str, resource: &str) -> Result<bool> {
    let attributes = ResourceAttributes {
        verb: Some(verb.to_owned()),
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(attributes),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
