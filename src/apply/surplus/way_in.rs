//! What somebody added to the way in: another door, another destination, something done on the way.

use serde_json::{Map, Value, json};

/// The lists of a route. The CRD declares all of them atomic: whoever writes one writes all of it.
const LISTS: [&str; 3] = ["parentRefs", "hostnames", "rules"];
/// The one of a Gateway that decides who gets in.
const LISTENERS: &str = "listeners";

/// The lists of a route that hold more than is wanted, as they are wanted.
pub(super) fn route(live: &Value, wanted: &Value) -> Map<String, Value> {
    let over = LISTS.iter().filter(|list| !is_within(list, &live[**list], &wanted[**list]));
    over.map(|list| ((*list).to_owned(), wanted[*list].clone())).collect()
}

/// Whether there is nothing in what is below this field but what is wanted, and what the API server puts there by itself.
fn is_within(field: &str, live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => live.iter().all(|(key, value)| {
            let default = || value.is_null() || is_default(field, key, value);
            wanted.get(key).map_or_else(default, |wanted| is_within(key, value, wanted))
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            let each = || live.iter().zip(wanted).all(|(live, of)| is_within(field, live, of));
            live.len() <= wanted.len() && each()
        }
        (Value::Array(live), Value::Null) => live.is_empty(),
        _ => true,
    }
}

/// What the CRDs put where nothing is said (`config/crd/standard` of the Gateway API).
fn is_default(field: &str, key: &str, value: &Value) -> bool {
    let default = match (field, key) {
        ("parentRefs", "group") => json!("gateway.networking.k8s.io"),
        ("parentRefs", "kind") => json!("Gateway"),
        ("backendRefs" | "certificateRefs", "group") => json!(""),
        ("backendRefs", "kind") => json!("Service"),
        ("backendRefs", "weight") => json!(1),
        ("certificateRefs", "kind") => json!("Secret"),
        ("tls", "mode") => json!("Terminate"),
        ("listeners", "allowedRoutes") => json!({"namespaces": {"from": "Same"}}),
        _ => return false,
    };
    *value == default
}

/// What no rule is about leads elsewhere.
pub(super) fn ingress(live: &Value, wanted: &Value) -> Map<String, Value> {
    let added = |field: &&&str| live.get(**field).is_some() && wanted.get(**field).is_none();
    let added = ["defaultBackend", "tls"].iter().filter(added);
    added.map(|field| ((*field).to_owned(), Value::Null)).collect()
}

