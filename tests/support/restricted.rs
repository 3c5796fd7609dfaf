//! The restricted Pod Security Standard, from its documented rules.
//!
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>

use k8s_openapi::api::core::v1::{Container, PodSpec, SecurityContext, Volume};

/// What of the standard this pod breaks; empty where it passes.
pub fn violations(pod: &PodSpec) -> Vec<String> {
    let mut found = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    let shares = [pod.host_network, pod.host_pid, pod.host_ipc];
    demand(shares.iter().all(|it| *it != Some(true)), "shares a namespace of its host");
    demand(
        pod.volumes.iter().flatten().all(is_allowed),
        "has a volume of a kind that is not allowed",
    );
    let security = pod.security_context.clone().unwrap_or_default();
    demand(security.run_as_user != Some(0), "runs as root");
    demand(security.sysctls.iter().flatten().count() == 0, "sets sysctls");
    let confined = security.seccomp_profile.as_ref().is_some_and(|it| it.type_ == "RuntimeDefault");
    let not_root = security.run_as_non_root == Some(true);
    for container in pod.init_containers.iter().flatten().chain(&pod.containers) {
        let own = container.security_context.clone().unwrap_or_default();
        let ports = container.ports.iter().flatten();
        demand(ports.clone().all(|it| it.host_port.unwrap_or(0) == 0), "takes a port of its host");
        demand(own.run_as_user != Some(0), "has a container that runs as root");
        demand(
            own.run_as_non_root == Some(true) || (not_root && own.run_as_non_root.is_none()),
            "does not say that it is not root",
        );
        let own_profile = own.seccomp_profile.as_ref().map(|it| it.type_.as_str());
        let filtered = matches!(own_profile, Some("RuntimeDefault" | "Localhost"));
        demand(filtered || (confined && own_profile.is_none()), "has no seccomp profile");
        demand(is_powerless(&own), "has privileges or can gain them");
        demand(probes_itself(container), "probes another host");
    }
    found
}

fn is_allowed(volume: &Volume) -> bool {
    volume.empty_dir.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.secret.is_some()
        || volume.config_map.is_some()
        || volume.projected.is_some()
        || volume.csi.is_some()
}

fn is_powerless(security: &SecurityContext) -> bool {
    let capabilities = security.capabilities.clone().unwrap_or_default();
    let dropped = capabilities.drop.iter().flatten().any(|it| it == "ALL");
    let added = capabilities.add.iter().flatten().any(|it| it != "NET_BIND_SERVICE");
    let proc_mount = security.proc_mount.as_deref().unwrap_or("Default");
    security.allow_privilege_escalation == Some(false)
        && security.privileged != Some(true)
        && proc_mount == "Default"
        && dropped
        && !added
}

fn probes_itself(container: &Container) -> bool {
    let probes = [&container.liveness_probe, &container.readiness_probe, &container.startup_probe];
    let asked = probes.into_iter().flatten().filter_map(|it| it.http_get.as_ref());
    asked.map(|it| &it.host).all(Option::is_none)
}
