//! What a way in does not let through, and that the operator cannot change.

use std::collections::BTreeSet;

use gateway_api::gatewayclasses::GatewayClass;
use kube::ResourceExt;

use super::seen::{Found, Seen, lists};
use crate::{
    api::{ConvexInstance, Mode},
    plan::client_settings,
};

/// Without it a route cannot say that a request has no end (`pkg/features/httproute.go` of the Gateway API).
const TIMEOUTS: &str = "HTTPRouteRequestTimeout";

/// What those have to know who are let in by these Gateways; empty where there is nothing.
pub(super) fn of(seen: &Seen, instance: &ConvexInstance) -> String {
    let timeless = classes(seen, instance).filter(|it| !lists(it, TIMEOUTS));
    let timeless: BTreeSet<_> = timeless.map(ResourceExt::name_any).collect();
    if timeless.is_empty() {
        return String::new();
    }
    let names: Vec<_> = timeless.iter().map(|it| format!("\"{it}\"")).collect();
    format!(
        "GatewayClass {} does not let a route say how long a request may take: its controller's own limits hold, for long uploads too (docs/networking.md)",
        names.join(" and ")
    )
}

/// Whether somebody serves these Gateways who refuses large bodies unless a policy says otherwise.
pub(super) fn of_bodies(seen: &Seen, instance: &ConvexInstance) -> bool {
    classes(seen, instance).any(|it| client_settings::is_understood_by(&it.spec.controller_name))
}

/// The same, and that bodies are not let through.
pub(super) fn with_bodies(limits: &str) -> String {
    let bodies = "NGINX Gateway Fabric refuses bodies of more than 1 MiB: set spec.networking.vendorPolicies to Auto and see that the cluster has its ClientSettingsPolicy, or lift client_max_body_size at the Gateway";
    [limits, bodies].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ")
}

fn classes<'a>(
    seen: &'a Seen,
    instance: &'a ConvexInstance,
) -> impl Iterator<Item = &'a GatewayClass> {
    let networking = &instance.spec.networking;
    let shared = networking.way_in() == Mode::Shared;
    let home = instance.namespace().unwrap_or_default();
    let parents = networking.parent_refs.iter().filter(move |_| shared).filter_map(move |it| {
        match seen.gateway(it.namespace.as_deref().unwrap_or(&home), &it.name) {
            Found::There(gateway) => Some(gateway.spec.gateway_class_name.as_str()),
            Found::Missing | Found::Hidden => None,
        }
    });
    let own = networking.gateway_class_name.as_deref().filter(|_| !shared);
    own.into_iter().chain(parents).filter_map(|name| seen.class(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{
        gateways::{gateway, served_class},
        instance_with,
    };

    fn seen(features: &[&str], controller: &str) -> Seen {
        let mut class = served_class(features);
        controller.clone_into(&mut class.spec.controller_name);
        Seen {
            gateways: vec![gateway(&json!([]), &[])],
            classes: Some(vec![class]),
            ..Seen::default()
        }
    }

    fn shared() -> ConvexInstance {
        let parents = json!([{"name": "public", "namespace": "infra"}]);
        instance_with(|spec| {
            spec["networking"] = json!({"host": "api.example.com", "parentRefs": parents});
        })
    }

    #[test]
    fn who_is_let_in_is_told_whose_limits_hold() {
        assert_eq!(of(&seen(&[TIMEOUTS], "example.com/any"), &shared()), "");
        let told = of(&seen(&[], "example.com/any"), &shared());
        assert!(told.starts_with("GatewayClass \"example\" does not let a route say"), "{told}");
        let own = instance_with(|spec| {
            spec["networking"] = json!({"host": "api.example.com", "gatewayClassName": "example"});
        });
        assert_eq!(of(&seen(&[], "example.com/any"), &own), told);
    }

    /// Where both are named, `mode` says which one counts.
    #[test]
    fn the_class_of_a_gateway_of_its_own_is_no_matter_to_one_that_is_shared() {
        let mut seen = seen(&[TIMEOUTS], "example.com/any");
        let mut own = served_class(&[]);
        own.metadata.name = Some("own".to_owned());
        seen.classes.as_mut().unwrap().push(own);
        let both = |mode: &str| {
            let mut instance = shared();
            instance.spec.networking.gateway_class_name = Some("own".to_owned());
            instance.spec.networking.mode = serde_json::from_value(json!(mode)).unwrap();
            instance
        };
        assert_eq!(of(&seen, &both("Shared")), "");
        assert!(of(&seen, &both("OwnGateway")).contains("\"own\""));
    }

    #[test]
    fn bodies_are_a_matter_of_one_controller_alone() {
        for theirs in ["nginx-gateway-controller", "of-the-team"] {
            let theirs = format!("gateway.nginx.org/{theirs}");
            assert!(of_bodies(&seen(&[], &theirs), &shared()), "{theirs}");
        }
        for other in ["example.com/any", "gateway.nginx.organic/any"] {
            assert!(!of_bodies(&seen(&[], other), &shared()), "{other}");
        }
        let both = with_bodies("first");
        assert!(both.starts_with("first; ") && both.contains("1 MiB"), "{both}");
        assert!(with_bodies("").starts_with("NGINX"));
    }
}