/// A door of somebody else, routes of other namespaces through ours, and another certificate.
pub(super) fn gateway(live: &Value, wanted: &Value) -> Map<String, Value> {
    let over = !is_within(LISTENERS, &live[LISTENERS], &wanted[LISTENERS]);
    over.then(|| (LISTENERS.to_owned(), wanted[LISTENERS].clone())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted() -> Value {
        json!({
            "parentRefs": [{"name": "public", "sectionName": "tls"}],
            "hostnames": ["api.example.com"],
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "dev-backend", "port": 3210}]}],
        })
    }

    /// What the API server makes of it.
    fn live() -> Value {
        let mut live = wanted();
        live["parentRefs"][0]["group"] = json!("gateway.networking.k8s.io");
        live["parentRefs"][0]["kind"] = json!("Gateway");
        let to = &mut live["rules"][0]["backendRefs"][0];
        (to["weight"], to["group"], to["kind"]) = (json!(1), json!(""), json!("Service"));
        live
    }

    #[test]
    fn a_route_leads_from_nowhere_else_to_nowhere_else() {
        assert_eq!(route(&live(), &wanted()), Map::new());
        let cases = [
            ("parentRefs", "/parentRefs", json!({"name": "private"})),
            ("hostnames", "/hostnames", json!("evil.example.com")),
            ("rules", "/rules", json!({"backendRefs": [{"name": "evil", "port": 80}]})),
            ("rules", "/rules/0/backendRefs", json!({"name": "evil", "port": 80})),
            ("rules", "/rules/0/matches", json!({"method": "GET"})),
        ];
        for (list, at, added) in cases {
            let mut live = live();
            live.pointer_mut(at).unwrap().as_array_mut().unwrap().push(added);
            let away = route(&live, &wanted());
            assert_eq!(away.get(list), Some(&wanted()[list]), "{at}");
            assert_eq!(away.len(), 1, "{at}");
        }
    }

    #[test]
    fn nothing_is_done_to_a_request_on_its_way() {
        for field in ["filters", "timeouts", "retry", "sessionPersistence"] {
            let mut live = live();
            live["rules"][0][field] = json!([{"type": "RequestMirror"}]);
            assert_eq!(route(&live, &wanted()).get("rules"), Some(&wanted()["rules"]), "{field}");
        }
    }

    /// However deep: each would lead elsewhere, or let in fewer.
    #[test]
    fn nothing_is_said_beside_what_we_say() {
        let cases = [
            ("parentRefs", "/parentRefs/0", "namespace", json!("infra")),
            ("parentRefs", "/parentRefs/0", "port", json!(8443)),
            ("parentRefs", "/parentRefs/0", "kind", json!("Service")),
            ("rules", "/rules/0/backendRefs/0", "namespace", json!("evil")),
            ("rules", "/rules/0/backendRefs/0", "weight", json!(0)),
            ("rules", "/rules/0/backendRefs/0", "filters", json!([{"type": "RequestMirror"}])),
            ("rules", "/rules/0/matches/0", "method", json!("GET")),
            ("rules", "/rules/0/matches/0", "headers", json!([{"name": "a", "value": "b"}])),
        ];
        for (list, at, field, value) in cases {
            let mut live = live();
            live.pointer_mut(at).unwrap()[field] = value;
            let away = route(&live, &wanted());
            assert_eq!(Value::Object(away), json!({list: wanted()[list]}), "{at} {field}");
        }
        let redirect = json!({"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}});
        let wanted = json!({"rules": [{"filters": [redirect]}]});
        let mut live = wanted.clone();
        live["rules"][0]["filters"][0]["requestRedirect"]["hostname"] = json!("evil.example.com");
        assert_eq!(Value::Object(route(&live, &wanted)), wanted);
    }

    #[test]
    fn an_ingress_leads_nowhere_without_a_rule() {
        let wanted = json!({"rules": [{"host": "api.example.com"}]});
        let mut live = wanted.clone();
        live["ingressClassName"] = json!("the-default-one");
        assert_eq!(ingress(&live, &wanted), Map::new());
        live["defaultBackend"] = json!({"service": {"name": "evil"}});
        assert_eq!(ingress(&live, &wanted).get("defaultBackend"), Some(&Value::Null));
    }

    /// Whoever serves it would send plain HTTP to HTTPS, and the origins say otherwise.
    #[test]
    fn an_ingress_that_ends_no_tls_is_given_none() {
        let mut live = json!({"rules": [{"host": "api.example.com"}]});
        let tls = json!([{"hosts": ["api.example.com"], "secretName": "theirs"}]);
        live["tls"] = tls.clone();
        let wanted = json!({"rules": [{"host": "api.example.com"}]});
        assert_eq!(Value::Object(ingress(&live, &wanted)), json!({"tls": null}));
        let asked = json!({"rules": wanted["rules"], "tls": tls});
        assert_eq!(ingress(&live, &asked), Map::new(), "where the spec asks for it, it stays");
    }

    #[test]
    fn a_gateway_of_ours_has_our_listeners_for_our_routes() {
        let listener = |name: &str| json!({"name": name, "port": 443, "protocol": "HTTPS"});
        let wanted = json!({"listeners": [listener("api"), listener("site")]});
        let mut live = wanted.clone();
        let same = json!({"namespaces": {"from": "Same"}});
        live["listeners"][0]["allowedRoutes"] = same;
        assert!(gateway(&live, &wanted).is_empty(), "so the API server says it");
        let back = json!({"listeners": wanted["listeners"]});
        live["listeners"][0]["allowedRoutes"] = json!({"namespaces": {"from": "All"}});
        assert_eq!(Value::Object(gateway(&live, &wanted)), back);
        let mut live = wanted.clone();
        live["listeners"].as_array_mut().unwrap().push(listener("theirs"));
        assert_eq!(Value::Object(gateway(&live, &wanted)), back);
    }

    #[test]
    fn a_listener_of_ours_has_our_certificate_alone() {
        let ours = json!({"certificateRefs": [{"name": "ours"}]});
        let wanted = json!({"listeners": [{"name": "api", "tls": ours}]});
        let mut live = wanted.clone();
        let tls = &mut live["listeners"][0]["tls"];
        tls["mode"] = json!("Terminate");
        (tls["certificateRefs"][0]["group"], tls["certificateRefs"][0]["kind"]) =
            (json!(""), json!("Secret"));
        assert!(gateway(&live, &wanted).is_empty(), "so the API server says it");
        let mut added = live.clone();
        let certificates = added["listeners"][0]["tls"]["certificateRefs"].as_array_mut().unwrap();
        certificates.push(json!({"name": "theirs"}));
        assert_eq!(Value::Object(gateway(&added, &wanted)), wanted);
        live["listeners"][0]["tls"]["certificateRefs"][0]["namespace"] = json!("evil");
        assert_eq!(Value::Object(gateway(&live, &wanted)), wanted);
    }
}
