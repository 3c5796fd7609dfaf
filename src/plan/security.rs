//! How pods are confined: the restricted Pod Security Standard, unless the spec takes it off.
//!
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>

use k8s_openapi::DeepMerge;
use k8s_openapi::api::core::v1::{
    Capabilities, PodSecurityContext, SeccompProfile, SecurityContext,
};

use crate::api::{Profile, Security};

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

/// The same for a container of the operator's image beside the backend's: that image has a user of its own, and what one of
/// them makes on a volume the other has to read and write. Convex's image runs as root.
#[must_use]
pub fn worker(confinement: &Security) -> SecurityContext {
    let mut context = container(confinement.container.as_ref());
    let named = confinement.pod.as_ref().and_then(|pod| pod.run_as_user);
    if confinement.profile == Profile::Image && named.is_none() {
        context.run_as_user.get_or_insert(0);
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(profile: Profile, pod: Option<i64>, container: Option<i64>) -> Option<i64> {
        let pod = PodSecurityContext { run_as_user: pod, ..PodSecurityContext::default() };
        let container = SecurityContext { run_as_user: container, ..SecurityContext::default() };
        worker(&Security { profile, pod: Some(pod), container: Some(container) }).run_as_user
    }

    #[test]
    fn a_worker_is_root_where_the_image_of_the_backend_is_and_nobody_names_a_user() {
        assert_eq!(user(Profile::Image, None, None), Some(0));
        assert_eq!(user(Profile::Image, None, Some(7)), Some(7));
        assert_eq!(user(Profile::Image, Some(7), None), None);
        assert_eq!(user(Profile::Restricted, None, None), None);
    }
}
