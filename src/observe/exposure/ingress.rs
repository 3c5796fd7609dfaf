//! Whether an Ingress is served.

use k8s_openapi::api::networking::v1::Ingress;
use kube::ResourceExt;

use super::super::Obstacle;

/// Who serves an Ingress says so by its address.
pub(super) fn obstacle(found: Option<&Ingress>) -> Option<Obstacle> {
    let Some(found) = found else {
        return Some(Obstacle::passing("IngressPending", "the Ingress is not there yet"));
    };
    let balancer = found.status.as_ref().and_then(|it| it.load_balancer.as_ref());
    if balancer.and_then(|it| it.ingress.as_ref()).is_some_and(|it| !it.is_empty()) {
        return None;
    }
    let class = found.spec.as_ref().and_then(|it| it.ingress_class_name.as_deref());
    let class = class.map_or_else(
        || "it names no class, and the cluster may have no default one".to_owned(),
        |class| format!("it names class \"{class}\""),
    );
    Some(Obstacle::passing(
        "AddressNotAssigned",
        format!(
            "no controller has given Ingress \"{}\" an address: {class}. See whether the controller of that class runs, or set spec.networking.ingress.className. Some controllers serve without saying so.",
            found.name_any()
        ),
    ))
}

#[test]
fn an_ingress_serves_once_it_has_an_address() {
    use serde_json::{Value, json};
    let of = |found: Value| {
        let found: Ingress = serde_json::from_value(found).unwrap();
        obstacle(Some(&found)).map(|it| (it.reason, it.message))
    };
    let named = json!({"metadata": {"name": "dev"}, "spec": {"ingressClassName": "nginx"}});
    let (reason, message) = of(named).unwrap();
    assert_eq!(reason, "AddressNotAssigned");
    assert!(message.contains("\"nginx\""), "{message}");
    let (_, message) = of(json!({"metadata": {"name": "dev"}})).unwrap();
    assert!(message.contains("no class"), "{message}");
    let address = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    assert_eq!(of(json!({"metadata": {"name": "dev"}, "status": address})), None);
    assert_eq!(obstacle(None).map(|it| it.reason), Some("IngressPending"));
}
