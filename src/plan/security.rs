//! How pods are confined: the restricted Pod Security Standard, unless the spec takes it off.
//!
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>

use k8s_openapi::DeepMerge;
use k8s_openapi::api::core::v1::{
    Capabilities, PodSecurityContext, SeccompProfile, SecurityContext,
};

use crate::api::Profile;

/// A user that is not root, for pods whose image does not name one by number.
pub const USER: i64 = 1001;

/// The security context of a pod, with the spec's own laid over it.
#[must_use]
pub fn pod(profile: Profile, over: Option<&PodSecurityContext>) -> PodSecurityContext {
    let restricted = profile == Profile::Restricted;
    let mut context = PodSecurityContext {
        run_as_non_root: Some(restricted),
        run_as_user: restricted.then_some(USER),
        run_as_group: restricted.then_some(USER),
        fs_group: restricted.then_some(USER),
        fs_group_change_policy: restricted.then(|| "OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..PodSecurityContext::default()
    };
    over.cloned().into_iter().for_each(|over| context.merge_from(over));
    context
}

/// The security context of a container, with the spec's own laid over it.
#[must_use]
pub fn container(over: Option<&SecurityContext>) -> SecurityContext {
    let mut context = SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    };
    over.cloned().into_iter().for_each(|over| context.merge_from(over));
    context
}
