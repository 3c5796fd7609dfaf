//! Who a container runs as. Nobody's id is changed here, but what would have been refused is refused.

use k8s_openapi::api::core::v1::{Container, Pod};
use kube::ResourceExt;

use crate::{env::ConfigError, images::Role};

/// The `runAsUser` that counts for `container`.
#[must_use]
pub fn user(pod: &Pod, container: &Container) -> Option<i64> {
    let own = container.security_context.as_ref().and_then(|context| context.run_as_user);
    own.or_else(|| pod.spec.as_ref()?.security_context.as_ref()?.run_as_user)
}

/// Refuses what a kubelet refuses under `runAsNonRoot`, given that the backend's image has no user and the dashboard's has one
/// without a number.
///
/// # Errors
/// In a kubelet's words.
pub fn check(pod: &Pod, container: &Container, role: Role) -> Result<(), ConfigError> {
    let own = container.security_context.as_ref().and_then(|context| context.run_as_non_root);
    let pods = || pod.spec.as_ref()?.security_context.as_ref()?.run_as_non_root;
    if own.or_else(pods) != Some(true) {
        return Ok(());
    }
    let what = match (user(pod, container), role) {
        (Some(0), _) => "container's runAsUser breaks non-root policy",
        (None, Role::Dashboard) => {
            "container has runAsNonRoot and image has non-numeric user (nextjs), cannot verify user is non-root"
        }
        (None, Role::Backend) => "container has runAsNonRoot and image will run as root",
        (Some(_), _) | (None, Role::Program) => return Ok(()),
    };
    Err(ConfigError::User(format!(
        "{what} (pod: \"{}\", container: {})",
        full_name(pod),
        container.name
    )))
}

/// `name_namespace(uid)`, as kubelets name pods in messages.
#[must_use]
pub fn full_name(pod: &Pod) -> String {
    let (namespace, uid) = (pod.namespace().unwrap_or_default(), pod.uid().unwrap_or_default());
    format!("{}_{namespace}({uid})", pod.name_any())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn checked(context: &Value, role: Role) -> Result<(), String> {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "db-0", "namespace": "shop", "uid": "1-2"},
            "spec": {"containers": [{"name": "db", "securityContext": context}],
                     "securityContext": {"runAsNonRoot": true}}
        }))
        .unwrap();
        let container = pod.spec.as_ref().unwrap().containers[0].clone();
        check(&pod, &container, role).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_number_neither_image_runs_as_non_root() {
        assert_eq!(
            checked(&json!({}), Role::Backend).unwrap_err(),
            "container has runAsNonRoot and image will run as root (pod: \"db-0_shop(1-2)\", container: db)"
        );
        assert!(checked(&json!({}), Role::Dashboard).unwrap_err().contains("non-numeric user"));
        for role in [Role::Backend, Role::Dashboard] {
            assert_eq!(checked(&json!({"runAsUser": 1001}), role), Ok(()));
            assert!(checked(&json!({"runAsUser": 0}), role).is_err());
        }
    }

    #[test]
    fn a_container_may_say_that_root_is_fine() {
        assert_eq!(checked(&json!({"runAsNonRoot": false}), Role::Backend), Ok(()));
    }
}
