//! What stands beside the pods of a part: it comes with the spec's word, is put back, and goes with it.

use serde_json::{Value, json};

use crate::support::{
    instance::{foreign, instance, set, with},
    rig::Rig,
};

const NAME: &str = "dev-backend";

fn annotated() -> Value {
    json!({"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}}})
}

fn asking() -> Value {
    let budget =
        with(instance("dev"), "/backend/podDisruptionBudget", json!({"maxUnavailable": 0}));
    let policy = with(budget, "/networkPolicy", json!({"enabled": true}));
    with(policy, "/backend/pod", annotated())
}

fn pod(rig: &Rig) -> Value {
    let set = rig.server.get("statefulsets", NAME).unwrap();
    set["spec"]["template"]["spec"].clone()
}

async fn changed(rig: &Rig, place: &str, value: Value) {
    rig.server.edit("convexinstances", "dev", |it| set(it, place, value));
    rig.run("dev", 8).await;
}

#[tokio::test]
async fn account_policy_and_budget_are_made_and_nothing_is_written_at_rest() {
    let rig = Rig::ready(asking()).await;
    let account = rig.server.get("serviceaccounts", NAME).unwrap();
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(
        account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"],
        "arn:aws:iam::1:role/x"
    );
    assert_eq!(pod(&rig)["serviceAccountName"], NAME);
    assert_eq!(pod(&rig)["automountServiceAccountToken"], false);
    let budget = rig.server.get("poddisruptionbudgets", NAME).unwrap();
    assert_eq!(budget["spec"]["maxUnavailable"], 0);
    let policy = rig.server.get("networkpolicies", NAME).unwrap();
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress"]));
    assert!(rig.server.get("networkpolicies", "dev-dashboard").is_some());
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_edited_or_removed_by_hand_is_put_back() {
    let rig = Rig::ready(asking()).await;
    rig.server.edit("networkpolicies", NAME, |it| it["spec"]["ingress"] = json!([{}]));
    rig.server.edit("poddisruptionbudgets", NAME, |it| it["spec"]["maxUnavailable"] = json!(1));
    rig.server.remove("serviceaccounts", NAME);
    rig.run("dev", 4).await;
    let policy = rig.server.get("networkpolicies", NAME).unwrap();
    assert_eq!(policy["spec"]["ingress"].as_array().unwrap().len(), 1);
    assert!(policy["spec"]["ingress"][0]["from"].is_array(), "{policy}");
    let budget = rig.server.get("poddisruptionbudgets", NAME).unwrap();
    assert_eq!(budget["spec"]["maxUnavailable"], 0);
    assert!(rig.server.get("serviceaccounts", NAME).is_some());
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn what_is_not_asked_for_any_more_goes_and_the_account_after_the_pods_that_name_it() {
    let rig = Rig::ready(asking()).await;
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/podDisruptionBudget", Value::Null);
        set(it, "/networkPolicy/enabled", json!(false));
        set(it, "/backend/pod", Value::Null);
    });
    rig.run("dev", 8).await;
    let writes = rig.server.writes();
    let at = |of: &str| writes.iter().position(|it| it.starts_with(of)).unwrap_or(usize::MAX);
    assert!(at("apply statefulsets") < at("delete serviceaccounts"), "{writes:?}");
    for plural in ["serviceaccounts", "networkpolicies", "poddisruptionbudgets"] {
        assert!(rig.server.get(plural, NAME).is_none(), "{plural}");
    }
    assert!(rig.server.get("networkpolicies", "dev-dashboard").is_none());
    assert_eq!(pod(&rig)["serviceAccountName"], Value::Null);
    assert_eq!(pod(&rig)["serviceAccount"], Value::Null);
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

#[tokio::test]
async fn all_of_it_goes_with_the_instance() {
    let rig = Rig::ready(asking()).await;
    rig.server.edit("convexinstances", "dev", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    rig.run("dev", 12).await;
    assert!(rig.server.get("convexinstances", "dev").is_none());
    for plural in ["serviceaccounts", "networkpolicies", "poddisruptionbudgets"] {
        assert_eq!(rig.server.all(plural), Vec::<Value>::new(), "{plural}");
    }
}

#[tokio::test]
async fn an_account_of_somebody_else_is_neither_used_nor_touched() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.put("serviceaccounts", foreign("ServiceAccount", NAME));
    let before = rig.server.get("serviceaccounts", NAME);
    changed(&rig, "/backend/pod", annotated()).await;
    assert_eq!(rig.server.get("serviceaccounts", NAME), before);
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict");
    assert_eq!(pod(&rig)["serviceAccountName"], Value::Null);
}

/// Nobody's way in depends on them, and the dashboard does not either.
#[tokio::test]
async fn a_policy_that_is_refused_keeps_nothing_else_from_being_put_back() {
    let rig = Rig::ready(instance("dev")).await;
    rig.server.remove("services", NAME);
    rig.server.edit("convexinstances", "dev", |it| set(it, "/networkPolicy/enabled", json!(true)));
    rig.server.fail_next("create networkpolicies", 403);
    rig.pass("dev").await.unwrap();
    assert_eq!(rig.condition("dev", "Ready"), "False/Forbidden");
    assert!(rig.server.get("services", NAME).is_some());
}

/// Its pods are not made under it either; and users get in to the backend all the same.
#[tokio::test]
async fn an_account_of_somebody_else_for_the_dashboard_is_in_nobody_elses_way() {
    let rig = Rig::with(with(instance("dev"), "/dashboard", json!({"pod": annotated()}))).await;
    rig.server.put("serviceaccounts", foreign("ServiceAccount", "dev-dashboard"));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/NameConflict", "{}", rig.status("dev"));
    assert_eq!(rig.condition("dev", "Available"), "True/Serving");
    assert!(rig.server.get("services", NAME).is_some());
    assert!(rig.server.all("deployments").is_empty());
    rig.server.remove("serviceaccounts", "dev-dashboard");
    rig.run("dev", 6).await;
    let made = rig.server.get("deployments", "dev-dashboard").unwrap();
    assert_eq!(made["spec"]["template"]["spec"]["serviceAccountName"], "dev-dashboard");
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// Else the one would keep nobody out, and the other no drain back.
#[tokio::test]
async fn what_is_made_to_be_about_no_pod_is_about_its_pods_again() {
    let rig = Rig::ready(asking()).await;
    let selectors = [("networkpolicies", "podSelector"), ("poddisruptionbudgets", "selector")];
    let made = |(plural, field)| rig.server.get(plural, NAME).unwrap()["spec"][field].clone();
    let before = selectors.map(made);
    for (plural, field) in selectors {
        rig.server.edit(plural, NAME, |it| {
            it["spec"][field]["matchLabels"]["nobody"] = json!("has-this");
        });
    }
    rig.run("dev", 2).await;
    assert_eq!(selectors.map(made), before);
    rig.server.writes();
    rig.run("dev", 2).await;
    assert_eq!(rig.server.writes(), [""; 0], "it rests");
}
