//! What somebody added to the way in: another door, another destination, something done on the way.

use serde_json::{Map, Value};

/// The lists of a route, and what a rule of it may only have as we say it. The CRD declares all of them atomic: whoever writes
/// one writes all of it.
const LISTS: [&str; 3] = ["parentRefs", "hostnames", "rules"];
const OF_RULES: [&str; 6] =
    ["matches", "filters", "backendRefs", "timeouts", "retry", "sessionPersistence"];

/// The lists of a route that hold more than is wanted, as they are wanted.
pub(super) fn route(live: &Value, wanted: &Value) -> Map<String, Value> {
    let over = |list: &&&str| {
        let (live, wanted) = (items(&live[**list]), items(&wanted[**list]));
        live.len() > wanted.len()
            || live.iter().zip(wanted).any(|(live, wanted)| **list == "rules" && more(live, wanted))
    };
    let over = LISTS.iter().filter(over);
    over.map(|list| ((*list).to_owned(), wanted[*list].clone())).collect()
}

fn more(live: &Value, wanted: &Value) -> bool {
    OF_RULES.iter().any(|field| {
        let (live, wanted) = (&live[*field], &wanted[*field]);
        items(live).len() > items(wanted).len() || (!live.is_null() && wanted.is_null())
    })
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What no rule is about leads elsewhere.
pub(super) fn ingress(live: &Value, wanted: &Value) -> Map<String, Value> {
    let added = |field: &&&str| live.get(**field).is_some() && wanted.get(**field).is_none();
    let added = ["defaultBackend", "tls"].iter().filter(added);
    added.map(|field| ((*field).to_owned(), Value::Null)).collect()
}

/// A door of somebody else, and routes of other namespaces through ours. Only that of its own namespace is what the CRD puts where
/// nothing is said.
pub(super) fn gateway(live: &Value, wanted: &Value) -> Map<String, Value> {
    let (all, wants) = (items(&live["listeners"]), items(&wanted["listeners"]));
    let open = |it: &Value| {
        let routes = &it["allowedRoutes"];
        let own = |from: &Value| from.is_null() || from == "Same";
        !own(&routes["namespaces"]["from"]) || !routes["kinds"].is_null()
    };
    let open = |it: &Value| {
        let ours = wants.iter().find(|wanted| wanted["name"] == it["name"]);
        ours.is_none_or(|ours| ours["allowedRoutes"].is_null() && open(it))
    };
    let over = all.iter().any(open).then(|| wanted["listeners"].clone());
    over.map(|it| ("listeners".to_owned(), it)).into_iter().collect()
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
        live["rules"][0]["backendRefs"][0]["weight"] = json!(1);
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
        for field in ["filters", "timeouts", "retry"] {
            let mut live = live();
            live["rules"][0][field] = json!([{"type": "RequestMirror"}]);
            assert_eq!(route(&live, &wanted()).get("rules"), Some(&wanted()["rules"]), "{field}");
        }
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
}
