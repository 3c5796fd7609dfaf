//! The variables that the backend takes from its namespace, and what a change of their values does.

use convex_operator::plan::labels::{VARIABLES_HASH, VERSION};
use serde_json::{Value, json};

use super::{
    copies::until,
    keys::base64,
    requisites::{config, from, template},
    servers::secret,
};
use crate::support::{
    instance::{instance, set, with},
    request::Verb,
    rig::Rig,
};

fn variable(rig: &Rig, name: &str) -> Option<Value> {
    let env = template(rig)["spec"]["containers"][0]["env"].as_array().cloned().unwrap();
    env.into_iter().find(|it| it["name"] == name)
}

/// How often the template was written since the last time.
pub(crate) fn rolls(rig: &Rig) -> usize {
    rig.server.writes().iter().filter(|it| it.starts_with("apply statefulsets")).count()
}

pub(crate) async fn sourced() -> Rig {
    let rig = Rig::new().await;
    rig.server.put("configmaps", config("app", &json!({"A": "1", "B": "2"})));
    rig.server.put("convexinstances", with(instance("dev"), "/backend/envFrom", from("app")));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    rig.server.writes();
    rig
}

#[tokio::test]
async fn a_source_gives_a_variable_for_each_key_and_one_of_the_spec_counts_before_it() {
    let rig = sourced().await;
    let by_key = json!({"configMapKeyRef": {"name": "app", "key": "A"}});
    assert_eq!(variable(&rig, "A").unwrap()["valueFrom"], by_key);
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/backend/env", json!([{"name": "A", "value": "own"}]));
    });
    rig.run("dev", 4).await;
    assert_eq!(variable(&rig, "A").unwrap()["value"], "own");
    assert!(variable(&rig, "B").is_some());
}

/// Each instance has a key of its own; which variables there are is no secret.
#[tokio::test]
async fn nobody_can_try_values_against_what_a_template_says_of_them() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let rig = sourced().await;
        let hash = template(&rig)["metadata"]["annotations"][VARIABLES_HASH].clone();
        let (places, values) = hash.as_str().unwrap().split_once('.').unwrap();
        told.push((places.to_owned(), values.to_owned()));
    }
    assert_eq!(told[0].0, told[1].0);
    assert_ne!(told[0].1, told[1].1);
}

#[tokio::test]
async fn a_value_that_changes_in_a_source_rolls_the_backend_exactly_once() {
    let rig = sourced().await;
    rig.server.edit("configmaps", "app", |it| it["data"]["A"] = json!("3"));
    rig.run("dev", 6).await;
    assert_eq!(rolls(&rig), 1);
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), Vec::<String>::new());
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
}

/// What changes under an upgrade would be taken for its doing.
#[tokio::test]
async fn a_value_that_changes_during_an_upgrade_rolls_the_backend_once_it_is_over() {
    let rig = sourced().await;
    let hash = || template(&rig)["metadata"]["annotations"][VARIABLES_HASH].clone();
    let before = hash();
    assert!(before.is_string());
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/maintenance/preUpgradeSnapshot", json!("Auto"));
        set(it, "/version", json!("v2"));
    });
    until(&rig, ("Upgrading", json!("Exporting"))).await;
    rig.server.edit("configmaps", "app", |it| it["data"]["A"] = json!("3"));
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    assert_eq!(template(&rig)["metadata"]["annotations"][VERSION], "v2");
    assert_eq!(hash(), before);
    assert_eq!(rig.condition("dev", "SecretsReady"), "True/ChangePending");
    rig.server.writes();
    rig.backend.says("v2");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert_ne!(hash(), before);
    assert_eq!(rolls(&rig), 1);
}

#[tokio::test]
async fn a_value_that_a_variable_of_the_spec_takes_from_a_secret_rolls_the_backend_exactly_once() {
    let takes =
        json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "app", "key": "t"}}}]);
    let rig = Rig::with(with(instance("dev"), "/backend/env", takes)).await;
    rig.server.put("secrets", secret("app", &[("t", "canary-1"), ("other", "1")]));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    rig.server.writes();
    rig.server.edit("secrets", "app", |it| it["data"]["other"] = json!(base64("2")));
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0], "nobody takes that");
    rig.server.edit("secrets", "app", |it| it["data"]["t"] = json!(base64("canary-2")));
    rig.run("dev", 6).await;
    assert_eq!(rolls(&rig), 1);
    rig.run("dev", 3).await;
    assert_eq!(rig.server.writes(), [""; 0]);
    // A pod that is made now would not start.
    rig.server.edit("secrets", "app", |it| it["data"] = json!({"other": base64("2")}));
    rig.run("dev", 3).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/ReferenceMissing");
    let message = rig.status("dev")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("no key \"t\"") && message.contains("(TOKEN)"), "{message}");
    assert_eq!((rolls(&rig), rig.condition("dev", "Available").as_str()), (0, "True/Serving"));
}

#[tokio::test]
async fn a_key_that_makes_a_reserved_name_is_told_and_rolls_nothing_until_it_is_gone() {
    let rig = sourced().await;
    rig.server.edit("configmaps", "app", |it| it["data"]["POSTGRES_URL"] = json!("canary"));
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "False/VariableReserved");
    assert!(!rig.seen("dev").to_string().contains("canary"));
    assert_eq!((rolls(&rig), variable(&rig, "POSTGRES_URL")), (0, None));
    rig.server.edit("configmaps", "app", |it| {
        it["data"].as_object_mut().unwrap().remove("POSTGRES_URL");
    });
    rig.run("dev", 4).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving");
    assert_eq!(rolls(&rig), 0);
}

/// They are in the template that the upgrade makes.
#[tokio::test]
async fn variables_that_come_with_a_version_cost_no_restart_of_their_own() {
    let rig = sourced().await;
    rig.server.put("configmaps", config("more", &json!({"C": "1"})));
    rig.server.edit("convexinstances", "dev", |it| {
        set(it, "/maintenance/preUpgradeSnapshot", json!("Auto"));
        set(it, "/version", json!("v2"));
        let sources = ["app", "more"].map(|it| json!({"configMapRef": {"name": it}}));
        set(it, "/backend/envFrom", json!(sources));
    });
    until(&rig, ("Upgrading", json!("Rolling"))).await;
    assert!(variable(&rig, "C").is_some());
    rig.server.writes();
    rig.backend.says("v2");
    until(&rig, ("Ready", Value::Null)).await;
    rig.run("dev", 4).await;
    assert_eq!(rolls(&rig), 0);
}

#[tokio::test]
async fn a_source_is_read_once_in_a_pass_however_many_variables_it_gives() {
    let takes = |at: usize| json!({"name": format!("V{at}"), "valueFrom": {"secretKeyRef": {"name": "app", "key": "t"}}});
    let takes: Vec<_> = (0..60).map(takes).collect();
    let rig = Rig::with(with(instance("dev"), "/backend/env", json!(takes))).await;
    rig.server.put("secrets", secret("app", &[("t", "canary-1")]));
    rig.run("dev", 12).await;
    assert_eq!(rig.condition("dev", "Ready"), "True/Serving", "{}", rig.status("dev"));
    rig.server.asked();
    rig.pass("dev").await.unwrap();
    let asked = rig.server.asked();
    let reads = asked.iter().filter(|it| it.verb == Verb::Get && it.plural == "secrets");
    assert_eq!(reads.filter(|it| it.name == "app").count(), 1);
}
