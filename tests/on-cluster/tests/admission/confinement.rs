//! How pods are confined, and that nobody takes it off.

use on_cluster::{Case, Instance, rule};
use serde_json::{Value, json};

pub fn cases() -> Vec<Case> {
    let parts = ["backend", "dashboard"].into_iter();
    let all = parts.flat_map(|part| [powerless(part), confined(part)]);
    all.chain([page(), root()]).chain(profile()).collect()
}

fn powerless(part: &str) -> Case {
    let field = format!("spec.{part}.security");
    let container =
        |settings: Value| Instance::dev("a").with(&format!("{part}.security.container"), settings);
    rule(&field, "remove privileged, allowPrivilegeEscalation, procMount and capabilities.add")
        .accepts(container(json!({"privileged": false, "capabilities": {"drop": ["ALL"]}})))
        .refuses(container(json!({"privileged": true})))
        .refuses(container(json!({"allowPrivilegeEscalation": true})))
        .refuses(container(json!({"procMount": "Unmasked"})))
        .refuses(container(json!({"capabilities": {"add": ["SYS_ADMIN"]}})))
        .refuses(container(json!({"capabilities": {"drop": []}})))
}

fn confined(part: &str) -> Case {
    let laid = |over: &str, settings: Value| {
        Instance::dev("a").with(&format!("{part}.security.{over}"), settings)
    };
    let mut case =
        rule(&format!("spec.{part}.security"), &format!("pods of the {part} stay confined"))
            .accepts(laid("pod", json!({"seccompProfile": {"type": "RuntimeDefault"}})))
            .accepts(laid("container", json!({"seLinuxOptions": {"level": "s0:c1,c2"}})))
            .accepts(laid("pod", json!({"seLinuxOptions": {"type": "container_t"}})))
            .refuses(laid("pod", json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]})));
    for over in ["pod", "container"] {
        for settings in [
            json!({"seccompProfile": {"type": "Unconfined"}}),
            json!({"appArmorProfile": {"type": "Unconfined"}}),
            json!({"seLinuxOptions": {"type": "spc_t"}}),
            json!({"seLinuxOptions": {"user": "system_u"}}),
            json!({"seLinuxOptions": {"role": "system_r"}}),
        ] {
            case = case.refuses(laid(over, settings));
        }
    }
    case
}

fn page() -> Case {
    let page = |over: &str, settings: Value| {
        Instance::dev("a").with(&format!("dashboard.security.{over}"), settings)
    };
    rule("spec.dashboard.security", "user 0 is root: name another user")
        .accepts(page("pod", json!({"runAsUser": 101, "runAsNonRoot": true})))
        .refuses(page("pod", json!({"runAsUser": 0})))
        .refuses(page("container", json!({"runAsUser": 0})))
        .refuses(page("pod", json!({"runAsNonRoot": false})))
        .refuses(page("container", json!({"runAsNonRoot": false})))
}

fn root() -> Case {
    let user = |profile: &str, part: &str, user: u32| {
        Instance::dev("a")
            .with("backend.security", json!({"profile": profile, part: {"runAsUser": user}}))
    };
    rule("spec.backend.security", "user 0 is root")
        .accepts(user("Restricted", "pod", 1001))
        .accepts(user("Image", "container", 0))
        .refuses(user("Restricted", "pod", 0))
        .refuses(user("Restricted", "container", 0))
        .refuses(Instance::dev("a").with("backend.security.pod", json!({"runAsNonRoot": false})))
        .refuses(
            Instance::dev("a").with("backend.security.container", json!({"runAsNonRoot": false})),
        )
}

fn profile() -> Vec<Case> {
    let named =
        |name: &str, profile: &str| Instance::dev(name).with("backend.security.profile", profile);
    let of = |profile: &str| named("restricted", profile);
    let unset = Instance::dev("unconfined").without("backend.security");
    let to_root = rule("spec.backend", "root without capabilities cannot write")
        .after(of("Restricted"))
        .accepts(Instance::dev("restricted").without("backend.security"))
        .refuses(of("Image"));
    let from_default = rule("spec.backend", "root without capabilities cannot write")
        .after(unset)
        .accepts(named("unconfined", "Restricted"))
        .refuses(named("unconfined", "Image"));
    vec![to_root, from_default]
}
